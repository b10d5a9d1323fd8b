//! Maintenance, statistics and validation.

use std::hash::{BuildHasher, Hash};

use crate::{
    cache::Cache,
    class::Classes,
    clock::Clock,
    listener::Removed,
    stats::{ClassStats, Stats},
    store::class_queues::ClassCounters,
    sync::Ordering,
};

/// The result of [`Cache::maintain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maintained {
    /// The number of expired entries that were removed.
    pub removed: usize,
    /// Whether expired entries are left, so that another call is due.
    pub more: bool,
}

/// The number of entries that maintenance removes under one lock. Readers wait for that
/// many removals, not for the whole budget.
const BATCH: usize = 64;

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Removes up to `budget` expired entries, starting where the last call stopped, and
    /// frees memory. Insertions remove expired entries of their own shard as well; call
    /// this regularly to free memory without traffic.
    ///
    /// Takes about a microsecond for each removed entry if nothing is in the processor's
    /// caches, so a budget of 500 stays well below a millisecond; and checks the oldest
    /// entry of each class in each shard. Scans nothing. Holds a lock for at most 64
    /// removals.
    ///
    /// ```
    /// use cache_core::{Cache, ManualClock, TtlClass};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::<u32, u32>::builder()
    ///     .max_entries(100)
    ///     .clock(clock.clone())
    ///     .build()?;
    /// for key in 0..3 {
    ///     cache.insert(key, key, TtlClass::DEFAULT)?;
    /// }
    /// clock.advance(Duration::from_secs(301));
    /// let turn = cache.maintain(2);
    /// assert_eq!((turn.removed, turn.more), (2, true));
    /// let turn = cache.maintain(2);
    /// assert_eq!((turn.removed, turn.more), (1, false));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn maintain(&self, budget: usize) -> Maintained {
        let inner = &*self.inner;
        let expiry = inner.expiry();
        let shards = inner.shards.len();
        let first = inner.maintenance_turn.load(Ordering::Relaxed);
        let mut removed = 0;
        for offset in 0..shards {
            let turn = first.wrapping_add(offset);
            let mut more = true;
            while more {
                let mut removed_entries = Removed::new(&inner.listener);
                let mut shard = inner.lock(turn & (shards - 1));
                let limit = BATCH.min(budget - removed);
                removed += shard.expire_up_to(limit, expiry, &mut removed_entries);
                more = shard.has_expired(expiry);
                if more && removed == budget {
                    // The next call continues here.
                    inner.maintenance_turn.store(turn, Ordering::Relaxed);
                    return Maintained { removed, more };
                }
            }
        }
        Maintained {
            removed,
            more: false,
        }
    }
}

impl<K: Eq, V, C: Clock, S> Cache<K, V, C, S> {
    /// The number of live entries. Locks each shard in turn, and walks the expired entries
    /// that are not removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        let expiry = self.inner.expiry();
        let live = |shard| {
            let shard = self.inner.lock(shard);
            let classes = 0..shard.classes();
            classes
                .map(|class| shard.live_in(class, expiry))
                .sum::<usize>()
        };
        (0..self.inner.shards.len()).map(live).sum()
    }

    /// Whether there is no live entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A snapshot of the counters. Costs as much as [`len`](Self::len).
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// cache.get(&1, TtlClass::DEFAULT);
    /// cache.insert(1, 10, TtlClass::DEFAULT)?;
    /// cache.get(&1, TtlClass::DEFAULT);
    /// let stats = cache.stats();
    /// assert_eq!((stats.hits, stats.misses, stats.entries), (1, 1, 1));
    /// assert_eq!(stats.hit_rate(), 50.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        let expiry = self.inner.expiry();
        let defined: Vec<_> = self.inner.classes.iter().collect();
        let mut counters = vec![ClassCounters::default(); defined.len()];
        let mut live = vec![0; defined.len()];
        let mut stats = Stats {
            capacity: self.capacity(),
            ..Stats::default()
        };
        for shard in 0..self.inner.shards.len() {
            let shard = self.inner.lock(shard);
            // A handle of another set may have used classes that are not defined here.
            let classes = shard.classes();
            if counters.len() < classes {
                counters.resize(classes, ClassCounters::default());
                live.resize(classes, 0);
            }
            for class in 0..classes {
                counters[class].add(&shard.counters(class));
                live[class] += shard.live_in(class, expiry);
            }
            stats.weight += shard.weight();
            stats.coalesced += shard.fills.coalesced;
            stats.refused_fills += shard.fills.refused;
            stats.rejected += shard.fills.rejected;
            stats.failed_fills += shard.fills.failed;
        }
        for (index, (counters, entries)) in counters.into_iter().zip(live).enumerate() {
            let class = Classes::at(index);
            stats.hits += counters.hits;
            stats.misses += counters.misses;
            stats.stale += counters.stale;
            stats.negative += counters.negative;
            stats.early_refreshes += counters.early_refreshes;
            stats.invalidations += counters.invalidations;
            stats.evictions += counters.evictions;
            stats.expirations += counters.expirations;
            stats.entries += entries;
            stats.classes.push(ClassStats {
                name: self.inner.classes.name(class),
                ttl: self.inner.classes.freshness(class).ttl,
                entries,
                hits: counters.hits,
                misses: counters.misses,
                stale: counters.stale,
                negative: counters.negative,
                early_refreshes: counters.early_refreshes,
                evictions: counters.evictions,
                expirations: counters.expirations,
                invalidations: counters.invalidations,
            });
        }
        stats
    }

    /// Checks that the internal structures are consistent, for tests and bug reports.
    /// Linear in the number of entries. During concurrent use, the check of the total
    /// weight may fail temporarily.
    ///
    /// # Errors
    /// A description of the first inconsistency.
    pub fn validate(&self) -> Result<(), String> {
        let mut weight = 0;
        for shard in 0..self.inner.shards.len() {
            let locked = self.inner.lock(shard);
            locked
                .validate()
                .map_err(|error| format!("shard {shard}: {error}"))?;
            weight += locked.weight();
        }
        if weight != self.weight() {
            return Err(format!("weight {weight}, but {} in total", self.weight()));
        }
        Ok(())
    }
}
