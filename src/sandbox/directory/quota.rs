//! Requests a minute and account, and users created a second and domain.

use std::collections::HashMap;

/// Users that may be created in a second on one domain.
const CREATIONS_PER_SECOND: u32 = 10;

/// What was used.
#[derive(Debug, Default)]
pub struct Quota {
    requests: HashMap<String, (i64, u32)>,
    creations: HashMap<String, (i64, u32)>,
}

impl Quota {
    /// Counts a request; false if it is over the limit. Limit 0 is none.
    pub fn request(&mut self, account: &str, limit: u32, now: i64) -> bool {
        limit == 0 || take(&mut self.requests, account, now / 60_000, limit)
    }

    /// Counts a user made; false if it is over the limit.
    pub fn creation(&mut self, domain: &str, now: i64) -> bool {
        take(
            &mut self.creations,
            domain,
            now / 1000,
            CREATIONS_PER_SECOND,
        )
    }
}

fn take(used: &mut HashMap<String, (i64, u32)>, who: &str, window: i64, limit: u32) -> bool {
    let entry = used.entry(who.to_owned()).or_insert((window, 0));
    if entry.0 != window {
        *entry = (window, 0);
    }
    entry.1 += 1;
    entry.1 <= limit
}
