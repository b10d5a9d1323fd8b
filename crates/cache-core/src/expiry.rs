//! Per-class queues and counters.
//!
//! All entries of a class live equally long, so the order of writing is the
//! order of expiry: the expired ones are always a prefix of the queue, and a
//! change of the TTL at run time needs no sorting.

use crate::{
    class::{Classes, TtlClass},
    clock::Moment,
    list::List,
};

/// The list that the queues of the classes are threaded through.
pub(crate) const WRITTEN: usize = 1;

/// What a shard keeps of one class.
#[derive(Debug)]
pub(crate) struct ClassState {
    /// The entries stored under the class, in order of writing.
    pub(crate) queue: List<WRITTEN>,
    pub(crate) counters: ClassCounters,
}

impl ClassState {
    pub(crate) const fn new() -> Self {
        Self {
            queue: List::new(),
            counters: ClassCounters {
                hits: 0,
                misses: 0,
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
pub(crate) struct ClassCounters {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) evictions: u64,
    pub(crate) expirations: u64,
    pub(crate) invalidations: u64,
}

impl ClassCounters {
    pub(crate) fn add(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.evictions += other.evictions;
        self.expirations += other.expirations;
        self.invalidations += other.invalidations;
    }
}

/// The moment of an operation, with the TTLs to judge ages by.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) now: Moment,
    pub(crate) classes: &'a Classes,
}

impl Judge<'_> {
    /// Nanoseconds since `written`.
    pub(crate) fn age(&self, written: Moment) -> u64 {
        self.now.as_nanos().saturating_sub(written.as_nanos())
    }

    /// Whether an entry of `class` is expired: older than the TTL, so that an
    /// entry exactly as old as its TTL is still valid.
    pub(crate) fn is_expired(&self, class: TtlClass, written: Moment) -> bool {
        self.age(written) > self.classes.ttl_nanos(class)
    }
}
