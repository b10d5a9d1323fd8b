//! Invalidation by key, tag, class, predicate, or of everything.
//!
//! Each invalidation is first recorded in the log, which fills in flight are checked
//! against, and then visits the shards that may hold matching entries.

use std::{
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use equivalent::Equivalent;

use crate::{
    cache::Cache,
    class::TtlClass,
    clock::Clock,
    invalidation::log::{Predicate, Selector},
    listener::Removed,
    seeded_bugs,
    store::Locked,
    store::expiry::Expiry,
    store::shard::removal::Cut,
    store::shard::walk::Walk,
    store::tags::TagId,
};

/// How many entries an invalidation removes under one lock. (Small under shuttle, whose
/// caches are small.)
const SLICE: usize = if cfg!(shuttle) { 1 } else { 128 };

/// Several selectors, to invalidate in one step; see [`Cache::invalidate_any`].
pub struct Selection<'a, K, V, Q> {
    /// Entries whose key is equivalent to one of these.
    pub keys: &'a [Q],
    /// Entries with one of these tags.
    pub tags: &'a [&'a str],
    /// Entries of one of these classes.
    pub classes: &'a [TtlClass],
    /// Entries for which one of these pure functions returns `true`.
    pub predicates: &'a [Predicate<K, V>],
    /// Every entry.
    pub all: bool,
}

/// Selects nothing.
impl<K, V, Q> Default for Selection<'_, K, V, Q> {
    fn default() -> Self {
        Self {
            keys: &[],
            tags: &[],
            classes: &[],
            predicates: &[],
            all: false,
        }
    }
}

/// Invalidation. No lock is held for more than some hundred entries at a time.
///
/// For every selector: the returned count is the exact number of live
/// entries that were removed; expired ones are removed too and count as expirations. A
/// value that was read under a [`Permit`](crate::Permit) issued before the call, and that
/// the selector reaches, is neither stored after the call nor given to callers that begin
/// to wait after it.
impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Removes every entry whose key is equivalent to `key`. Visits one shard.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<String, u32>::builder().max_entries(100).build()?;
    /// cache.insert("a".to_owned(), 1, TtlClass::DEFAULT)?;
    /// assert_eq!(cache.invalidate("a"), 1);
    /// assert_eq!(cache.invalidate("a"), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate<Q>(&self, key: &Q) -> usize
    where
        Q: Hash + Equivalent<K> + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        self.inner.log.record(Selector::Key(hash));
        let expiry = self.inner.expiry();
        let mut removed_entries = Removed::new(&self.inner.listener);
        let mut shard = self.inner.lock_for(hash);
        shard.invalidate_key(hash, key, expiry, &mut removed_entries)
    }

    /// Removes every entry with this tag. Visits each shard, and takes time only for the
    /// removed entries.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// cache.insert(1, Fill::new(10).tags(["claim:7", "user:3"]), TtlClass::DEFAULT)?;
    /// cache.insert(2, Fill::new(20).tag("user:3"), TtlClass::DEFAULT)?;
    /// assert_eq!(cache.invalidate_tag("claim:7"), 1);
    /// assert_eq!(cache.invalidate_tag("user:3"), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate_tag(&self, tag: &str) -> usize {
        let tag = TagId::of(tag);
        self.inner.log.record(Selector::Tag(tag));
        self.in_each_shard(|shard, cut, expiry, removed_entries| {
            shard.invalidate_tag(tag, cut, expiry, removed_entries);
        })
    }

    /// Removes every entry that was stored under this class. Visits each shard, and takes
    /// time only for the removed entries.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// cache.insert(1, 10, TtlClass::DEFAULT)?;
    /// cache.insert(2, 20, cache.classes().define("articles")?)?;
    /// assert_eq!(cache.invalidate_class(TtlClass::DEFAULT), 1);
    /// assert_eq!(cache.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate_class(&self, class: TtlClass) -> usize {
        self.inner.log.record(Selector::Class(class));
        self.in_each_shard(|shard, cut, expiry, removed_entries| {
            shard.invalidate_class(class.index(), cut, expiry, removed_entries);
        })
    }

    /// Removes every entry.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// cache.insert(1, 10, TtlClass::DEFAULT)?;
    /// assert_eq!(cache.invalidate_all(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate_all(&self) -> usize {
        self.inner.log.record(Selector::All);
        self.in_each_shard(|shard, cut, expiry, removed_entries| {
            shard.invalidate_all(cut, expiry, removed_entries);
        })
    }

    /// Removes every entry for which `predicate` returns `true`. Scans all entries, but
    /// holds no lock while the predicate runs: it copies entries out in batches, and
    /// removes those that match if they have not been replaced.
    ///
    /// The predicate must be a pure function: it may be called twice for an entry, and it
    /// is kept and called for the values of fills that are in flight now.
    ///
    /// ```
    /// use cache_core::{Cache, TtlClass};
    ///
    /// let cache = Cache::<u32, &str>::builder().max_entries(100).build()?;
    /// cache.insert(1, "keep", TtlClass::DEFAULT)?;
    /// cache.insert(2, "drop", TtlClass::DEFAULT)?;
    /// assert_eq!(cache.invalidate_if(|_key, value| *value == "drop"), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate_if<P>(&self, predicate: P) -> usize
    where
        P: Fn(&K, &V) -> bool + Send + Sync + 'static,
    {
        let predicate: Predicate<K, V> = Arc::new(predicate);
        self.inner.log.record(Selector::If(Arc::clone(&predicate)));
        let expiry = self.inner.expiry();
        (0..self.inner.shards.len())
            .map(|shard| self.invalidate_if_in(shard, &predicate, expiry))
            .sum()
    }

    /// Removes every entry that any selector of the selection reaches, and counts each
    /// once. It is one invalidation: a fill in flight is checked against all selectors
    /// together, so none is stored between two of them.
    ///
    /// Costs as much as the selectors one by one.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, Selection, TtlClass};
    ///
    /// let cache = Cache::<u32, u32>::builder().max_entries(100).build()?;
    /// cache.insert(1, Fill::new(10).tags(["claim:7", "user:3"]), TtlClass::DEFAULT)?;
    /// cache.insert(2, Fill::new(20).tag("claim:8"), TtlClass::DEFAULT)?;
    /// let selection = Selection {
    ///     keys: &[1],
    ///     tags: &["user:3", "claim:8"],
    ///     ..Selection::default()
    /// };
    /// assert_eq!(cache.invalidate_any(&selection), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate_any<Q>(&self, selection: &Selection<'_, K, V, Q>) -> usize
    where
        Q: Hash + Equivalent<K>,
    {
        let Selection {
            keys,
            tags,
            classes,
            predicates,
            all,
        } = selection;
        let hash = |key: &Q| self.hasher.hash_one(key);
        let tags: Vec<_> = tags.iter().map(|tag| TagId::of(tag)).collect();
        let mut selectors = Vec::new();
        selectors.extend(keys.iter().map(|key| Selector::Key(hash(key))));
        selectors.extend(tags.iter().map(|tag| Selector::Tag(*tag)));
        selectors.extend(classes.iter().map(|class| Selector::Class(*class)));
        selectors.extend(predicates.iter().cloned().map(Selector::If));
        selectors.extend(all.then_some(Selector::All));
        if selectors.is_empty() {
            return 0;
        }
        self.inner.log.record(Selector::Any(selectors.into()));
        let mut removed = 0;
        let expiry = self.inner.expiry();
        for key in *keys {
            let hash = hash(key);
            let mut removed_entries = Removed::new(&self.inner.listener);
            let mut shard = self.inner.lock_for(hash);
            removed += shard.invalidate_key(hash, key, expiry, &mut removed_entries);
        }
        if *all || !tags.is_empty() || !classes.is_empty() {
            removed += self.in_each_shard(|shard, cut, expiry, removed_entries| {
                if *all {
                    return shard.invalidate_all(cut, expiry, removed_entries);
                }
                for tag in &tags {
                    shard.invalidate_tag(*tag, cut, expiry, removed_entries);
                }
                for class in *classes {
                    shard.invalidate_class(class.index(), cut, expiry, removed_entries);
                }
            });
        }
        for predicate in *predicates {
            removed += (0..self.inner.shards.len())
                .map(|shard| self.invalidate_if_in(shard, predicate, expiry))
                .sum::<usize>();
        }
        removed
    }

    fn invalidate_if_in(
        &self,
        shard: usize,
        predicate: &Predicate<K, V>,
        expiry: Expiry<'_>,
    ) -> usize {
        let mut removed = 0;
        let mut walk = Walk::default();
        loop {
            let candidates = self.inner.lock(shard).next_candidates(&mut walk);
            let Some(mut candidates) = candidates else {
                self.inner.lock(shard).end_walk();
                return removed;
            };
            candidates.retain(|entry| predicate(&entry.key, &entry.value));
            let mut removed_entries = Removed::new(&self.inner.listener);
            let mut shard = self.inner.lock(shard);
            removed +=
                shard.invalidate_candidates(&candidates, &mut walk, expiry, &mut removed_entries);
        }
    }

    /// Lets `visit` remove entries of each shard, a slice under each lock.
    ///
    /// Entries that are stored between two slices may match too, and a read may move an
    /// entry behind them. So after as many removals as the shard had entries, the rest is
    /// removed under one lock: little, as it came between slices.
    fn in_each_shard(
        &self,
        visit: impl Fn(&mut Locked<'_, K, V>, &mut Cut, Expiry<'_>, &mut Removed<'_, K, V>),
    ) -> usize {
        let expiry = self.inner.expiry();
        let mut live = 0;
        for at in 0..self.inner.shards.len() {
            let mut rest = None;
            loop {
                let mut removed_entries = Removed::new(&self.inner.listener);
                let mut shard = self.inner.lock(at);
                let rest = rest.get_or_insert(shard.entries());
                let is_last = *rest <= SLICE && !seeded_bugs::count_the_slices();
                let mut cut = Cut::of(if is_last { usize::MAX } else { SLICE });
                visit(&mut shard, &mut cut, expiry, &mut removed_entries);
                live += cut.live;
                *rest = rest.saturating_sub(SLICE);
                if !cut.is_short || (*rest == 0 && seeded_bugs::count_the_slices()) {
                    shard.end_walk();
                    break;
                }
            }
        }
        live
    }
}
