//! All that a sandbox remembers, behind one lock.

use std::time::{SystemTime, UNIX_EPOCH};

use super::directory::quota::Quota;
use super::faults::Faults;
use super::log::Log;
use super::oauth::OAuth;
use super::options::Options;
use super::world::{World, generate};

/// Everything.
#[derive(Debug)]
pub struct State {
    /// What it was started with.
    pub options: Options,
    /// Where it listens, as a URL.
    pub base_url: String,
    /// The companies.
    pub world: World,
    /// Codes, tokens, grants.
    pub oauth: OAuth,
    /// What goes wrong.
    pub faults: Faults,
    /// What was asked.
    pub log: Log,
    /// Requests a minute.
    pub quota: Quota,
    /// Signs page tokens.
    pub page_key: [u8; 32],
    /// How far the sandbox's time is ahead.
    pub clock_ahead_millis: i64,
}

impl State {
    /// A fresh sandbox.
    pub fn new(options: Options, base_url: String) -> Self {
        let memberships = options
            .memberships
            .unwrap_or(options.users.saturating_mul(5));
        let world = generate::world(options.seed, options.users, options.groups, memberships);
        let mut page_key = [0; 32];
        rand::fill(page_key.as_mut_slice());
        Self {
            options,
            base_url,
            world,
            oauth: OAuth::default(),
            faults: Faults::default(),
            log: Log::default(),
            quota: Quota::default(),
            page_key,
            clock_ahead_millis: 0,
        }
    }

    /// The sandbox's time, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        let real = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |passed| i64::try_from(passed.as_millis()).unwrap_or(0));
        real + self.clock_ahead_millis
    }
}
