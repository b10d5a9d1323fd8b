//! Insertion into a shard.

use super::Shard;
use crate::{
    class::TtlClass,
    clock::Moment,
    deferred::Deferred,
    fill::Terms,
    listener::Cause,
    policy::{self, FillCost, Origin, Traits},
    span::Span,
    store::class_queues::QueueId,
    store::expiry::Expiry,
    store::list::{Link, NONE},
    store::marks::Marks,
    store::slot::Slot,
};

/// An entry to be stored.
pub(crate) struct NewEntry<'a, K, V> {
    pub(crate) hash: u64,
    pub(crate) key: K,
    pub(crate) value: V,
    pub(crate) class: TtlClass,
    pub(crate) terms: &'a Terms,
    pub(crate) cost: FillCost,
    /// When it was written; `None` for now.
    pub(crate) past: Option<Past>,
}

/// The times of an imported entry.
#[derive(Clone, Copy)]
pub(crate) struct Past {
    pub(crate) written: Moment,
    /// Its age when it was last read.
    pub(crate) read_at: Span,
}

impl<K: Eq, V> Shard<K, V> {
    /// Stores an entry, replacing one with an equal key, and returns its position; `Err`
    /// if no index is left. If the shard would weigh more than `limit`, another entry is
    /// evicted first and the new one takes its position.
    #[inline(always)]
    pub(crate) fn store(
        &mut self,
        new: NewEntry<'_, K, V>,
        weight: u32,
        limit: u64,
        expiry: Expiry<'_>,
        after: &mut Deferred<'_, K, V>,
    ) -> Result<u32, (K, V)> {
        let marks = self.find(new.hash, &new.key).map(|old| {
            let marks = self.table[old].marks;
            self.replace(old, expiry, after);
            marks
        });
        self.expire_some(new.class, expiry, &mut after.removed_entries);
        if self.table.is_full() || !self.tags.has_room(new.terms.tags.len()) {
            return Err((new.key, new.value));
        }

        let hash = policy::stored_hash(new.hash);
        let marks = self
            .policy
            .prepare_insert(&mut self.table, hash.get(), marks);
        let vacated = if self.weight + u64::from(weight) > limit {
            self.vacate(marks, expiry)
        } else {
            None
        };

        let (class, terms) = (new.class, new.terms);
        let queue = QueueId::new(terms.is_negative(), terms.ttl);
        // Clocks are read before the lock is taken, so two writers may take the lock in
        // another order than they read the clock. To keep the queue ordered, the later
        // one counts as written no earlier.
        let tail = self.class_mut(class).queue_mut(queue).tail;
        let last = (tail != NONE).then(|| self.table[tail].written);
        let written = match new.past {
            None => last.map_or(expiry.now, |last| expiry.now.max(last)),
            // An imported entry must not become younger.
            Some(Past { written, .. }) => {
                let state = self.class_mut(class);
                state.is_reordered |= last.is_some_and(|last| written < last);
                written
            }
        };
        self.stored += 1;
        let slot = Slot {
            key: new.key,
            value: new.value,
            written,
            hash,
            class,
            marks,
            // The low byte suffices: walks compare the whole number.
            serial: self.stored as u8,
            origin: Origin::new(terms.is_negative(), terms.ttl.is_some(), new.cost),
            links: [Link::UNLINKED; 2],
        };
        let at = match vacated {
            Some((at, cause)) => {
                let gone = self.table.exchange(at, slot);
                after.removed_entries.push((gone.key, gone.value), cause);
                at
            }
            None => self.table.insert(slot),
        };
        self.policy.insert(&mut self.table, at, marks);
        self.classes[class.index()]
            .queue_mut(queue)
            .push_back(&mut self.table, at);
        self.weight += u64::from(weight);
        let positions = self.table.positions();
        self.weights.set(at, weight, positions);
        let mut first_tag = NONE;
        for tag in terms.tags.iter() {
            first_tag = self.tags.add(at, first_tag, tag);
        }
        self.first_tags.set(at, first_tag, positions);
        let ttl = terms.ttl.map_or(Span::NONE, Span::bits);
        self.ttls.set(at, ttl, positions);
        if let Some(Past { read_at, .. }) = new.past {
            self.read_at.set(at, read_at.bits(), positions);
        }
        Ok(at)
    }

    /// Chooses a victim for a new entry with these marks, and detaches it. Its position is
    /// left for the new entry.
    #[inline(always)]
    fn vacate(&mut self, newcomer: Marks, expiry: Expiry<'_>) -> Option<(u32, Cause)> {
        let arriving = u32::from(!newcomer.is_main());
        let at = self.policy.victim(&mut self.table, NONE, arriving)?;
        let cause = self.count_eviction(at, expiry);
        self.detach(at, false);
        Some((at, cause))
    }

    /// Removes the entry with an equal key as replaced.
    pub(crate) fn take(
        &mut self,
        hash: u64,
        key: &K,
        expiry: Expiry<'_>,
        after: &mut Deferred<'_, K, V>,
    ) {
        if let Some(at) = self.find(hash, key) {
            self.replace(at, expiry, after);
        }
    }

    /// Whether an imported entry is expired, or its key has a live entry that is no older.
    pub(crate) fn outdates(&self, new: &NewEntry<'_, K, V>, expiry: Expiry<'_>) -> bool {
        let Some(Past { written, read_at }) = new.past else {
            return false;
        };
        let traits = Traits {
            negative: new.terms.is_negative(),
            hash: policy::stored_hash(new.hash).get(),
            cost: new.cost,
            ttl: new.terms.ttl,
            read_at,
        };
        let present = self.find(new.hash, &new.key);
        expiry.is_expired(new.class, written, traits)
            || present
                .is_some_and(|at| self.table[at].written >= written && !self.is_expired(at, expiry))
    }

    /// Removes an entry that a new value replaces.
    #[inline(never)]
    fn replace(&mut self, at: u32, expiry: Expiry<'_>, after: &mut Deferred<'_, K, V>) {
        if self.is_expired(at, expiry) {
            self.expire(at, &mut after.removed_entries);
        } else {
            after.replaced = self.remove(at, false);
        }
    }
}
