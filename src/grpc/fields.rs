//! Single fields of requests: what is wrong is noted, so that all of it can be told at once.

use crate::model::{InvalidId, RequestKey, Violation};
use prost::Message;

/// Notes what is wrong, and goes on.
#[derive(Debug, Default)]
pub(super) struct Notes(pub(super) Vec<Violation>);

impl Notes {
    /// The value, or a note of what is wrong with it.
    pub(super) fn take<T>(&mut self, parsed: Result<T, Violation>) -> Option<T> {
        parsed.map_err(|violation| self.0.push(violation)).ok()
    }

    /// Whether a list has no more elements than that; else a note. To be asked before each of them is looked at.
    pub(super) fn few<T>(&mut self, field: &str, list: &[T], most: usize) -> bool {
        let few = list.len() <= most;
        if !few {
            let text = format!("must be at most {most}; there are {}", list.len());
            self.0.push(Violation::new(field, text));
        }
        few
    }

    /// What must be given; else it is as if everything in it had been left out.
    pub(super) fn given<T: Default>(&mut self, field: &str, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            self.0.push(Violation::new(field, "must be given"));
            T::default()
        })
    }

    /// An id that the caller may choose.
    pub(super) fn id<T>(
        &mut self,
        field: &str,
        text: &str,
        make: fn(&str) -> Result<T, InvalidId>,
    ) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        self.take(make(text).map_err(|error| Violation::new(field, error.to_string())))
    }

    /// A value of an enum; the unspecified one is none.
    pub(super) fn value<E: TryFrom<i32>, T>(
        &mut self,
        field: &str,
        number: i32,
        known: impl Fn(E) -> Option<T>,
    ) -> Option<T> {
        match E::try_from(number) {
            Ok(value) => known(value),
            Err(_) => {
                self.0.push(Violation::new(
                    field,
                    format!("{number} is not a value of this enum"),
                ));
                None
            }
        }
    }
}

/// The caller's request id (AIP-155) with a hash over the method and the rest of the request.
pub(super) fn request_key<M: Message>(
    id: &str,
    method: &str,
    rest: &M,
) -> Result<Option<RequestKey>, Violation> {
    if id.is_empty() {
        return Ok(None);
    }
    if id.len() > 64 || !id.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Violation::new(
            "request_id",
            "must have 1 to 64 visible ASCII characters",
        ));
    }
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(method.as_bytes())
        .update(&[0])
        .update(&rest.encode_to_vec());
    Ok(Some(RequestKey {
        id: id.to_owned(),
        body: *hasher.finalize().as_bytes(),
    }))
}
