//! `get` and `read`: fresh values, cloned or borrowed.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use super::Cache;
use crate::{
    class::TtlClass,
    clock::Clock,
    hit::{Meta, Seen},
    listener::Removed,
    store::reader::{Accepts, FastRead, Reader},
    store::shard::Shard,
    sync::ShardGuard,
};

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Returns the fresh value for `key`; counts as a hit or a miss of `class`. Stale and
    /// negative entries are misses here: [`lookup`](Self::lookup) returns them.
    ///
    /// The entry must be fresh under the class it was stored under and, if that is
    /// another class, under `class` too. `key` is a `K` or anything [`Equivalent`] to
    /// one; if several entries are equivalent to it, any of them is returned.
    ///
    /// Costs one hash, one clock reading, one shard lock and the clone of the value;
    /// writes nothing that other shards read.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// cache.insert("a".to_owned(), 1, TtlClass::DEFAULT)?;
    /// assert_eq!(cache.get("a", TtlClass::DEFAULT), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn get<Q>(&self, key: &Q, class: TtlClass) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        self.lend(key, class, &mut |value, _| value.clone())
    }

    /// Passes the fresh value for `key` to `read` and returns its result;
    /// [`get`](Self::get) without the clone.
    ///
    /// `read` runs at most once, under the lock of the key's shard: it must be short, and
    /// it deadlocks if it uses the cache.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<String, String>::builder().max_entries(100).build()?;
    /// cache.insert("a".to_owned(), "a long text".to_owned(), TtlClass::DEFAULT)?;
    /// let found = cache.read("a", TtlClass::DEFAULT, |text, meta| {
    ///     (text.len(), meta.age() < meta.ttl())
    /// });
    /// assert_eq!(found, Some((11, true)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn read<Q, R>(
        &self,
        key: &Q,
        class: TtlClass,
        read: impl FnOnce(&V, Meta<'_>) -> R,
    ) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let mut read = Some(read);
        let mut lend = |value: &V, seen: Seen<'_>| {
            let read = read.take()?;
            Some(read(value, Meta::from(seen)))
        };
        self.lend(key, class, &mut lend).flatten()
    }

    #[inline(always)]
    fn lend<Q, R>(
        &self,
        key: &Q,
        class: TtlClass,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
    ) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        let reader = self.inner.reader(class, Accepts::Values);
        let mut shard = self.inner.guard_for(hash);
        match shard.read_fast(hash, key, u64::MAX, &reader, lend) {
            FastRead::Fresh(lent, _) => Some(lent),
            FastRead::Absent => None,
            FastRead::Undecided => self.lend_slowly(shard, hash, key, reader, lend),
        }
    }

    #[cold]
    fn lend_slowly<'a, Q, R>(
        &'a self,
        shard: ShardGuard<'a, Shard<K, V>>,
        hash: u64,
        key: &Q,
        reader: Reader<'a>,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
    ) -> Option<R>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        // Declared before the guard, so that it drops after the lock is released.
        let mut removed_entries = Removed::new(&self.inner.listener);
        let (found, _shard) = self
            .inner
            .read(shard, hash, key, reader, lend, &mut removed_entries);
        found.map(|found| found.value)
    }
}
