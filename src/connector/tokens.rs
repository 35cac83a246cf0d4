//! Where a connector gets its access tokens from.

use super::Answer;
use crate::model::Secret;
use std::fmt;

/// Access tokens for one consent.
pub trait AccessTokens: Send + Sync + fmt::Debug {
    /// A token that is good for some time; renewed if need be, once for all who wait.
    fn token(&self) -> Answer<'_, Secret>;

    /// The system does not accept this token: it is not handed out again.
    fn invalidate(&self, token: &Secret);
}
