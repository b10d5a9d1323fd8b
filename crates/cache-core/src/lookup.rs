//! What is asked of a cache, and what it answers.

use std::time::Duration;

use hashbrown::DefaultHashBuilder;

use crate::{clock::SystemClock, error::Refusal, permit::Permit, waiter::Waiter};

/// How far a request accepts what was stored before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// Any live entry.
    #[default]
    Any,
    /// A live entry that is no older than this. An older one is a miss, but
    /// stays for others.
    MaxAge(Duration),
    /// Nothing, not even a fill under way: always a miss, with a permit of its
    /// own.
    Nothing,
}

/// A live entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hit<V> {
    /// The value.
    pub value: V,
    /// How long ago it was stored.
    pub age: Duration,
    /// The time to live that its age was held against; where the reader names
    /// another class than the entry's, the shorter of the two.
    pub ttl: Duration,
}

impl<V> Hit<V> {
    /// How long the entry will stay live yet, as of the look-up.
    #[must_use]
    pub const fn remaining(&self) -> Duration {
        self.ttl.saturating_sub(self.age)
    }
}

/// What a look-up found.
#[derive(Debug)]
#[must_use]
pub enum Lookup<K, V, C = SystemClock, S = DefaultHashBuilder> {
    /// A live entry.
    Hit(Hit<V>),
    /// Nothing, and the right to fill it.
    Miss(Permit<K, V, C, S>),
    /// Nothing, but another is filling it.
    InFlight(Waiter<K, V, C, S>),
}

/// What became of an inserted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inserted<V> {
    /// Stored where there was no live entry.
    New,
    /// Stored in place of this live value.
    Replaced(V),
    /// Not stored. What it would have replaced is gone all the same, as it was
    /// outdated.
    Rejected {
        /// The value that was not stored.
        value: V,
        /// Why.
        reason: Refusal,
    },
}

/// What a turn of maintenance did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maintained {
    /// How many expired entries were removed.
    pub removed: usize,
    /// Whether expired entries were left, so that another turn is due.
    pub more: bool,
}
