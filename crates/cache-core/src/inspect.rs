//! Looking at entries without asking for them: nothing is counted, and who leaves
//! when the cache is full is decided as if nobody had looked.

use std::hash::{BuildHasher, Hash};

use equivalent::Equivalent;

use crate::{
    cache::Cache, clock::Clock, hit::Hit, invalidation::log::Selector, listener::Removed,
    store::shard::removal::Walk,
};

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// The live entry for `key`, judged by its own class: fresh, within one of the
    /// windows of the class, or negative. Counts nothing.
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

    /// Whether there is a live entry for `key`, as [`peek`](Self::peek) means it;
    /// without a clone of the value.
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

    /// [Invalidates](Self::invalidate) `key`, and returns the live value that was
    /// there; of several equivalent entries, any.
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

    /// Copies of the live entries, in no order. Counts nothing.
    ///
    /// Shards are locked for some entries at a time, so it sees what was there
    /// throughout, and may or may not see what came or went meanwhile. Where entries
    /// change places behind it, it begins again with their shard and may show one
    /// twice.
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
        let inner = &*self.inner;
        (0..inner.shards.len()).flat_map(move |at| {
            let mut walk = Some(Walk::default());
            std::iter::from_fn(move || {
                let expiry = inner.expiry();
                let shown = walk
                    .as_mut()
                    .and_then(|walk| inner.lock(at).next_live(walk, expiry));
                if shown.is_none() && walk.take().is_some() {
                    inner.lock(at).end_walk();
                }
                shown
            })
            .flatten()
        })
    }

    /// Copies of the keys of live entries, as [`iter`](Self::iter) shows them.
    pub fn keys(&self) -> impl Iterator<Item = K> {
        self.iter().map(|(key, _)| key)
    }
}
