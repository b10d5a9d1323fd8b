//! What a look-up returns of a live entry.

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
    /// The TTL that applied, shortened by the jitter. If the reader named another class
    /// than the entry's, the shorter TTL of the two.
    pub ttl: Duration,
}

impl<V> Hit<V> {
    /// How long the entry stays fresh after the look-up; zero if it is stale.
    #[must_use]
    pub const fn remaining(&self) -> Duration {
        self.ttl.saturating_sub(self.age)
    }

    /// Whether the entry was older than its TTL.
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

/// Age and TTL of the entry that [`Cache::read`](crate::Cache::read) shows.
#[derive(Clone, Copy)]
pub struct Meta<'a>(Seen<'a>);

impl Meta<'_> {
    /// How long ago the entry was stored.
    #[must_use]
    pub fn age(&self) -> Duration {
        let (Seen::Fast { age, .. } | Seen::Exact { age, .. }) = self.0;
        Duration::from_nanos(age)
    }

    /// The TTL that applied, as in [`Hit::ttl`]. Costs a few atomic loads.
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

    /// How long the entry stays fresh from now on.
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

/// An entry that is served to a reader; times in nanoseconds.
pub(crate) struct Found<V> {
    pub(crate) value: V,
    pub(crate) age: u64,
    pub(crate) ttl: u64,
    pub(crate) kind: Kind,
}

/// How an entry is served.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Fresh,
    /// Fresh, but due for a refresh.
    Early,
    Stale,
    Negative,
}

/// Age and TTL of an entry whose value a closure reads; times in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// A plain entry of this class; its TTL is not looked up yet.
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
