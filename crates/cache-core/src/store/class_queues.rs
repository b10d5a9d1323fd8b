//! Per-class queues and counters.
//!
//! All entries of a queue have the same TTL, so the order of writing is the order of
//! expiry: the expired entries are a prefix of the queue, and a change of the TTL at run
//! time needs no sorting. Negative entries have their own TTL, and so their own queue.
//! Entries with their own TTLs have a queue for each power of two of the TTL; behind a
//! longer-lived entry, an expired one waits there for at most its TTL once more. With
//! jitter, an expired entry may wait for as long as the jitter. With a time to idle, a read
//! moves an entry to the end of its queue, so the order is that of the last reads.

use crate::{span::Span, store::list::List};

/// The index of the links of class queues in [`Slot::links`](super::slot::Slot::links).
pub(crate) const CLASS_QUEUE: usize = 1;

/// The queues and counters of one class in a shard. The fields that misses, insertions and
/// evictions touch fill one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct ClassState {
    /// The entries without their own TTL, in order of writing: values, then negative
    /// entries.
    queues: [List<CLASS_QUEUE>; 2],
    pub(crate) counters: ClassCounters,
    /// The entries with their own TTLs, by the binary logarithm of the TTL.
    own: Vec<List<CLASS_QUEUE>>,
    /// Whether an entry may stand behind a younger one: after a read that moved it, or
    /// an import.
    pub(crate) is_reordered: bool,
}

/// The queue of an entry in its class: 0 for values, 1 for negative entries, above that for
/// entries with their own TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueId(usize);

impl QueueId {
    pub(crate) fn new(negative: bool, ttl: Option<Span>) -> Self {
        Self(match ttl {
            Some(ttl) => 2 + ttl.magnitude() as usize,
            None => usize::from(negative),
        })
    }

    /// Whether its entries are negative; `None` for entries with their own TTLs.
    pub(crate) fn is_negative(self) -> Option<bool> {
        (self.0 < 2).then_some(self.0 == 1)
    }
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
            own: Vec::new(),
            is_reordered: false,
        }
    }

    /// The queue, which is created if it does not exist.
    #[inline]
    pub(crate) fn queue_mut(&mut self, queue: QueueId) -> &mut List<CLASS_QUEUE> {
        if queue.0 < 2 {
            return &mut self.queues[queue.0];
        }
        let at = queue.0 - 2;
        if at >= self.own.len() {
            self.own.resize_with(at + 1, List::new);
        }
        &mut self.own[at]
    }

    pub(crate) fn queues(&self) -> impl Iterator<Item = (QueueId, &List<CLASS_QUEUE>)> {
        let ids = (0..).map(QueueId);
        ids.zip(self.queues.iter().chain(&self.own))
    }

    pub(crate) fn queues_mut(&mut self) -> impl Iterator<Item = &mut List<CLASS_QUEUE>> {
        self.queues.iter_mut().chain(&mut self.own)
    }
}

/// The counters of a class. Reads count for the class that the reader named, removals for
/// the class that the entry was stored under.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct ClassCounters {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) evictions: u64,
    pub(crate) expirations: u64,
    pub(crate) invalidations: u64,
    /// Hits that returned a stale entry.
    pub(crate) stale: u64,
    /// Hits that returned a negative entry.
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
