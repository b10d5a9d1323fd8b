//! The eviction policy: an adaptive window before a frequency filter, similar to
//! W-TinyLFU, with queues that hits do not reorder.
//!
//! New entries go into the *window*, a FIFO queue. The window's oldest entry competes with
//! the entry of the *main* part under the clock hand; the more frequently used stays
//! (Einziger, Friedman, Manes, "TinyLFU", ACM ToS 2017). A hit counts a visit in the entry
//! and moves nothing. The passing hand adds the visits to the frequency, and spares
//! entries with visits. The frequency of a key outlives its entry in [`History`].
//!
//! Recency-biased traffic needs a large window, frequency-biased traffic a small one
//! (Einziger, Eytan, Friedman, Manes, "Adaptive Software Cache Management", Middleware
//! 2018). Here ghost hits adapt it, that is misses of recently evicted keys: for a key of
//! low frequency from the window, the window grows; for a key from the main part, it
//! shrinks. Both by fractions of an entry.

pub(super) mod history;

use crate::{
    store::list::{Link, Links, List, NONE},
    store::marks::{EVICTION_QUEUE, Marks},
    store::slot::Slot,
    store::table::{Hashed, Table},
};

use history::{GhostHit, History};

/// The size of the window is counted in fractions of an entry, and changes by this many at
/// a ghost hit. Growth is larger, because a window that is too small to keep anything gets
/// few ghost hits.
const FRACTIONS: u64 = 128;
const GROWTH: u64 = 32;
const SHRINKAGE: u64 = 10;

/// The initial, smallest and largest size of the window, in such fractions for each entry
/// of the shard: 4 %, 1 % and 80 %.
const START: u64 = 5;
const LEAST: u64 = 1;
const MOST: u64 = 102;

/// How many entries an insertion moves from the window to the main part at most, without
/// competition, while the window is too large.
const MAX_PROMOTIONS: usize = 2;

/// The queues and the history of a shard.
pub(crate) struct EvictionPolicy {
    window: List<EVICTION_QUEUE>,
    main: List<EVICTION_QUEUE>,
    /// The clock hand: the entry of the main part that is checked next. If none, the
    /// first.
    hand: u32,
    /// The target size of the window, in fractions of an entry.
    target: u64,
    /// Created at the first eviction.
    history: Option<History>,
}

impl EvictionPolicy {
    pub(crate) const fn new() -> Self {
        Self {
            window: List::new(),
            main: List::new(),
            hand: NONE,
            target: 0,
            history: None,
        }
    }

    fn entries(&self) -> u64 {
        u64::from(self.window.len) + u64::from(self.main.len)
    }

    /// Prepares the insertion of an entry with this hash, and returns its first marks.
    /// `old` are the marks of the entry that it replaces.
    #[inline]
    pub(crate) fn prepare_insert<K, V>(
        &mut self,
        table: &mut Table<Slot<K, V>>,
        hash: u32,
        old: Option<Marks>,
    ) -> Marks {
        let marks = match old {
            // A refresh counts as a visit: somebody asked for the entry.
            Some(mut marks) => {
                marks.touch();
                marks
            }
            None => Marks::new(self.recall(table, hash), false),
        };
        self.shrink_window(table, u32::from(!marks.is_main()));
        marks
    }

    /// Adds an entry with the marks that `prepare_insert` returned.
    #[inline]
    pub(crate) fn insert<K, V>(&mut self, table: &mut Table<Slot<K, V>>, at: u32, marks: Marks) {
        if marks.is_main() {
            self.push_main(table, at);
        } else {
            self.window.push_back(table, at);
        }
    }

    /// The frequency of the key of a new entry, this request included. If its miss is a
    /// ghost hit, adapts the window.
    #[inline]
    fn recall<K, V>(&mut self, table: &mut Table<Slot<K, V>>, hash: u32) -> u8 {
        let entries = self.entries();
        let Some(history) = &mut self.history else {
            return 1;
        };
        if history.needs_aging() {
            history.halve();
            for slot in table.iter_mut() {
                slot.marks.halve();
            }
        }
        let recalled = history.recall(hash);
        if let Some(ghost_hit) = recalled.ghost_hit {
            let target = match ghost_hit {
                GhostHit::Window => self.target + GROWTH,
                GhostHit::Main => self.target.saturating_sub(SHRINKAGE),
            };
            self.target = target.clamp(entries * LEAST, entries * MOST);
        }
        (recalled.frequency + 1).min(History::MOST)
    }

    /// The target size of the window, in entries.
    fn window_room(&self) -> u64 {
        let target = match self.history {
            Some(_) => self.target,
            None => self.entries() * START,
        };
        (target / FRACTIONS).max(1)
    }

    /// Moves entries from the window to the main part if the window is too large, counting
    /// `arriving` new ones.
    #[inline]
    fn shrink_window<K, V>(&mut self, table: &mut Table<Slot<K, V>>, arriving: u32) {
        // Once entries are evicted, the last one of the surplus must compete with an entry
        // of the main part.
        let most = self.window_room() + u64::from(self.history.is_some());
        for _ in 0..MAX_PROMOTIONS {
            if u64::from(self.window.len + arriving) <= most || self.window.len == 0 {
                return;
            }
            self.promote(table, self.window.head);
        }
    }

    /// Moves an entry from the window to the main part.
    #[cold]
    fn promote<K, V>(&mut self, table: &mut Table<Slot<K, V>>, at: u32) {
        self.window.remove(table, at);
        table[at].marks.fold_visits(true);
        self.push_main(table, at);
    }

    /// Adds an entry to the main part where the hand passes last.
    #[inline]
    fn push_main<K, V>(&mut self, table: &mut Table<Slot<K, V>>, at: u32) {
        match self.hand {
            NONE => self.main.push_back(table, at),
            hand => self.main.insert_before(table, at, hand),
        }
    }

    /// Removes an entry. Its frequency goes into the history if it should be `remembered`.
    #[inline]
    pub(crate) fn remove<K, V>(
        &mut self,
        table: &mut Table<Slot<K, V>>,
        at: u32,
        remembered: bool,
    ) {
        let slot = &table[at];
        let marks = slot.marks;
        if remembered {
            self.remember(slot);
        }
        if self.hand == at {
            let Link { next, .. } = Links::<EVICTION_QUEUE>::link(table, at);
            self.hand = next;
        }
        if marks.is_main() {
            self.main.remove(table, at);
        } else {
            self.window.remove(table, at);
        }
    }

    /// Chooses the entry to evict, other than `keep`, when `arriving` new entries come into
    /// the window. Its frequency goes into the history; it stays in its queue until it is
    /// removed.
    pub(crate) fn victim<K, V>(
        &mut self,
        table: &mut Table<Slot<K, V>>,
        keep: u32,
        arriving: u32,
    ) -> Option<u32> {
        let entries = self.entries() + u64::from(arriving);
        if self
            .history
            .as_ref()
            .is_none_or(|history| !history.fits(entries))
        {
            if self.history.is_none() {
                self.target = entries * START;
            }
            self.history = Some(History::new(entries));
        }
        let oldest = Some(self.window.head).filter(|&at| at != NONE && at != keep);
        let Some(worst) = self.worst(table, keep) else {
            let oldest = oldest?;
            self.remember(&table[oldest]);
            return Some(oldest);
        };
        let is_full = u64::from(self.window.len + arriving) > self.window_room();
        let Some(candidate) = oldest.filter(|_| is_full) else {
            self.record_eviction(table, worst, GhostHit::Main);
            return Some(worst);
        };
        if table[candidate].marks.frequency() > table[worst].marks.frequency() {
            self.promote(table, candidate);
            self.record_eviction(table, worst, GhostHit::Main);
            Some(worst)
        } else {
            self.record_eviction(table, candidate, GhostHit::Window);
            Some(candidate)
        }
    }

    fn remember<K, V>(&mut self, slot: &Slot<K, V>) {
        if let Some(history) = &mut self.history {
            history.remember(slot.hash(), slot.marks.frequency());
        }
    }

    fn record_eviction<K, V>(&mut self, table: &Table<Slot<K, V>>, at: u32, from: GhostHit) {
        if let Some(history) = &mut self.history {
            let slot = &table[at];
            history.record_eviction(slot.hash(), slot.marks.frequency(), from);
        }
    }

    /// Advances the hand to the next entry of the main part without visits, other than
    /// `keep`.
    #[inline]
    fn worst<K, V>(&mut self, table: &mut Table<Slot<K, V>>, keep: u32) -> Option<u32> {
        // One round clears all visits, so the second finds an entry unless `keep` is the
        // only one.
        for _ in 0..=u64::from(self.main.len) * 2 {
            let at = match self.hand {
                NONE => self.main.head,
                hand => hand,
            };
            if at == NONE {
                return None;
            }
            let slot = &mut table[at];
            if at != keep && slot.marks.visits() == 0 {
                self.hand = at;
                return Some(at);
            }
            slot.marks.fold_visits(true);
            self.hand = Links::<EVICTION_QUEUE>::link(table, at).next;
        }
        None
    }

    /// Updates the positions of moved entries, and frees a history that is too large.
    pub(crate) fn remap(&mut self, new: impl Fn(u32) -> u32) {
        self.window.remap(&new);
        self.main.remap(&new);
        self.hand = new(self.hand);
        let entries = self.entries();
        if self
            .history
            .as_ref()
            .is_some_and(|history| history.is_sparse(entries))
        {
            self.history = None;
        }
    }

    pub(crate) fn validate<K, V>(&self, table: &Table<Slot<K, V>>) -> Result<(), String> {
        for (queue, main) in [(&self.window, false), (&self.main, true)] {
            queue.validate(table)?;
            if let Some(at) = queue
                .iter(table)
                .find(|&at| table[at].marks.is_main() != main)
            {
                return Err(format!("slot {at} is in the wrong part"));
            }
        }
        if self.hand != NONE && !table[self.hand].marks.is_main() {
            return Err(format!(
                "the hand points at slot {} of the window",
                self.hand
            ));
        }
        if self.entries() != table.len() as u64 {
            let (entries, queued) = (table.len(), self.entries());
            return Err(format!("{entries} entries, {queued} queued"));
        }
        Ok(())
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests;
