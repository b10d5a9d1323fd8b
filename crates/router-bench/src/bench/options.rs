//! The parameters of the traffic and their bounds.

use serde::Serialize;
use thiserror::Error;

/// Bounds on users and requests, so that the records fit in memory: a planned
/// request takes 8 bytes, a measured one 24.
const MAX_USERS: u32 = 1_000_000;
const MAX_REQUESTS: usize = 10_000_000;

/// The parameters of the traffic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Options {
    /// The number of users.
    pub users: u32,
    /// The number of requests in each phase.
    pub requests: usize,
    /// The exponent of Zipf's law over the users; 0: all users ask equally often.
    pub skew: f64,
    /// The number of wordings per intent: its first examples.
    pub wordings: usize,
    /// The seed of the random choices.
    pub seed: u64,
    /// The number of concurrent requests.
    pub concurrency: usize,
    /// The number of unrecorded requests, with the cache off, that warm up the
    /// source before each phase.
    pub warm_up: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            users: 200,
            requests: 20_000,
            skew: 1.0,
            wordings: 3,
            seed: 1,
            concurrency: 1,
            warm_up: 2_000,
        }
    }
}

impl Options {
    /// Checks the bounds of every option.
    ///
    /// # Errors
    /// The first option that is out of bounds.
    pub fn check(&self) -> Result<(), TrafficError> {
        check("users", self.users as usize, MAX_USERS as usize)?;
        check("requests", self.requests, MAX_REQUESTS)?;
        check("phrasings", self.wordings, usize::from(u16::MAX))?;
        check("concurrency", self.concurrency, 1_024)?;
        if !(0.0..=10.0).contains(&self.skew) {
            return Err(TrafficError::Skew(self.skew));
        }
        Ok(())
    }
}

/// Why traffic cannot be planned.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TrafficError {
    /// A count is 0 or above its bound.
    #[error("{what} must be from 1 to {max}, not {given}")]
    Count {
        /// The option.
        what: &'static str,
        /// Its upper bound.
        max: usize,
        /// The value given.
        given: usize,
    },
    /// The skew is out of bounds.
    #[error("skew must be from 0 to 10, not {0}")]
    Skew(f64),
    /// No intent of the catalogue has an example.
    #[error("no intent of the catalogue has examples; add some to at least one")]
    NothingToAsk,
}

fn check(what: &'static str, given: usize, max: usize) -> Result<(), TrafficError> {
    if (1..=max).contains(&given) {
        Ok(())
    } else {
        Err(TrafficError::Count { what, max, given })
    }
}
