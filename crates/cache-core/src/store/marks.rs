//! The eviction policy's data in an entry.

use super::eviction::history::History;

/// The index of the links of eviction queues in [`Slot::links`](super::slot::Slot::links).
pub(crate) const EVICTION_QUEUE: usize = 0;

/// The policy's data in an entry, in one byte: visits since the clock hand last passed, the
/// frequency of the key until then, and the part (window or main) that it is in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks(u8);

impl Marks {
    const VISITS: u8 = 0b11;
    const COUNT: u8 = 0b1111 << 2;
    const MAIN: u8 = 1 << 6;

    /// Counts a visit.
    #[inline(always)]
    pub(crate) fn touch(&mut self) {
        // Written only if it changes, so that hits on hot entries leave the cache line
        // clean.
        if self.0 & Self::VISITS != Self::VISITS {
            self.0 += 1;
        }
    }

    pub(crate) fn is_main(self) -> bool {
        self.0 & Self::MAIN != 0
    }

    pub(super) fn visits(self) -> u8 {
        self.0 & Self::VISITS
    }

    pub(super) fn count(self) -> u8 {
        (self.0 & Self::COUNT) >> 2
    }

    /// The frequency of the key, visits included.
    pub(super) fn frequency(self) -> u8 {
        (self.count() + self.visits()).min(History::MOST)
    }

    pub(super) fn new(count: u8, main: bool) -> Self {
        Self((count << 2) | if main { Self::MAIN } else { 0 })
    }

    /// Adds the visits to the frequency, and sets the part.
    pub(super) fn fold_visits(&mut self, main: bool) {
        *self = Self::new(self.frequency(), main);
    }

    /// Halves the frequency.
    pub(super) fn halve(&mut self) {
        *self = Self(self.0 & !Self::COUNT | (self.count() / 2) << 2);
    }
}
