//! The cache handle: bounds, classes, insertion.

mod lookup;
mod read;

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use hashbrown::DefaultHashBuilder;

use crate::{
    class::{Classes, TtlClass},
    clock::{Clock, SystemClock},
    deferred::Deferred,
    error::{BuildError, Rejected},
    fill::Fill,
    policy::FillCost,
    store::shard::insertion::NewEntry,
    store::{Insertion, Store},
    sync::Ordering,
};

/// A sharded, bounded TTL store. Clones share one store.
///
/// Every hit except [`read`](Cache::read) clones the value under the lock of its shard:
/// wrap values that are expensive to clone in an [`Arc`]. `Eq`, `Clone` and `ToOwned` of
/// keys and the closure of `read` run under that lock as well, and must not use the
/// cache. All other user code runs without a lock: weigher, predicates, listener,
/// wakers, and drops of keys and values.
pub struct Cache<K, V, C = SystemClock, S = DefaultHashBuilder> {
    pub(crate) inner: Arc<Store<K, V, C>>,
    pub(crate) hasher: S,
}

impl<K, V, C, S: Clone> Clone for Cache<K, V, C, S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            hasher: self.hasher.clone(),
        }
    }
}

impl<K, V, C, S> Cache<K, V, C, S> {
    pub(crate) const fn new(inner: Arc<Store<K, V, C>>, hasher: S) -> Self {
        Self { inner, hasher }
    }

    /// The TTL classes of this cache, to define and change.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        &self.inner.classes
    }

    /// The clock of this cache.
    #[must_use]
    pub fn clock(&self) -> &C {
        &self.inner.clock
    }

    /// The bound, in entries or in the unit of the weigher.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.inner.capacity()
    }

    /// The weight of all stored entries: their number, or the sum of what the weigher
    /// returned. Includes expired entries that are not removed yet. One atomic load.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.inner.total.0.load(Ordering::Relaxed)
    }
}

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Changes the bound, in entries or in the unit of the weigher. If the cache holds
    /// more than the new bound allows, entries are evicted until it does not.
    ///
    /// The number of shards does not change.
    ///
    /// # Errors
    /// [`BuildError::ZeroCapacity`] if `capacity` is zero; the bound stays as it is.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// for key in 0..100 {
    ///     cache.insert(key, key, TtlClass::DEFAULT)?;
    /// }
    /// cache.set_capacity(10)?;
    /// assert_eq!((cache.capacity(), cache.len()), (10, 10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_capacity(&self, capacity: u64) -> Result<(), BuildError> {
        if capacity == 0 {
            return Err(BuildError::ZeroCapacity);
        }
        self.inner.capacity.store(capacity, Ordering::Relaxed);
        // No shard is exempt from eviction.
        self.inner.trim(usize::MAX, self.inner.expiry());
        Ok(())
    }

    /// Stores a value under `key`: a plain one, or a [`Fill`] with the tags of the
    /// records that it depends on. Returns the live value that it replaced.
    ///
    /// The inserted value counts as newer than any fill of the key that is in flight:
    /// waiters get it, and the fill is refused.
    ///
    /// Insert only values that the caller itself produces. A value that is *read* from a
    /// source may be outdated when it is stored: use
    /// [`get_or_try_fill`](Self::get_or_try_fill) or a [`Permit`](crate::Permit), which
    /// detect that.
    ///
    /// If the cache exceeds its bound, other entries are evicted: first from the shard of
    /// the key, then from the other shards in turn.
    ///
    /// # Errors
    /// [`Rejected`] with the value if it was not stored.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, TtlClass};
    ///
    /// let cache = Cache::<u32, &str>::builder().max_entries(100).build()?;
    /// let class = TtlClass::DEFAULT;
    /// assert_eq!(cache.insert(1, "old", class)?, None);
    /// assert_eq!(cache.insert(1, Fill::new("new").tag("claim:12"), class)?, Some("old"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert(
        &self,
        key: K,
        value: impl Into<Fill<V>>,
        class: TtlClass,
    ) -> Result<Option<V>, Rejected<V>> {
        let inner = &*self.inner;
        let hash = self.hasher.hash_one(&key);
        let Fill { value, mut terms } = value.into();
        terms.tags.sort();
        let weight = inner.weigh(&key, &value, class, &terms);
        let new = NewEntry {
            hash,
            key,
            value,
            class,
            terms: &terms,
            // The time that the caller took to produce the value is not known.
            cost: FillCost::NONE,
            past: None,
        };
        let insertion = Insertion {
            new,
            weight,
            fill_id: None,
        };
        let expiry = inner.coarse_expiry();
        let mut after = Deferred::new(&inner.listener);
        let mut shard = inner.lock_for(hash);
        let outcome = inner.insert(&mut shard, insertion, expiry, &mut after);
        drop(shard);
        after.run(&inner.log);
        inner.trim(inner.shard_of(hash), expiry);
        let replaced = after.take_replaced();
        match outcome {
            Ok(()) => Ok(replaced.map(|(_, old)| old)),
            Err((reason, (_, value))) => Err(Rejected { value, reason }),
        }
    }
}

impl<K, V, C, S> fmt::Debug for Cache<K, V, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("weight", &self.weight())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
