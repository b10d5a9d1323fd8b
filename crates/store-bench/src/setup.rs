//! The interface of every cache that is compared, and how each is set up.

use std::{sync::Arc, time::Duration};

use cache_core::ManualClock;

use crate::workload::{Key, Value};

/// A cache, as sections use it.
pub(crate) trait BenchCache: Send + Sync {
    fn get(&self, key: &Key) -> Option<Value>;

    fn insert(&self, key: Key, value: Value);

    /// One turn of the cache's maintenance, and whether another turn is known to be
    /// due.
    fn maintain(&self, _budget: usize) -> bool {
        false
    }

    /// Runs the cache's deferred work, if it defers any.
    fn settle(&self) {}

    /// The number of entries.
    fn len(&self) -> usize;
}

/// How a cache is bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// A number of entries.
    Entries(usize),
    /// A number of bytes by [`weight`], expected to suffice for `entries`.
    Bytes { bytes: u64, entries: usize },
}

/// How keys are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hashing {
    /// By hashbrown's default (foldhash), the same for all.
    Same,
    /// By the cache's default, if that is another.
    Own,
}

/// The tags of an entry of `cache-core`. No other cache has tags.
#[derive(Clone, Debug)]
pub(crate) struct Tags {
    /// The number of tags per entry.
    pub(crate) each: usize,
    /// The tags to choose from; made beforehand, as they are not part of the cache.
    pub(crate) names: Arc<[String]>,
}

impl Tags {
    /// `each` tags for an entry, out of `names`.
    pub(crate) fn new(each: usize, names: usize) -> Self {
        let names = (0..names).map(|name| format!("record:{name}")).collect();
        Self { each, names }
    }
}

/// How to build a cache.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) bound: Bound,
    pub(crate) hashing: Hashing,
    pub(crate) ttl: Duration,
    pub(crate) tags: Tags,
    /// Whether peers that allow it use a single shard: for hit ratios, which sharding
    /// lowers.
    pub(crate) unsharded: bool,
    /// The clock of the `cache-core` with a manual clock.
    pub(crate) clock: ManualClock,
}

impl Setup {
    /// The setup with this bound, and defaults for the rest.
    pub(crate) fn new(bound: Bound) -> Self {
        Self {
            bound,
            hashing: Hashing::Same,
            ttl: Duration::from_secs(3_600),
            tags: Tags::new(0, 1),
            unsharded: false,
            clock: ManualClock::new(),
        }
    }
}

/// The cost of an entry of `cache-core` without the heap of its value, by its
/// README: key and value pointer, and 56 bytes more.
pub(crate) const ENTRY_BYTES: u64 = 16 + 16 + 56;

/// The weight of an entry with a bound in bytes: [`ENTRY_BYTES`], and the heap of the
/// value with its two counters, rounded up as by an allocator.
pub(crate) fn weight(value: &Value) -> u64 {
    let heap = 2 * size_of::<usize>() + value.len() + size_of::<usize>();
    ENTRY_BYTES + (heap as u64).next_multiple_of(16)
}
