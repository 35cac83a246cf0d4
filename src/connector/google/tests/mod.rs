//! Reading Google: its pitfalls, each by its number in the reference, and what its values become.

mod conversion;
mod pitfalls;
mod refusals;
mod standing;
