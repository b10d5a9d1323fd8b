//! Walks over a shard in chunks, with the lock released between two of them.

use std::{ops::Range, time::Duration};

use super::Shard;
use crate::{listener::Removed, seeded_bugs, store::expiry::Expiry, transfer::Exported};

/// The number of positions that are copied for a predicate under one lock.
const CHUNK: u32 = 128;

/// The number of tags after which a chunk of exported entries ends.
const MANY_TAGS: usize = 4_096;

/// The number of stored entries after which serial numbers repeat.
const SERIALS: u64 = 1 << u8::BITS;

/// The position of a walk over a shard, between two locks.
#[derive(Default)]
pub(crate) struct Walk {
    next: u32,
    layout: u32,
    /// The first position of the last candidates, and the number of entries ever stored
    /// when they were copied.
    shown: u32,
    stored: u64,
}

/// A copy of an entry for a predicate, and its position.
pub(crate) struct Candidate<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    at: u32,
    serial: u8,
}

impl<K: Eq, V> Shard<K, V> {
    /// The next positions of a walk; `None` after the last.
    fn next_places(&self, walk: &mut Walk) -> Option<Range<u32>> {
        if walk.layout != self.layout {
            // Entries moved behind the walk: it starts again, and shows some of them
            // twice.
            walk.next = 0;
            walk.layout = self.layout;
        }
        // There are fewer positions than 2^32.
        let end = (self.table.positions() as u32).min(walk.next.saturating_add(CHUNK));
        let range = walk.next..end;
        if range.is_empty() {
            return None;
        }
        walk.shown = walk.next;
        walk.stored = self.stored;
        walk.next = end;
        Some(range)
    }

    /// Copies the next entries for a predicate, which runs without a lock; `None` at the
    /// end.
    pub(crate) fn next_candidates(&self, walk: &mut Walk) -> Option<Vec<Candidate<K, V>>>
    where
        K: Clone,
        V: Clone,
    {
        let copies = self.next_places(walk)?.filter_map(|at| {
            let slot = self.table.get(at)?;
            Some(Candidate {
                key: slot.key.clone(),
                value: slot.value.clone(),
                at,
                serial: slot.serial,
            })
        });
        Some(copies.collect())
    }

    /// Copies the next live entries; `None` at the end.
    pub(crate) fn next_live(&self, walk: &mut Walk, expiry: Expiry<'_>) -> Option<Vec<(K, V)>>
    where
        K: Clone,
        V: Clone,
    {
        let copies = self.next_places(walk)?.filter_map(|at| {
            let slot = self.table.get(at)?;
            (!self.is_expired(at, expiry)).then(|| (slot.key.clone(), slot.value.clone()))
        });
        Some(copies.collect())
    }

    /// Copies the next live entries for an export; `None` at the end. Copies fewer if they
    /// have many tags.
    pub(crate) fn next_exported(
        &self,
        walk: &mut Walk,
        expiry: Expiry<'_>,
    ) -> Option<Vec<Exported<K, V>>>
    where
        K: Clone,
        V: Clone,
    {
        let (mut copies, mut tags) = (Vec::new(), 0);
        for at in self.next_places(walk)? {
            let Some(slot) = self.table.get(at).filter(|_| !self.is_expired(at, expiry)) else {
                continue;
            };
            let (age, traits) = (expiry.age(slot.written), self.traits(at));
            let copy = Exported {
                key: slot.key.clone(),
                value: slot.value.clone(),
                class: slot.class,
                age: Duration::from_nanos(age),
                idle: Duration::from_nanos(age.saturating_sub(traits.read_at.nanos())),
                ttl: traits.ttl.map(|ttl| Duration::from_nanos(ttl.nanos())),
                negative: traits.negative,
                tags: self.tags.tags_of(self.first_tags.get(at)).collect(),
            };
            tags += copy.tags.len();
            copies.push(copy);
            if tags > MANY_TAGS {
                walk.next = at + 1;
                break;
            }
        }
        Some(copies)
    }

    /// Ends a walk. Positions may change again, so memory is freed.
    pub(crate) fn end_walk(&mut self) {
        self.shrink_if_sparse();
    }

    /// Removes the candidates that have not been replaced; returns how many were live.
    pub(crate) fn invalidate_candidates(
        &mut self,
        candidates: &[Candidate<K, V>],
        walk: &mut Walk,
        expiry: Expiry<'_>,
        removed_entries: &mut Removed<'_, K, V>,
    ) -> usize {
        if walk.layout != self.layout {
            return 0;
        }
        if self.stored - walk.stored >= SERIALS {
            // An entry may have the serial number of the one it replaced: the candidates
            // are shown again.
            walk.next = walk.shown;
            return 0;
        }
        let mut live = 0;
        for candidate in candidates {
            let slot = self.table.get(candidate.at);
            let same = |serial| serial == candidate.serial || seeded_bugs::trust_places();
            if slot.is_some_and(|slot| same(slot.serial)) {
                live += usize::from(self.invalidate(candidate.at, expiry, removed_entries));
            }
        }
        live
    }
}
