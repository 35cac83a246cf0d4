//! Tests of what only the room itself can see.
