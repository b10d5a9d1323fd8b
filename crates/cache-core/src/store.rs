//! The state that all handles of a cache share, and the insertion of values.

pub(crate) mod class_queues;
pub(crate) mod eviction;
pub(crate) mod expiry;
pub(crate) mod list;
pub(crate) mod marks;
pub(crate) mod reader;
pub(crate) mod shard;
pub(crate) mod slab;
pub(crate) mod slot;
pub(crate) mod sparse_column;
pub(crate) mod table;
pub(crate) mod tags;

use std::ops::{Deref, DerefMut};

use equivalent::Equivalent;

use crate::{
    class::{Classes, TtlClass},
    clock::{Clock, Moment},
    deferred::Deferred,
    error::Refusal,
    fill::{FillKind, Terms},
    hit::{Found, Seen},
    invalidation::log::InvalidationLog,
    listener::{Listener, Removed},
    seeded_bugs,
    single_flight::in_flight::FillResult,
    spawner::Spawner,
    store::expiry::Expiry,
    store::reader::{Accepts, Reader, SlowRead},
    store::shard::{Shard, insertion::NewEntry},
    sync::{AtomicU64, AtomicUsize, Ordering, ShardGuard, ShardMutex},
};

/// Entries count their moments from so many nanoseconds (73 years) before the origin of the
/// clock, so that an imported entry can be older than the clock.
const BEFORE_ORIGIN: u64 = 1 << 61;

/// Returns the weight of an entry.
pub(crate) type Weigher<K, V> = Box<dyn Fn(&K, &V) -> u64 + Send + Sync>;

/// A value padded to its own cache line, to avoid false sharing.
#[repr(align(64))]
pub(crate) struct CachePadded<T>(pub(crate) T);

/// A shard with its lock, padded to an odd number of cache lines. With an even number, the
/// first lines of all shards, which every hit touches, would map to only some sets of the
/// processor's cache.
#[repr(C, align(64))]
pub(crate) struct PaddedShard<K, V>(ShardMutex<Shard<K, V>>);

impl<K, V> PaddedShard<K, V> {
    pub(crate) fn new(shard: Shard<K, V>) -> Self {
        Self(ShardMutex::new(shard))
    }
}

/// The state that all handles of a cache share. Permits and waiters hold it with the type
/// of the clock erased.
pub(crate) struct Store<K, V, C: ?Sized = dyn Clock> {
    pub(crate) classes: Classes,
    pub(crate) weigher: Option<Weigher<K, V>>,
    pub(crate) spawner: Option<Spawner>,
    pub(crate) listener: Option<Listener<K, V>>,
    /// The bound; can be changed.
    pub(crate) capacity: AtomicU64,
    /// Their number is a power of two.
    pub(crate) shards: Box<[PaddedShard<K, V>]>,
    pub(crate) log: InvalidationLog<K, V>,
    /// The weight of all entries. Hits do not write it.
    pub(crate) total: CachePadded<AtomicU64>,
    /// The shard at which eviction from other shards continues.
    pub(crate) eviction_turn: AtomicUsize,
    /// The shard at which maintenance continues.
    pub(crate) maintenance_turn: AtomicUsize,
    /// The last field, so that its type can be erased.
    pub(crate) clock: C,
}

/// A locked shard. Adds changes of the shard's weight to the total when it is unlocked.
pub(crate) struct Locked<'a, K, V> {
    shard: ShardGuard<'a, Shard<K, V>>,
    total: &'a AtomicU64,
    counted: u64,
}

impl<K, V> Locked<'_, K, V> {
    /// The total weight, including changes here that are not added to it yet.
    fn expected(&self) -> u64 {
        let change = self.shard.weight().wrapping_sub(self.counted);
        self.total.load(Ordering::Relaxed).wrapping_add(change)
    }

    /// How much this shard may weigh, given the weight of the others.
    fn limit(&self, capacity: u64) -> u64 {
        let others = self
            .total
            .load(Ordering::Relaxed)
            .wrapping_sub(self.counted);
        capacity.saturating_sub(others)
    }

    /// Adds the changes to the total and returns it.
    fn total(&mut self) -> u64 {
        let weight = self.shard.weight();
        let change = weight.wrapping_sub(self.counted);
        if change == 0 {
            return self.total.load(Ordering::Relaxed);
        }
        self.counted = weight;
        // Wrapping addition subtracts if the weight fell.
        self.total
            .fetch_add(change, Ordering::Relaxed)
            .wrapping_add(change)
    }
}

impl<K, V> Drop for Locked<'_, K, V> {
    fn drop(&mut self) {
        if self.shard.weight() != self.counted {
            self.total();
        }
    }
}

impl<K, V> Deref for Locked<'_, K, V> {
    type Target = Shard<K, V>;

    fn deref(&self) -> &Shard<K, V> {
        &self.shard
    }
}

impl<K, V> DerefMut for Locked<'_, K, V> {
    fn deref_mut(&mut self) -> &mut Shard<K, V> {
        &mut self.shard
    }
}

/// A value to be stored.
pub(crate) struct Insertion<'a, K, V> {
    pub(crate) new: NewEntry<'a, K, V>,
    /// Its weight, or why it cannot be stored.
    pub(crate) weight: Result<u32, Refusal>,
    /// The fill that read it; `None` for an insertion by the user.
    pub(crate) fill_id: Option<u64>,
}

/// Why an entry was not stored, and the entry.
pub(crate) type NotStored<K, V> = (Refusal, (K, V));

impl<K, V, C: ?Sized> Store<K, V, C> {
    pub(crate) fn shard_of(&self, hash: u64) -> usize {
        // The low half of the hash gives the position within the shard. The mask keeps at
        // most 16 bits.
        (hash >> 32) as usize & (self.shards.len() - 1)
    }

    pub(crate) fn lock(&self, shard: usize) -> Locked<'_, K, V> {
        self.account_for(self.shards[shard].0.lock())
    }

    /// Locks the shard of a hash, for reads, which do not change its weight.
    #[inline(always)]
    pub(crate) fn guard_for(&self, hash: u64) -> ShardGuard<'_, Shard<K, V>> {
        self.shards[self.shard_of(hash)].0.lock()
    }

    pub(crate) fn account_for<'a>(
        &'a self,
        shard: ShardGuard<'a, Shard<K, V>>,
    ) -> Locked<'a, K, V> {
        Locked {
            counted: shard.weight(),
            shard,
            total: &self.total.0,
        }
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.capacity.load(Ordering::Relaxed)
    }

    pub(crate) fn lock_for(&self, hash: u64) -> Locked<'_, K, V> {
        self.lock(self.shard_of(hash))
    }
}

impl<K, V, C: Clock + ?Sized> Store<K, V, C> {
    /// The present moment as entries count it.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now().plus_nanos(BEFORE_ORIGIN)
    }

    fn bounds(&self) -> (Moment, Moment) {
        let (earliest, latest) = self.clock.bounds();
        (
            earliest.plus_nanos(BEFORE_ORIGIN),
            latest.plus_nanos(BEFORE_ORIGIN),
        )
    }

    pub(crate) fn expiry(&self) -> Expiry<'_> {
        Expiry {
            now: self.now(),
            classes: &self.classes,
        }
    }

    /// The expiry at the earliest present, without an exact clock reading: for inserted
    /// values, which may be dated too early but not too late.
    pub(crate) fn coarse_expiry(&self) -> Expiry<'_> {
        Expiry {
            now: self.bounds().0,
            classes: &self.classes,
        }
    }
}

impl<K, V, C> Store<K, V, C>
where
    K: Eq + Clone,
    V: Clone,
    C: Clock + ?Sized,
{
    pub(crate) fn reader(&self, class: TtlClass, accepts: Accepts) -> Reader<'_> {
        let (now, latest) = self.bounds();
        let classes = &self.classes;
        Reader {
            expiry: Expiry { now, classes },
            latest,
            class,
            // Read before the lock is taken, like everything else that a hit needs.
            fresh_below: classes.fresh_below(class),
            accepts,
        }
    }

    /// The slow path of a read, after [`Shard::read_fast`] was undecided. Returns the entry
    /// if it may be served to the reader, and the shard, still locked. Counts a hit or a
    /// miss.
    #[inline(never)]
    pub(crate) fn read<'a, Q, R>(
        &'a self,
        mut shard: ShardGuard<'a, Shard<K, V>>,
        hash: u64,
        key: &Q,
        mut reader: Reader<'a>,
        lend: &mut impl FnMut(&V, Seen<'_>) -> R,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> (Option<Found<R>>, Locked<'a, K, V>)
    where
        Q: Equivalent<K> + ?Sized,
    {
        loop {
            let mut locked = self.account_for(shard);
            match locked.read(hash, key, &reader, lend, removed_entries) {
                SlowRead::Serve(found) => return (Some(found), locked),
                SlowRead::Miss => return (None, locked),
                // The clock is not read under the lock.
                SlowRead::NeedsExactTime => drop(locked),
            }
            reader.expiry = self.expiry();
            reader.latest = reader.expiry.now;
            shard = self.guard_for(hash);
        }
    }

    /// The weight of an entry, or why it cannot be stored. Runs the user's weigher, so no
    /// lock may be held.
    pub(crate) fn weigh(
        &self,
        key: &K,
        value: &V,
        class: TtlClass,
        terms: &Terms,
    ) -> Result<u32, Refusal> {
        match terms.kind {
            FillKind::Shared => return Err(Refusal::Shared),
            FillKind::Negative if self.classes.freshness(class).negative_ttl.is_none() => {
                return Err(Refusal::NoNegatives);
            }
            FillKind::Value | FillKind::Negative => {}
        }
        if terms.tags.is_too_large() {
            return Err(Refusal::TooManyTags);
        }
        // A weight of zero would leave the number of entries unbounded.
        let weight = self
            .weigher
            .as_ref()
            .map_or(1, |weigher| weigher(key, value).max(1));
        if weight > self.capacity() {
            return Err(Refusal::TooLarge);
        }
        u32::try_from(weight).map_err(|_| Refusal::TooLarge)
    }

    /// Stores a value, ends the fills that it supersedes, and evicts from this shard while
    /// the cache exceeds its bound. Leaves the live entry that it replaced in `after`.
    #[inline(always)]
    pub(crate) fn insert(
        &self,
        shard: &mut Locked<'_, K, V>,
        insertion: Insertion<'_, K, V>,
        expiry: Expiry<'_>,
        after: &mut Deferred<'_, K, V>,
    ) -> Result<(), NotStored<K, V>> {
        let Insertion {
            new,
            weight,
            fill_id,
        } = insertion;
        let hash = new.hash;
        let mut ended = Vec::new();
        if !shard.in_flight.is_empty() {
            ended = shard.in_flight.ended_by(hash, &new.key, fill_id);
            if shard.in_flight.waiting(hash, &ended) > 0 {
                let copy = new.value.clone();
                after.duties().result = Some(FillResult::value(copy, new.terms.kind));
            }
        }
        let place = match weight {
            Ok(weight) => {
                let limit = shard.limit(self.capacity());
                let place = shard.store(new, weight, limit, expiry, after);
                place.map_err(|entry| (Refusal::TooLarge, entry))
            }
            Err(Refusal::Shared) => Err((Refusal::Shared, (new.key, new.value))),
            // The entry that the value would have replaced is outdated.
            Err(refusal) => {
                shard.take(hash, &new.key, expiry, after);
                Err((refusal, (new.key, new.value)))
            }
        };
        if !ended.is_empty() {
            for id in ended {
                after.end_fill(shard.in_flight.end(hash, id));
            }
            shard.fills.coalesced += after.waiting() as u64;
        }
        match place {
            Ok(at) => {
                // If an evicted entry weighs as much as the new one, the total does not
                // change and is not written, so a full cache writes nothing that all
                // shards share. Other shards may have changed it: the total decides.
                while (shard.expected() > self.capacity() || shard.total() > self.capacity())
                    && shard.evict(Some(at), expiry, &mut after.removed_entries)
                {}
                Ok(())
            }
            Err(rejected) => {
                // These two are not errors.
                let expected = matches!(rejected, (Refusal::NoNegatives | Refusal::Shared, _));
                shard.fills.rejected += u64::from(!expected);
                Err(rejected)
            }
        }
    }

    /// Evicts from the other shards in turn while the cache exceeds its bound, after shard
    /// `own` has nothing left to evict.
    #[inline]
    pub(crate) fn trim(&self, own: usize, expiry: Expiry<'_>) {
        while self.total.0.load(Ordering::Relaxed) > self.capacity() && !seeded_bugs::lose_trim() {
            let first = self.eviction_turn.fetch_add(1, Ordering::Relaxed);
            // The turn is taken once per round. If it were taken at each step, two threads
            // could alternate so that each visits only the shard that it spares.
            let evicted = (0..self.shards.len()).any(|offset| {
                let other = first.wrapping_add(offset) & (self.shards.len() - 1);
                let mut removed_entries = Removed::new(&self.listener);
                other != own && self.lock(other).evict(None, expiry, &mut removed_entries)
            });
            if !evicted {
                return;
            }
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn a_shard_takes_an_odd_number_of_cache_lines() {
        let lines = size_of::<PaddedShard<u64, u64>>() / 64;
        assert_eq!(lines % 2, 1, "{lines} lines");
    }
}
