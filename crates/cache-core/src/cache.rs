//! The public face of the store.

use std::{
    fmt,
    hash::{BuildHasher, Hash},
    sync::Arc,
    time::Duration,
};

use equivalent::Equivalent;
use hashbrown::DefaultHashBuilder;

use crate::{
    builder::Builder,
    class::{Classes, TtlClass},
    clock::{Clock, SystemClock, nanos},
    flight::Boarding,
    inner::{Aftermath, Entering, Inner},
    lookup::{Hit, Inserted, Lookup, Reuse},
    permit::Permit,
    shard::{Found, Reader},
    tags::TagSet,
    waiter::Waiter,
};

/// A sharded, bounded TTL store. Clones share one store.
///
/// `V` is cloned by every hit, under the lock of its shard: put an [`Arc`]
/// around whatever is not cheap to clone. `Eq` and `Clone` of `K` run under
/// that lock as well, and must not use the cache. No other code of the user
/// does: weigher, predicates, wakers, and drops of keys and values run
/// unlocked.
pub struct Cache<K, V, C = SystemClock, S = DefaultHashBuilder> {
    pub(crate) inner: Arc<Inner<K, V, C, S>>,
}

impl<K, V, C, S> Clone for Cache<K, V, C, S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<K, V> Cache<K, V> {
    /// The options of a new cache.
    pub fn builder() -> Builder<K, V> {
        Builder::default()
    }
}

impl<K, V, C, S> Cache<K, V, C, S> {
    pub(crate) const fn from_inner(inner: Arc<Inner<K, V, C, S>>) -> Self {
        Self { inner }
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
        self.inner.capacity
    }

    /// The weight held at present: the number of entries, or the sum of what
    /// the weigher counted. Includes what has expired but was not removed yet.
    /// One atomic load.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.inner.total.0.load(crate::sync::Ordering::Relaxed)
    }
}

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// The live value for `key`, counted as a hit or a miss for `class`.
    ///
    /// The entry must be live under the class it was stored under and, where
    /// that is another, under `class`, too. `key` is a `K` or anything
    /// [`Equivalent`] to one; of several equivalent entries, any is found.
    ///
    /// Costs one hash, one reading of the clock, one lock of a shard, and the
    /// clone of the value; writes nothing that other shards read.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// cache.insert("a".to_owned(), 1, TtlClass::LIVE_DATA, &[]);
    /// assert_eq!(cache.get("a", TtlClass::LIVE_DATA), Some(1));
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn get<Q>(&self, key: &Q, class: TtlClass) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.inner.hasher.hash_one(key);
        let reader = Reader {
            judge: self.inner.judge(),
            class,
            max_age: u64::MAX,
        };
        // Declared before the guard, so that it is dropped after it.
        let mut garbage = Vec::new();
        let mut shard = self.inner.lock_for(hash);
        let found = shard.read(hash, key, &reader, &mut garbage)?;
        Some(found.value)
    }

    /// The live entry for `key`, or the right to fill it, or a way to wait for
    /// the one who has that right. Counted as a hit or a miss for `class`; a
    /// miss that waits stays a miss.
    ///
    /// A hit costs what [`get`](Self::get) does; a miss allocates a little.
    ///
    /// ```
    /// use cache_core::{Cache, Lookup, Reuse, TtlClass};
    ///
    /// let cache = Cache::<&str, u32>::builder().max_entries(100).build()?;
    /// let class = TtlClass::KNOWLEDGE_BASE;
    /// let value = match cache.lookup("answer", class, Reuse::Any) {
    ///     Lookup::Hit(hit) => hit.value,
    ///     Lookup::Miss(permit) => {
    ///         let value = 42; // costly
    ///         permit.fill(value, &[]);
    ///         value
    ///     }
    ///     Lookup::InFlight(_) => unreachable!("nobody else fills"),
    /// };
    /// assert_eq!(value, 42);
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn lookup(&self, key: K, class: TtlClass, reuse: Reuse) -> Lookup<K, V, C, S> {
        let inner = &self.inner;
        let hash = inner.hasher.hash_one(&key);
        let reader = Reader {
            judge: inner.judge(),
            class,
            max_age: match reuse {
                Reuse::Any | Reuse::Nothing => u64::MAX,
                Reuse::MaxAge(age) => nanos(age),
            },
        };
        let solo = reuse == Reuse::Nothing;
        let mut garbage = Vec::new();
        let mut shard = inner.lock_for(hash);
        if solo {
            shard.miss(class);
        } else if let Some(found) = shard.read(hash, &key, &reader, &mut garbage) {
            let Found { value, age, ttl } = found;
            return Lookup::Hit(Hit {
                value,
                age: Duration::from_nanos(age),
                ttl: Duration::from_nanos(ttl),
            });
        }
        // Under the lock, so that those who wait stand in the order of epochs.
        let epoch = inner.log.epoch();
        match shard.flights.board(hash, &key, epoch, solo) {
            Boarding::Started { id } => {
                let epoch = inner.log.open();
                drop(shard);
                let inner = Arc::clone(inner);
                Lookup::Miss(Permit::new(inner, key, class, hash, id, epoch))
            }
            Boarding::Joined { id, waiter, cell } => {
                drop(shard);
                let (inner, place) = (Arc::clone(inner), (id, waiter));
                Lookup::InFlight(Waiter::new(inner, key, class, hash, place, cell))
            }
        }
    }

    /// Stores a value under `key`, with the tags of the records that it depends
    /// on. Those who wait for a fill of the key get it, and that fill will be
    /// refused: the inserted value is taken to be newer.
    ///
    /// The value should have been made by whoever inserts it. One that was
    /// *read* somewhere may be outdated by the time it is stored: use a
    /// [`Permit`], which notices.
    ///
    /// Over the bound, other entries are evicted: first from the shard of the
    /// key, then from others in turn.
    ///
    /// ```
    /// use cache_core::{Cache, Inserted, TtlClass};
    ///
    /// let cache = Cache::<u32, &str>::builder().max_entries(100).build()?;
    /// let class = TtlClass::LIVE_DATA;
    /// assert_eq!(cache.insert(1, "old", class, &[]), Inserted::New);
    /// assert_eq!(cache.insert(1, "new", class, &[]), Inserted::Replaced("old"));
    /// # Ok::<(), cache_core::BuildError>(())
    /// ```
    pub fn insert(&self, key: K, value: V, class: TtlClass, tags: &[&str]) -> Inserted<V> {
        let inner = &*self.inner;
        let hash = inner.hasher.hash_one(&key);
        let tags = TagSet::new(tags, &inner.hasher);
        let entering = Entering {
            hash,
            weight: inner.weigh(&key, &value, &tags),
            key,
            value,
            class,
            tags: &tags,
            flight: None,
        };
        let judge = inner.judge();
        let mut after = Aftermath::new();
        let mut shard = inner.lock_for(hash);
        let entered = inner.enter(&mut shard, entering, judge, &mut after);
        drop(shard);
        after.run(&inner.log);
        inner.trim(inner.shard_of(hash), judge);
        match (entered.outcome, entered.replaced) {
            (Ok(()), None) => Inserted::New,
            (Ok(()), Some((_, old))) => Inserted::Replaced(old),
            (Err((reason, (_, value))), _) => Inserted::Rejected { value, reason },
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
