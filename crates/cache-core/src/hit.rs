//! A live entry, as a look-up returns it.

use std::time::Duration;

use crate::class::{Classes, TtlClass};

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

/// What [`Cache::read`](crate::Cache::read) knows of an entry besides its value.
#[derive(Clone, Copy)]
pub struct Meta<'a>(Seen<'a>);

impl Meta<'_> {
    /// How long ago the entry was stored.
    #[must_use]
    pub fn age(&self) -> Duration {
        let (Seen::Fast { age, .. } | Seen::Exact { age, .. }) = self.0;
        Duration::from_nanos(age)
    }

    /// The time to live that its age was held against, as [`Hit::ttl`]. Costs a few
    /// atomic loads.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        Duration::from_nanos(match self.0 {
            Seen::Exact { ttl, .. } => ttl,
            Seen::Fast {
                age,
                hash,
                class,
                classes,
            } => classes.ttl_of(class, u64::from(hash)).max(age),
        })
    }

    /// How long the entry stays fresh yet.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.ttl().saturating_sub(self.age())
    }
}

impl<'a> From<Seen<'a>> for Meta<'a> {
    fn from(seen: Seen<'a>) -> Self {
        Self(seen)
    }
}

impl std::fmt::Debug for Meta<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meta")
            .field("age", &self.age())
            .field("ttl", &self.ttl())
            .finish()
    }
}

/// An entry that a reader may have, as it found it; times in nanoseconds.
pub(crate) struct Found<V> {
    pub(crate) value: V,
    pub(crate) age: u64,
    pub(crate) ttl: u64,
    pub(crate) kind: Kind,
}

/// What a reader found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Fresh,
    /// Fresh, but due for a refresh.
    Early,
    Stale,
    Negative,
}

/// What a reader knows of an entry that it is lent; times in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// A plain entry of this class. How long it is fresh was not looked up.
    Fast {
        age: u64,
        hash: u32,
        class: TtlClass,
        classes: &'a Classes,
    },
    Exact {
        age: u64,
        ttl: u64,
    },
}
