//! Who leaves when the bound is reached: SIEVE.
//!
//! Zhang et al., "SIEVE is Simpler than LRU" (NSDI 2024). Entries stand in
//! order of arrival. A hit sets the entry's *visited* mark and moves nothing. A
//! hand goes from the oldest towards the newest: it clears the marks it meets,
//! and the first entry without one leaves. New entries that are never read
//! again are thus sifted out early, while read ones stay where they are.

use crate::{
    list::{Link, Links, List, NONE},
    shard::Slot,
    table::Table,
};

/// The list that the eviction queue is threaded through.
pub(crate) const ARRIVAL: usize = 0;

/// What an entry remembers for the policy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks(u8);

impl Marks {
    /// Notes a hit.
    #[inline]
    pub(crate) fn touch(&mut self) {
        // Written only if it changes, so that hits leave the cache line clean.
        if self.0 < 1 {
            self.0 += 1;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Policy {
    queue: List<ARRIVAL>,
    hand: u32,
}

impl Policy {
    pub(crate) const fn new() -> Self {
        Self {
            queue: List::new(),
            hand: NONE,
        }
    }

    /// Takes an entry in; `old` are the marks of the one that it replaces.
    pub(crate) fn insert<K, V>(
        &mut self,
        table: &mut Table<Slot<K, V>>,
        at: u32,
        old: Option<Marks>,
    ) {
        if old.is_some() {
            table[at].marks.touch();
        }
        self.queue.push_back(table, at);
    }

    pub(crate) fn remove<K, V>(&mut self, table: &mut Table<Slot<K, V>>, at: u32) {
        if self.hand == at {
            let Link { next, .. } = Links::<ARRIVAL>::link(table, at);
            self.hand = next;
        }
        self.queue.remove(table, at);
    }

    /// The entry that should leave, other than `keep`.
    pub(crate) fn victim<K, V>(&mut self, table: &mut Table<Slot<K, V>>, keep: u32) -> Option<u32> {
        // One round clears every mark, so that the next finds an entry unless
        // `keep` is the only one.
        for _ in 0..=u64::from(self.queue.len) * 2 {
            let at = match self.hand {
                NONE => self.queue.head,
                hand => hand,
            };
            if at == NONE {
                return None;
            }
            self.hand = Links::<ARRIVAL>::link(table, at).next;
            if at != keep && std::mem::take(&mut table[at].marks.0) == 0 {
                return Some(at);
            }
        }
        None
    }

    pub(crate) fn remap(&mut self, new: impl Fn(u32) -> u32) {
        self.queue.remap(&new);
        self.hand = new(self.hand);
    }

    pub(crate) fn validate<K, V>(&self, table: &Table<Slot<K, V>>) -> Result<(), String> {
        self.queue.validate(table)?;
        if self.queue.len as usize != table.len() {
            let entries = table.len();
            return Err(format!("{entries} entries, {} queued", self.queue.len));
        }
        Ok(())
    }
}
