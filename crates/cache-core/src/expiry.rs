//! Per-class queues and counters.
//!
//! All entries in a queue live equally long, so the order of writing is the
//! order of expiry: the expired ones are always a prefix of the queue, and a
//! change of the TTL at run time needs no sorting. Negative entries have a TTL
//! of their own, and so a queue. Jitter shortens single lives: behind one that
//! was not shortened, an expired entry may wait for as long as the jitter.

use crate::{
    class::{Classes, TtlClass},
    clock::Moment,
    freshness::{Policy, Traits},
    list::List,
};

/// The list that the queues of the classes are threaded through.
pub(crate) const WRITTEN: usize = 1;

/// What a shard keeps of one class. What reads that miss, insertions and evictions
/// touch fills one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct ClassState {
    /// The entries stored under the class, in order of writing: those that are
    /// not negative, then those that are.
    pub(crate) queues: [List<WRITTEN>; 2],
    pub(crate) counters: ClassCounters,
}

impl ClassState {
    pub(crate) const fn new() -> Self {
        Self {
            queues: [List::new(), List::new()],
            counters: ClassCounters {
                hits: 0,
                misses: 0,
                stale: 0,
                negative: 0,
                early_refreshes: 0,
                evictions: 0,
                expirations: 0,
                invalidations: 0,
            },
        }
    }
}

/// What happened to a class: reads count for the class that the reader named,
/// departures for the class that the entry was stored under.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct ClassCounters {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) evictions: u64,
    pub(crate) expirations: u64,
    pub(crate) invalidations: u64,
    /// Hits on stale entries.
    pub(crate) stale: u64,
    /// Hits on negative entries.
    pub(crate) negative: u64,
    pub(crate) early_refreshes: u64,
}

impl ClassCounters {
    pub(crate) fn add(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.stale += other.stale;
        self.negative += other.negative;
        self.early_refreshes += other.early_refreshes;
        self.evictions += other.evictions;
        self.expirations += other.expirations;
        self.invalidations += other.invalidations;
    }
}

/// The moment of an operation, with the policies to judge ages by.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) now: Moment,
    pub(crate) classes: &'a Classes,
}

impl Judge<'_> {
    /// Nanoseconds since `written`.
    pub(crate) fn age(&self, written: Moment) -> u64 {
        self.now.nanos_since(written)
    }

    pub(crate) fn policy(&self, class: TtlClass) -> Policy {
        self.classes.policy(class)
    }

    /// Whether an entry of `class` that is not negative is fresh at a glance, as
    /// most are: by one load.
    #[inline(always)]
    pub(crate) fn is_calm(&self, class: TtlClass, written: Moment) -> bool {
        self.age(written) < self.classes.calm(class)
    }

    /// Whether an entry of `class` is expired: of no use to anyone.
    #[inline(never)]
    pub(crate) fn is_expired(&self, class: TtlClass, written: Moment, traits: Traits) -> bool {
        self.policy(class).is_gone(self.age(written), traits)
    }
}
