//! Who leaves when the bound is reached: an adaptive window before a frequency
//! filter, in the manner of W-TinyLFU, with queues that a hit does not touch.
//!
//! Entries arrive in the *window*, a queue. Who comes to its end is held against
//! the entry of the *main* part that the hand of a clock points at: whichever was
//! asked for more often stays (Einziger, Friedman, Manes, "TinyLFU", ACM ToS
//! 2017). A hit counts a visit in the entry and moves nothing; the hand adds up
//! visits as it comes by and spares who had any. How often a key was asked for
//! outlives its entry in [`History`].
//!
//! What comes back soon wants a large window, what comes back often a small one
//! (Einziger, Eytan, Friedman, Manes, "Adaptive Software Cache Management",
//! Middleware 2018). Here the misses decide: one for a key that just lost at the
//! end of the window, and is not asked for often, would have been a hit in a
//! larger one; one for a key that was just turned out of the main part, in a
//! smaller one. The window grows and shrinks by fractions of an entry.

pub(super) mod history;

use crate::{
    store::list::{Link, Links, List, NONE},
    store::marks::{EVICTION_QUEUE, Marks},
    store::slot::Slot,
    store::table::{Hashed, Table},
};

use history::{GhostHit, History};

/// The size of the window is counted in fractions of an entry; by how many it
/// grows or shrinks at once. Growth is larger, as a window too small to keep
/// anything gets few chances.
const FRACTIONS: u64 = 128;
const GROWTH: u64 = 32;
const SHRINKAGE: u64 = 10;

/// The part of all entries that the window begins with, and the least and the
/// most that it can have, in such fractions: 4, 1 and 80 in a hundred.
const START: u64 = 5;
const LEAST: u64 = 1;
const MOST: u64 = 102;

/// How many entries may leave the window for the main part at each insertion
/// without having to prove themselves, where the main part has room.
const MAX_PROMOTIONS: usize = 2;

pub(crate) struct EvictionPolicy {
    window: List<EVICTION_QUEUE>,
    main: List<EVICTION_QUEUE>,
    /// The entry of the main part that is looked at next; the first, if none.
    hand: u32,
    /// How large the window should be, in fractions of an entry.
    target: u64,
    /// Made when the first entry has to leave.
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

    /// Prepares for an entry with this hash: the marks that it begins with. `old`
    /// are those of the one that it replaces.
    #[inline]
    pub(crate) fn prepare_insert<K, V>(
        &mut self,
        table: &mut Table<Slot<K, V>>,
        hash: u32,
        old: Option<Marks>,
    ) -> Marks {
        let marks = match old {
            // It was asked for, or it would not be made anew.
            Some(mut marks) => {
                marks.touch();
                marks
            }
            None => Marks::new(self.recall(table, hash), false),
        };
        self.shrink_window(table, u32::from(!marks.is_main()));
        marks
    }

    /// Takes an entry in that was welcomed and has the marks.
    #[inline]
    pub(crate) fn insert<K, V>(&mut self, table: &mut Table<Slot<K, V>>, at: u32, marks: Marks) {
        if marks.is_main() {
            self.push_main(table, at);
        } else {
            self.window.push_back(table, at);
        }
    }

    /// How often the key of a new entry was asked for, this time included. Draws
    /// the lesson from its absence.
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

    /// How many entries the window should hold.
    fn window_room(&self) -> u64 {
        let target = match self.history {
            Some(_) => self.target,
            None => self.entries() * START,
        };
        (target / FRACTIONS).max(1)
    }

    /// Lets some entries pass from a window that is too large, with so many that
    /// are about to arrive, to a main part that is too small.
    #[inline]
    fn shrink_window<K, V>(&mut self, table: &mut Table<Slot<K, V>>, arriving: u32) {
        // While entries are leaving, the last one of the surplus has to prove
        // itself against one of the main part.
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

    /// The hand comes to a new entry last.
    #[inline]
    fn push_main<K, V>(&mut self, table: &mut Table<Slot<K, V>>, at: u32) {
        match self.hand {
            NONE => self.main.push_back(table, at),
            hand => self.main.insert_before(table, at, hand),
        }
    }

    /// Takes an entry out; what is known of it goes into the history if it
    /// should be `remembered`.
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

    /// The entry that should leave, other than `keep`, where so many are about to
    /// arrive in the window. It is remembered, and stays in its queue until it is
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
        let crowded = u64::from(self.window.len + arriving) > self.window_room();
        let Some(candidate) = oldest.filter(|_| crowded) else {
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

    /// The next entry of the main part without a visit, other than `keep`; the
    /// hand stays at it.
    #[inline]
    fn worst<K, V>(&mut self, table: &mut Table<Slot<K, V>>, keep: u32) -> Option<u32> {
        // One round takes every visit away, so that the next finds an entry
        // unless `keep` is the only one.
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

    /// Follows the entries to new places, and gives back memory that is too large
    /// for so few.
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
