//! Export of live entries, and their import into another cache, with their ages.

use std::{
    hash::{BuildHasher, Hash},
    time::Duration,
};

use crate::{
    cache::Cache,
    class::TtlClass,
    clock::{Clock, Moment, nanos},
    deferred::Deferred,
    fill::{FillKind, Terms},
    invalidation::log::{InvalidationLog, Subject, Verdict},
    policy::FillCost,
    seeded_bugs,
    span::Span,
    store::shard::insertion::{NewEntry, Past},
    store::tags::{TagId, TagSet},
    store::{Insertion, Store},
};

/// How often an imported entry is checked again because more invalidations arrived. After
/// that it is left out.
const MAX_RETRIES: usize = if cfg!(shuttle) { 1 } else { 16 };

/// A live entry outside of a cache: what [`Cache::export`] returns and [`Cache::import`]
/// takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// The class, a handle of the cache that it was exported from. A cache of another
    /// process knows the class by its name.
    pub class: TtlClass,
    /// How long ago the entry was stored. Before the import, add the time since the export.
    pub age: Duration,
    /// How long ago it was last read; as much as `age` if it was not, or if its class has
    /// no time to idle. Add the time since the export here too.
    pub idle: Duration,
    /// Its own TTL, counted like that of a class from when it was stored.
    pub ttl: Option<Duration>,
    /// Whether it is a negative entry.
    pub negative: bool,
    /// Its tags.
    pub tags: Vec<TagId>,
}

/// The result of [`Cache::import`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many entries were stored.
    pub stored: usize,
    /// How many were left out.
    pub left_out: usize,
}

impl<K, V, C, S> Cache<K, V, C, S>
where
    K: Hash + Eq + Clone,
    V: Clone,
    C: Clock,
    S: BuildHasher,
{
    /// Iterates over copies of the live entries with all that [`import`](Self::import)
    /// needs, in no particular order. Counts neither hits nor reads.
    ///
    /// Locks a shard for at most 128 entries, and 4,096 tags or those of one entry more, at
    /// a time. Like [`iter`](Self::iter), it returns every entry that is stored throughout,
    /// and may or may not return one that is stored or removed in the meantime. It may
    /// return a key twice, with its former and its present value; `import` keeps the
    /// younger one.
    ///
    /// An entry that is invalidated after it was returned is of no concern to the iterator:
    /// who keeps exported entries must keep the invalidations since the *beginning* of the
    /// export as well, and make them again after the import.
    ///
    /// ```
    /// use cache_core::{Cache, Fill, ManualClock, TtlClass};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// let cache = || Cache::<u32, &str>::builder().max_entries(100).clock(clock.clone());
    /// let old = cache().build()?;
    /// old.insert(7, Fill::new("two claims").tag("claim:12"), TtlClass::DEFAULT)?;
    /// clock.advance(Duration::from_secs(60));
    /// let entries: Vec<_> = old.export().collect();
    /// assert_eq!(entries[0].age, Duration::from_secs(60));
    ///
    /// let new = cache().build()?;
    /// new.import(entries);
    /// clock.advance(Duration::from_secs(240));
    /// assert_eq!(new.get(&7, TtlClass::DEFAULT), Some("two claims"));
    /// clock.advance(Duration::from_nanos(1)); // older than the TTL of 300 s
    /// assert_eq!(new.get(&7, TtlClass::DEFAULT), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn export(&self) -> impl Iterator<Item = Exported<K, V>> {
        self.walk(|shard, walk, expiry| shard.next_exported(walk, expiry))
    }

    /// Stores entries with the ages that they have when the call begins, never younger.
    ///
    /// Left out are: an entry that is expired, or that the cache would refuse as a value; one
    /// whose key has an entry that is no older, or is being filled; and one that an
    /// invalidation reaches which is made after this call began. So let the iterator read
    /// the entries: what it returns counts as read after the beginning of the call.
    ///
    /// Give the oldest entries first. An entry that is imported behind a younger one of its
    /// class expires in time for every reader, but its memory is freed only after the younger
    /// one's, and counting the entries of its class takes time for each of them from then on.
    ///
    /// Not kept are how often an entry was read, and how long its fill took: eviction starts
    /// afresh, and an imported entry is not refreshed early. The jitter of an entry follows
    /// from the hash of its key, so with another hasher it expires at another moment, within
    /// its TTL.
    pub fn import(&self, entries: impl IntoIterator<Item = Exported<K, V>>) -> Imported {
        let since = Since::open(&self.inner.log);
        // Dated too early rather than too late.
        let begun = self.inner.coarse_expiry().now;
        let mut imported = Imported::default();
        for entry in entries {
            if self.import_one(&since, begun, entry) {
                imported.stored += 1;
            } else {
                imported.left_out += 1;
            }
        }
        imported
    }

    fn import_one(&self, since: &Since<'_, K, V>, begun: Moment, entry: Exported<K, V>) -> bool {
        let (inner, hash) = (&*self.inner, self.hasher.hash_one(&entry.key));
        let Exported {
            mut key,
            mut value,
            class,
            age,
            idle,
            ttl,
            negative,
            tags,
        } = entry;
        let kind = if negative {
            FillKind::Negative
        } else {
            FillKind::Value
        };
        let terms = Terms {
            tags: TagSet::from_iter(tags),
            ttl: ttl.map(|ttl| Span::of(nanos(ttl))),
            kind,
        };
        let Ok(weight) = inner.weigh(&key, &value, class, &terms) else {
            return false;
        };
        let (age, idle) = (nanos(age), nanos(idle));
        let read_at = Span::of(age.saturating_sub(idle));
        let Some(written) = begun.before(age) else {
            return false;
        };
        let mut verdict = Verdict {
            upto: since.epoch,
            conflict: None,
        };
        for _ in 0..=MAX_RETRIES {
            let subject = Subject {
                hash,
                key: &key,
                value: Some(&value),
                class,
                tags: Some(&terms.tags),
            };
            // Predicates of the user run here, without a lock.
            verdict = inner.log.check(verdict.upto, &subject);
            if verdict.conflict.is_some() && !seeded_bugs::trust_the_export() {
                return false;
            }
            let new = NewEntry {
                hash,
                key,
                value,
                class,
                terms: &terms,
                cost: FillCost::NONE,
                past: Some(Past { written, read_at }),
            };
            match store(inner, new, weight, &verdict) {
                Attempt::Done(stored) => return stored,
                Attempt::Again(same_key, same_value) => (key, value) = (same_key, same_value),
            }
        }
        false
    }
}

/// The outcome of one attempt to store an imported entry.
enum Attempt<K, V> {
    /// More invalidations arrived: check them, then try again.
    Again(K, V),
    Done(bool),
}

/// Stores an imported entry, unless the epoch moved since `verdict`.
fn store<K, V, C>(
    inner: &Store<K, V, C>,
    new: NewEntry<'_, K, V>,
    weight: u32,
    verdict: &Verdict,
) -> Attempt<K, V>
where
    K: Eq + Clone,
    V: Clone,
    C: Clock,
{
    let hash = new.hash;
    let expiry = inner.coarse_expiry();
    // Declared before the guard, so that they drop after the lock is released.
    let mut after = Deferred::new(&inner.listener);
    let mut _rejected = None;
    let mut shard = inner.lock_for(hash);
    if inner.log.epoch() != verdict.upto && !seeded_bugs::trust_the_export() {
        return Attempt::Again(new.key, new.value);
    }
    let is_filled =
        !shard.in_flight.is_empty() && !shard.in_flight.ended_by(hash, &new.key, None).is_empty();
    if is_filled || shard.outdates(&new, expiry) {
        _rejected = Some((new.key, new.value));
        return Attempt::Done(false);
    }
    let insertion = Insertion {
        new,
        weight: Ok(weight),
        fill_id: None,
    };
    let outcome = inner.insert(&mut shard, insertion, expiry, &mut after);
    drop(shard);
    after.run(&inner.log);
    inner.trim(inner.shard_of(hash), expiry);
    drop(after.take_replaced());
    Attempt::Done(outcome.is_ok())
}

/// The epoch at which an import began, counted like a permit.
struct Since<'a, K, V> {
    log: &'a InvalidationLog<K, V>,
    epoch: u64,
}

impl<'a, K, V> Since<'a, K, V> {
    fn open(log: &'a InvalidationLog<K, V>) -> Self {
        let epoch = log.open();
        Self { log, epoch }
    }
}

impl<K, V> Drop for Since<'_, K, V> {
    fn drop(&mut self) {
        self.log.close();
    }
}
