//! What the eviction policy remembers in an entry.

use super::eviction::history::History;

/// The list that the eviction queues are threaded through.
pub(crate) const EVICTION_QUEUE: usize = 0;

/// What an entry remembers for the policy: visits since the hand last came by,
/// how often its key had been asked for until then, and which part it is in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks(u8);

impl Marks {
    const VISITS: u8 = 0b11;
    const COUNT: u8 = 0b1111 << 2;
    const MAIN: u8 = 1 << 6;

    /// Notes a hit.
    #[inline(always)]
    pub(crate) fn touch(&mut self) {
        // Written only if it changes, so that hits on what is often asked for
        // leave the cache line clean.
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

    /// How often the key was asked for, as far as it is remembered.
    pub(super) fn frequency(self) -> u8 {
        (self.count() + self.visits()).min(History::MOST)
    }

    pub(super) fn new(count: u8, main: bool) -> Self {
        Self((count << 2) | if main { Self::MAIN } else { 0 })
    }

    /// Adds the visits to the count, and sets the part.
    pub(super) fn fold_visits(&mut self, main: bool) {
        *self = Self::new(self.frequency(), main);
    }

    /// Forgets half.
    pub(super) fn halve(&mut self) {
        *self = Self(self.0 & !Self::COUNT | (self.count() / 2) << 2);
    }
}
