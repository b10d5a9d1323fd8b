//! What is asked of a cache, and what it answers.

use std::time::Duration;

use hashbrown::DefaultHashBuilder;

use crate::{clock::SystemClock, error::Refusal, permit::Permit, shard::Found, waiter::Waiter};

/// How far a request accepts what was stored before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// Any entry that the class lets be served, a stale one included.
    #[default]
    Any,
    /// A fresh entry that is no older than this. Another one is a miss, but
    /// stays for others. [`Duration::MAX`] asks for any entry that is fresh.
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
    /// The time to live that its age was held against, shortened by its jitter;
    /// where the reader names another class than the entry's, the shorter of
    /// the two.
    pub ttl: Duration,
}

impl<V> Hit<V> {
    /// How long the entry will stay fresh yet, as of the look-up; zero if it is
    /// stale.
    #[must_use]
    pub const fn remaining(&self) -> Duration {
        self.ttl.saturating_sub(self.age)
    }

    /// Whether the entry was older than its time to live.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.age > self.ttl
    }
}

impl<V> From<Found<V>> for Hit<V> {
    fn from(found: Found<V>) -> Self {
        Self {
            value: found.value,
            age: Duration::from_nanos(found.age),
            ttl: Duration::from_nanos(found.ttl),
        }
    }
}

/// What a look-up found.
///
/// Of the first four, each has a value to be served at once.
#[derive(Debug)]
#[must_use]
pub enum Lookup<K, V, C = SystemClock, S = DefaultHashBuilder> {
    /// A fresh entry.
    Hit(Hit<V>),
    /// A fresh entry that this reader was chosen to make anew before its end
    /// ([`Freshness::with_early_refresh`](crate::Freshness::with_early_refresh)).
    /// Nobody else is making it anew.
    Early(Hit<V>, Permit<K, V, C, S>),
    /// An entry older than its TTL, but within the window of
    /// [`stale_while_revalidate`](crate::Freshness::stale_while_revalidate);
    /// with the right to make it anew unless another has it.
    Stale(Hit<V>, Option<Permit<K, V, C, S>>),
    /// A fresh entry that says that there is nothing: what
    /// [`Permit::fill_negative`] stored.
    Negative(Hit<V>),
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
