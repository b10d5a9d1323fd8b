//! The builder of a cache.

use std::{hash::BuildHasher, hash::Hash, sync::Arc};

use hashbrown::DefaultHashBuilder;

use crate::{
    cache::Cache,
    class::Classes,
    clock::{Clock, SystemClock},
    error::BuildError,
    invalidation::log::InvalidationLog,
    listener::{Cause, Listener},
    spawner::{Refresh, Spawner},
    store::shard::Shard,
    store::{CachePadded, PaddedShard, Store, Weigher},
    sync::{AtomicU64, AtomicUsize},
};

/// The largest number of shards.
const MAX_SHARDS: usize = 1 << 16;

/// How a cache is bounded.
enum Bound<K, V> {
    Entries(u64),
    Weight(u64, Weigher<K, V>),
}

/// Configures a cache. A bound must be set; everything else has a default.
///
/// ```
/// use cache_core::Cache;
///
/// // At most 64 MiB of text, as the weigher counts it.
/// let cache = Cache::<u64, String>::builder()
///     .max_weight(64 << 20, |_key, text| 64 + text.len() as u64)
///     .build()?;
/// assert_eq!(cache.capacity(), 64 << 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Builder<K, V, C = SystemClock, S = DefaultHashBuilder> {
    bound: Option<Bound<K, V>>,
    classes: Classes,
    clock: C,
    hasher: S,
    shards: Option<usize>,
    spawner: Option<Spawner>,
    listener: Option<Listener<K, V>>,
}

impl<K, V> Cache<K, V> {
    /// A builder with the system's clock and no bound.
    pub fn builder() -> Builder<K, V> {
        Builder::default()
    }
}

impl<K, V> Default for Builder<K, V> {
    fn default() -> Self {
        Self {
            bound: None,
            classes: Classes::default(),
            clock: SystemClock::new(),
            hasher: DefaultHashBuilder::default(),
            shards: None,
            spawner: None,
            listener: None,
        }
    }
}

impl<K, V, C, S> Builder<K, V, C, S> {
    /// Bounds the number of entries. Replaces an earlier bound.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.bound = Some(Bound::Entries(entries as u64));
        self
    }

    /// Bounds the sum of the weights that `weigher` returns for the entries, in any unit
    /// (bytes, say). Replaces an earlier bound.
    ///
    /// An entry is weighed once, when it is stored, while no lock is held. A weight of 0
    /// counts as 1; an entry heavier than the bound or than `u32::MAX` is not stored. The
    /// memory that the cache itself needs for an entry is not counted; the README of the
    /// crate states how much that is.
    pub fn max_weight(
        mut self,
        weight: u64,
        weigher: impl Fn(&K, &V) -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.bound = Some(Bound::Weight(weight, Box::new(weigher)));
        self
    }

    /// Sets the TTL classes; by default [`Classes::default`]. To change them while the
    /// cache is in use, keep a clone, or use [`Cache::classes`].
    pub fn classes(mut self, classes: Classes) -> Self {
        self.classes = classes;
        self
    }

    /// Sets the clock; by default [`SystemClock`].
    pub fn clock<D: Clock>(self, clock: D) -> Builder<K, V, D, S> {
        Builder {
            bound: self.bound,
            classes: self.classes,
            clock,
            hasher: self.hasher,
            shards: self.shards,
            spawner: self.spawner,
            listener: self.listener,
        }
    }

    /// Sets the hasher of keys; by default `foldhash`, seeded per process, which is always
    /// used for tags. Both halves of a hash must be well mixed: one selects the shard, the
    /// other the position in it.
    pub fn hasher<T: BuildHasher>(self, hasher: T) -> Builder<K, V, C, T> {
        Builder {
            bound: self.bound,
            classes: self.classes,
            clock: self.clock,
            hasher,
            shards: self.shards,
            spawner: self.spawner,
            listener: self.listener,
        }
    }

    /// Sets the function that spawns background refreshes for
    /// [`Fetch::fill_or_spawn`](crate::Fetch::fill_or_spawn); it must not block. Under
    /// tokio: `.spawner(|refresh| drop(tokio::spawn(refresh)))`. Dropping the future
    /// releases its permit.
    pub fn spawner(mut self, spawner: impl Fn(Refresh) + Send + Sync + 'static) -> Self {
        self.spawner = Some(Box::new(spawner));
        self
    }

    /// Sets a listener, which is called once for each entry that is removed, with the
    /// cause.
    ///
    /// It runs in the thread whose call removed the entry, before that call returns, with
    /// no lock held, so it may use the cache. For an expired entry it runs when the entry
    /// is removed. If it panics, it is not called for the other entries that the same step
    /// removed. It is not called for the entries that are dropped with the cache.
    ///
    /// ```
    /// use cache_core::{Cache, Cause, TtlClass};
    /// use std::sync::{Arc, Mutex};
    ///
    /// let left = Arc::new(Mutex::new(Vec::new()));
    /// let log = Arc::clone(&left);
    /// let cache = Cache::<u32, &str>::builder()
    ///     .max_entries(100)
    ///     .listener(move |key, _value, cause| log.lock().unwrap().push((*key, cause)))
    ///     .build()?;
    /// cache.insert(1, "old", TtlClass::DEFAULT)?;
    /// cache.insert(1, "new", TtlClass::DEFAULT)?;
    /// cache.invalidate(&1);
    /// assert_eq!(*left.lock().unwrap(), [(1, Cause::Replaced), (1, Cause::Invalidated)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn listener(mut self, listener: impl Fn(&K, &V, Cause) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Sets the number of shards, each with its own lock: 1 to 65,536, rounded up to a
    /// power of two. By default at least 64, and more on many processors. With
    /// `max_entries`, fewer if there would be less than 512 entries in each, and more if
    /// there would be more than 2,048.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }
}

impl<K, V, C, S> Builder<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Builds the cache. Allocates the shards, a few hundred bytes each.
    ///
    /// # Errors
    /// [`BuildError`] if no bound was set, if it is zero, or if the number of shards is
    /// out of range.
    pub fn build(self) -> Result<Cache<K, V, C, S>, BuildError> {
        let (capacity, weigher) = match self.bound {
            None => return Err(BuildError::Unbounded),
            Some(Bound::Entries(entries)) => (entries, None),
            Some(Bound::Weight(weight, weigher)) => (weight, Some(weigher)),
        };
        if capacity == 0 {
            return Err(BuildError::ZeroCapacity);
        }
        let shards = match self.shards {
            Some(shards) if !(1..=MAX_SHARDS).contains(&shards) => {
                return Err(BuildError::Shards { shards });
            }
            Some(shards) => shards.next_power_of_two(),
            None => default_shards(capacity, weigher.is_none()),
        };
        let expected = if weigher.is_none() {
            share(capacity, shards)
        } else {
            0
        };
        let shards = (0..shards).map(|shard| {
            let seed = self.hasher.hash_one(shard);
            PaddedShard::new(Shard::new(expected, seed))
        });
        let shards = shards.collect();
        let inner = Store {
            clock: self.clock,
            classes: self.classes,
            weigher,
            spawner: self.spawner,
            listener: self.listener,
            capacity: AtomicU64::new(capacity),
            shards,
            log: InvalidationLog::new(),
            total: CachePadded(AtomicU64::new(0)),
            eviction_turn: AtomicUsize::new(0),
            maintenance_turn: AtomicUsize::new(0),
        };
        Ok(Cache::new(Arc::new(inner), self.hasher))
    }
}

/// The number of entries to expect in the fullest of `shards` shards: the mean and three
/// standard deviations.
fn share(entries: u64, shards: usize) -> usize {
    let mean = usize::try_from(entries).unwrap_or(usize::MAX) / shards;
    mean.saturating_add(mean.isqrt().saturating_mul(3))
        .saturating_add(1)
}

/// The default number of shards: enough that threads seldom contend for one. With a
/// bound in entries, few enough that each shard has some hundreds of entries to choose a
/// victim from, and enough that none has more than some thousands to move, or a large
/// allocation to free, in one step.
fn default_shards(capacity: u64, counts_entries: bool) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let shards = (threads * 16).next_power_of_two().clamp(64, 1_024);
    if !counts_entries {
        return shards;
    }
    // The largest power of two that is not above `number`.
    let floor = |number: u64| 1_u64 << number.max(1).ilog2();
    let (few, many) = (floor(capacity / 512), floor(capacity / 1_024).min(4_096));
    let shards = (shards as u64).min(few).max(many);
    usize::try_from(shards).unwrap_or(1)
}
