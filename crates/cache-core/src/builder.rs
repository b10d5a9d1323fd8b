//! Building a cache.

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

/// The most shards there can be.
const MAX_SHARDS: usize = 1 << 16;

/// How a cache is bounded.
enum Bound<K, V> {
    Entries(u64),
    Weight(u64, Weigher<K, V>),
}

/// The options of a cache. A bound must be given; all else has a default.
///
/// ```
/// use cache_core::Cache;
///
/// // At most 64 MiB of text, as its owner counts it.
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
    /// The options of a new cache.
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

    /// Bounds the sum of the weights that `weigher` gives to entries, in its
    /// own unit (bytes, say). Replaces an earlier bound.
    ///
    /// An entry is weighed once, when it is stored; the weigher runs unlocked.
    /// A weight of 0 counts as 1, and an entry heavier than the bound or than
    /// `u32::MAX` is not stored. What the cache itself needs for an entry is
    /// not counted; the crate's README tells how much that is.
    pub fn max_weight(
        mut self,
        weight: u64,
        weigher: impl Fn(&K, &V) -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.bound = Some(Bound::Weight(weight, Box::new(weigher)));
        self
    }

    /// The TTL classes; the four standard ones by default. Keep a clone to
    /// change them while the cache is in use, or ask the cache for it.
    pub fn classes(mut self, classes: Classes) -> Self {
        self.classes = classes;
        self
    }

    /// The clock; [`SystemClock`] by default.
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

    /// How keys are hashed; `foldhash`, seeded per process, by default (and for
    /// tags in any case). Both halves of a hash must be well mixed: one chooses the
    /// shard, the other the place in it.
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

    /// What polls the futures that refresh entries while nobody waits for them
    /// ([`Fetch::fill_or_spawn`](crate::Fetch::fill_or_spawn)): a call that takes one
    /// and returns at once. Under tokio that is
    /// `.spawner(|refresh| drop(tokio::spawn(refresh)))`. A future that is dropped
    /// gives its right to the next who asks.
    pub fn spawner(mut self, spawner: impl Fn(Refresh) + Send + Sync + 'static) -> Self {
        self.spawner = Some(Box::new(spawner));
        self
    }

    /// Who is told of each entry that left, and why. It runs in the thread whose call
    /// made the entry leave, with no lock held, so it may use the cache; what it takes,
    /// that call takes. An entry that has expired is told of when it is removed. If it
    /// panics, the other entries that left in the same step are not told of; nor are
    /// those that go with the cache itself.
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

    /// The number of shards, each with its lock, rounded up to a power of two:
    /// 1 to 65,536. By default at least 64, more on many processors; where
    /// entries are counted, fewer if there are less than 512 for each, and more if
    /// there are more than 2,048.
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
    /// [`BuildError`] when no bound was given, when it is zero, or when the
    /// number of shards is out of range.
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

/// How many of so many entries a shard gets at most, as long as hashes are fair:
/// three standard deviations more than the mean.
fn share(entries: u64, shards: usize) -> usize {
    let mean = usize::try_from(entries).unwrap_or(usize::MAX) / shards;
    mean.saturating_add(mean.isqrt().saturating_mul(3))
        .saturating_add(1)
}

/// Enough shards that threads seldom meet in one. Where entries are counted, few
/// enough that each has some hundreds to choose among when one must leave, and so
/// many that none has more than some thousands to move, or a large piece of memory
/// to give back at once.
fn default_shards(capacity: u64, counts_entries: bool) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let shards = (threads * 16).next_power_of_two().clamp(64, 1_024);
    if !counts_entries {
        return shards;
    }
    // The greatest power of two that is not above.
    let floor = |number: u64| 1_u64 << number.max(1).ilog2();
    let (few, many) = (floor(capacity / 512), floor(capacity / 1_024).min(4_096));
    let shards = (shards as u64).min(few).max(many);
    usize::try_from(shards).unwrap_or(1)
}
