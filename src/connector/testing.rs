//! A system for tests, that answers as told.
