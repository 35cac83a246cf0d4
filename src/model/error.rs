//! What kinds of failure there are, as far as a caller can tell them apart.

/// What a caller can do about a failure; each edge maps these to its own codes in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong: correct it.
    Invalid,
    /// There is no such thing, or it is another company's.
    NotFound,
    /// The id, title or address is taken.
    AlreadyExists,
    /// Read again, then try again: what the request was based on has changed.
    Conflict,
    /// Something must be done first; the message says what.
    Precondition,
    /// Wait, then try again.
    Unavailable,
    /// A queue or stream limit is reached.
    Exhausted,
    /// A stream position that is no longer kept.
    OutOfRange,
    /// Our fault.
    Internal,
}

/// One bad field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field in the request, such as `rule.conditions[0].operator`.
    pub field: String,
    /// What is wrong and what to give instead.
    pub description: String,
}

impl Violation {
    /// Names the field and says what is wrong with it.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            description: description.into(),
        }
    }
}
