//! Inspection: reads that count neither as hits nor for eviction, and `remove`.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use crate::{
    cache::Cache, clock::Clock, hit::Hit, invalidation::log::Selector, listener::Removed,
    store::expiry::Expiry, store::shard::Shard, store::shard::walk::Walk,
};

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Returns the live entry for `key`: fresh, negative, or within one of the windows of
    /// its class. Counts neither a hit nor a read.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// cache.insert("a".to_owned(), 1, TtlClass::DEFAULT)?;
    /// assert_eq!(cache.peek("a").map(|hit| hit.value), Some(1));
    /// assert_eq!(cache.stats().hits, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn peek<Q>(&self, key: &Q) -> Option<Hit<V>>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        let expiry = self.inner.expiry();
        let shard = self.inner.lock_for(hash);
        shard.peek(hash, key, expiry).map(Hit::from)
    }

    /// Whether [`peek`](Self::peek) would return an entry; does not clone the value.
    #[must_use]
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        let expiry = self.inner.expiry();
        let shard = self.inner.lock_for(hash);
        shard.has(hash, key, expiry)
    }

    /// [Invalidates](Self::invalidate) `key` and returns the live value that was stored.
    /// If the keys of several entries are equivalent to `key`, returns any of the values.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// cache.insert("a".to_owned(), 1, TtlClass::DEFAULT)?;
    /// assert_eq!(cache.remove("a"), Some(1));
    /// assert_eq!(cache.remove("a"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        self.inner.log.record(Selector::Key(hash));
        let expiry = self.inner.expiry();
        let mut removed_entries = Removed::new(&self.inner.listener);
        let mut shard = self.inner.lock_for(hash);
        let found = shard.peek(hash, key, expiry);
        shard.invalidate_key(hash, key, expiry, &mut removed_entries);
        found.map(|found| found.value)
    }

    /// Iterates over clones of the live entries, in no particular order. Counts neither
    /// hits nor reads.
    ///
    /// Shards are locked for a batch of entries at a time. So the iterator returns every
    /// entry that is stored throughout, and may or may not return one that is stored or
    /// removed in the meantime. If a shard shrinks behind it, it starts again with that
    /// shard and may return an entry twice.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// cache.insert(1, 10, TtlClass::DEFAULT)?;
    /// cache.insert(2, 20, TtlClass::DEFAULT)?;
    /// assert_eq!(cache.iter().map(|(_, value)| value).sum::<u32>(), 30);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (K, V)> {
        self.walk(|shard, walk, expiry| shard.next_live(walk, expiry))
    }

    /// Iterates over what `next` copies of each shard, a chunk under each lock.
    pub(crate) fn walk<T>(
        &self,
        next: impl Fn(&Shard<K, V>, &mut Walk, Expiry<'_>) -> Option<Vec<T>> + Copy,
    ) -> impl Iterator<Item = T> {
        let inner = &*self.inner;
        (0..inner.shards.len()).flat_map(move |at| {
            let mut walk = Some(Walk::default());
            std::iter::from_fn(move || {
                let expiry = inner.expiry();
                let shown = walk
                    .as_mut()
                    .and_then(|walk| next(&inner.lock(at), walk, expiry));
                if shown.is_none() && walk.take().is_some() {
                    inner.lock(at).end_walk();
                }
                shown
            })
            .flatten()
        })
    }

    /// Iterates over clones of the keys of live entries, as [`iter`](Self::iter) does.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.iter().map(|(key, _)| key)
    }
}
