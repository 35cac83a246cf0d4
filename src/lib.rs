//! `provisiond`.
