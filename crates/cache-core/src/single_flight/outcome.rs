//! Where a fetched value came from.

use std::time::Duration;

use crate::{error::Refusal, hit::Hit};

/// A value, and where it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched<V> {
    /// The value.
    pub value: V,
    /// Where it came from.
    pub outcome: Outcome,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A fresh entry.
    Hit {
        /// How long ago it was stored.
        age: Duration,
        /// How long it is fresh.
        ttl: Duration,
    },
    /// A fresh negative entry.
    Negative {
        /// How long ago it was stored.
        age: Duration,
        /// How long it is fresh.
        ttl: Duration,
    },
    /// A stale entry, within
    /// [`stale_while_revalidate`](crate::Freshness::stale_while_revalidate).
    Stale {
        /// How long ago it was stored.
        age: Duration,
        /// How long it was fresh.
        ttl: Duration,
    },
    /// A fill failed, and this stored entry is served instead.
    StoodIn {
        /// How long ago it was stored.
        age: Duration,
        /// How long it is fresh.
        ttl: Duration,
    },
    /// The caller's own fill; `Err` is the reason why the value was not stored.
    Filled(Result<(), Refusal>),
    /// Another caller's fill, which this caller waited for.
    Waited,
}

impl<V> Fetched<V> {
    pub(crate) const fn new(value: V, outcome: Outcome) -> Self {
        Self { value, outcome }
    }

    /// A stored entry that is served instead of an error.
    pub(crate) fn stood_in(Hit { value, age, ttl }: Hit<V>) -> Self {
        Self::new(value, Outcome::StoodIn { age, ttl })
    }

    pub(crate) fn hit(hit: Hit<V>) -> Self {
        let (age, ttl) = (hit.age, hit.ttl);
        let outcome = if hit.is_stale() {
            Outcome::Stale { age, ttl }
        } else {
            Outcome::Hit { age, ttl }
        };
        Self::new(hit.value, outcome)
    }

    pub(crate) fn negative(Hit { value, age, ttl }: Hit<V>) -> Self {
        Self::new(value, Outcome::Negative { age, ttl })
    }
}
