//! Per-class queues and counters.
//!
//! All entries in a queue live equally long, so the order of writing is the
//! order of expiry: the expired ones are always a prefix of the queue, and a
//! change of the TTL at run time needs no sorting. Negative entries have another
//! TTL, and so a queue. Entries with TTLs of their own have a queue for each binary
//! order of magnitude, in which an expired one waits for no longer than it lived.
//! Jitter shortens single lives: behind one that was not shortened, an expired entry
//! may wait for as long as the jitter. Under a time to idle, an entry that is read
//! goes to the end of its queue, so that the order is that of the last reads.

use crate::{span::Span, store::list::List};

/// The list that the queues of the classes are threaded through.
pub(crate) const CLASS_QUEUE: usize = 1;

/// What a shard keeps of one class. What reads that miss, insertions and evictions
/// touch fills one cache line.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct ClassState {
    /// The entries stored under the class, in order of writing: those that are
    /// not negative, then those that are.
    queues: [List<CLASS_QUEUE>; 2],
    pub(crate) counters: ClassCounters,
    /// The entries with TTLs of their own, by the magnitude of these.
    own: Vec<List<CLASS_QUEUE>>,
    /// Whether an entry was ever moved because it was read.
    pub(crate) is_reordered: bool,
}

/// Which queue of its class an entry stands in: 0 for values, 1 for negative ones,
/// above that for a TTL of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueId(usize);

impl QueueId {
    pub(crate) fn new(negative: bool, ttl: Option<Span>) -> Self {
        Self(match ttl {
            Some(ttl) => 2 + ttl.magnitude() as usize,
            None => usize::from(negative),
        })
    }

    /// Whether it is of negative entries; `None` if their TTLs are their own.
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

    /// The queue, made if need be.
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
