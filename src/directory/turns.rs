//! Turns of those for whom all objects of a company are looked at.

use crate::model::CompanyId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::Semaphore;

/// So many have their turn at once.
const AT_ONCE: usize = 2;

/// One turn at a time for each company, so that one that asks much keeps no other waiting, and few in all.
#[derive(Debug)]
pub(super) struct Turns {
    all: Semaphore,
    companies: Mutex<HashMap<CompanyId, Weak<Semaphore>>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            all: Semaphore::new(AT_ONCE),
            companies: Mutex::default(),
        }
    }
}

impl Turns {
    /// The line in which those of a company stand.
    pub(super) fn line(&self, company: &CompanyId) -> Line<'_> {
        let companies = self.companies.lock();
        let mut companies = companies.unwrap_or_else(PoisonError::into_inner);
        let of = companies.get(company).and_then(Weak::upgrade);
        let own = of.unwrap_or_else(|| {
            companies.retain(|_, line| line.strong_count() > 0);
            let own = Arc::new(Semaphore::new(1));
            companies.insert(company.clone(), Arc::downgrade(&own));
            own
        });
        Line {
            own,
            all: &self.all,
        }
    }
}

/// The line of a company.
pub(super) struct Line<'t> {
    own: Arc<Semaphore>,
    all: &'t Semaphore,
}

impl Line<'_> {
    /// Does something when its turn comes.
    pub(super) async fn turn<T>(&self, work: impl Future<Output = T>) -> T {
        // They are never closed.
        let _own = self.own.acquire().await;
        let _all = self.all.acquire().await;
        work.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::future::{pending, ready};

    fn company(id: &str) -> CompanyId {
        CompanyId::try_new(id).unwrap()
    }

    #[test]
    fn a_company_has_one_turn_at_a_time_and_leaves_the_other_to_others() {
        let turns = Turns::default();
        let (a, b, c) = (company("a"), company("b"), company("c"));
        let (first, second) = (turns.line(&a), turns.line(&a));
        let mut busy = Box::pin(first.turn(pending::<()>()));
        assert!(busy.as_mut().now_or_never().is_none());
        // Its own others wait, whoever else is there does not.
        assert!(second.turn(ready(())).now_or_never().is_none());
        let (other, third) = (turns.line(&b), turns.line(&c));
        assert!(other.turn(ready(())).now_or_never().is_some());
        let mut also_busy = Box::pin(other.turn(pending::<()>()));
        assert!(also_busy.as_mut().now_or_never().is_none());
        assert!(third.turn(ready(())).now_or_never().is_none());
        drop(busy);
        assert!(second.turn(ready(())).now_or_never().is_some());
        assert!(third.turn(ready(())).now_or_never().is_some());
        drop((first, second, also_busy));
        drop((other, third));
        turns.line(&c);
        assert_eq!(turns.companies.lock().unwrap().len(), 1);
    }
}
