//! Paging and idempotency of requests.

/// What part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many items: 1 to 1000.
    pub size: usize,
    /// Where to go on: the `next` of the page before, unchanged.
    pub token: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Token of the next part; none at the end.
    pub next: Option<String>,
}

/// The caller's name for a request, by which a repetition is recognized for 24 h (AIP-155).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's `request_id`.
    pub id: String,
    /// Hash over the method and the rest of the request: the same id with another body is refused.
    pub body: [u8; 32],
}
