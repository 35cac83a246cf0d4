//! How many streams are open at once.

use crate::{grpc::status, model::CompanyId};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tonic::Status;

/// Streams of one company.
const OF_ONE: usize = 250;
/// Streams in all.
const ALL: usize = 1000;

/// The streams that are open, company by company.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<CompanyId, usize>>);

/// The place of one stream; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    company: CompanyId,
}

/// Which limit is reached.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// That of a company.
    Company(CompanyId),
    /// That of the daemon.
    Daemon,
}

impl Full {
    pub(super) fn status(self) -> Status {
        match self {
            Self::Company(company) => {
                let text = format!(
                    "companies/{company} has {OF_ONE} streams open, as many as a company may: close some"
                );
                status::exhausted(format!("companies/{company}"), text)
            }
            Self::Daemon => {
                let text = format!(
                    "{ALL} streams are open, as many as there may be: close some, or try again later"
                );
                status::exhausted("streams".to_owned(), text)
            }
        }
    }
}

impl Places {
    fn open(&self) -> MutexGuard<'_, HashMap<CompanyId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a stream of a company.
    pub(super) fn take(self: &Arc<Self>, company: &CompanyId) -> Result<Place, Full> {
        let mut open = self.open();
        let of_one = open.get(company).copied().unwrap_or_default();
        if of_one >= OF_ONE {
            return Err(Full::Company(company.clone()));
        }
        if open.values().sum::<usize>() >= ALL {
            return Err(Full::Daemon);
        }
        open.insert(company.clone(), of_one + 1);
        drop(open);
        Ok(Place {
            places: Arc::clone(self),
            company: company.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.open();
        if let Some(count) = open.get_mut(&self.company) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.company);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_company_takes_more_than_its_share_and_all_together_no_more_than_there_are() {
        let company = |n: usize| CompanyId::try_new(&format!("c{n}")).unwrap();
        let places = Arc::new(Places::default());
        let mut taken = Vec::new();
        for n in 0..4 {
            for _ in 0..OF_ONE {
                taken.push(places.take(&company(n)).unwrap());
            }
            let full = places.take(&company(n)).unwrap_err();
            assert_eq!(full, Full::Company(company(n)));
        }
        assert_eq!(places.take(&company(4)).unwrap_err(), Full::Daemon);
        taken.pop();
        let other = places.take(&company(4)).unwrap();
        assert_eq!(places.take(&company(3)).unwrap_err(), Full::Daemon);
        drop((taken, other));
        assert!(places.open().is_empty());
    }
}
