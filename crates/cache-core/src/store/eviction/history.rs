//! The history of a shard: frequencies of keys, and recently evicted keys.

/// The number of 4-bit counters for each entry of the shard.
const COUNTERS_PER_ENTRY: u64 = 16;

/// The rows of a block, in each of which a key has one counter, and the counters in it.
const ROWS: usize = 4;
const COUNTERS: u64 = ROWS as u64 * 16;

/// The number of insertions for each entry after which all counters are halved.
const SAMPLE_PER_ENTRY: u64 = 10;

/// A key of a higher frequency belongs in the main part: its ghost hit does not grow the
/// window.
const LOW_FREQUENCY: u8 = 2;

/// A miss of a recently evicted key, by the part that it was evicted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GhostHit {
    Window,
    Main,
}

/// The history of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recalled {
    /// Its estimated frequency.
    pub(super) frequency: u8,
    pub(super) ghost_hit: Option<GhostHit>,
}

/// The data of some keys, stored together so that an access touches one or two cache lines.
#[derive(Clone, Copy, Default)]
struct Block {
    /// Sixty-four counters of four bits; a row is a word.
    rows: [u64; ROWS],
    /// The hashes of the keys that were last evicted from the window and from the main
    /// part.
    evicted: [u32; 2],
}

/// A count-min sketch of the frequencies of keys (Cormode, Muthukrishnan, "An Improved Data
/// Stream Summary: The Count-Min Sketch", 2005), and the keys that were last evicted from
/// the two parts: for each part, a quarter as many as the shard has entries. Ten bytes for
/// each entry.
pub(in crate::store) struct History {
    blocks: Box<[Block]>,
    insertions: u64,
    entries: u64,
}

impl History {
    /// The highest frequency.
    pub(in crate::store) const MOST: u8 = 15;

    /// A history for a shard of `entries` entries.
    pub(super) fn new(entries: u64) -> Self {
        // A shard has fewer than 2^32 entries.
        let some = |number: u64| usize::try_from(number).unwrap_or(1);
        let blocks = (entries * COUNTERS_PER_ENTRY).div_ceil(COUNTERS).max(4);
        Self {
            blocks: vec![Block::default(); some(blocks)].into(),
            insertions: 0,
            entries,
        }
    }

    /// Whether it is large enough for `entries` entries.
    pub(super) fn fits(&self, entries: u64) -> bool {
        entries <= self.entries.max(8) * 2
    }

    /// Whether it is much larger than `entries` entries need.
    pub(super) fn is_sparse(&self, entries: u64) -> bool {
        self.entries > 64 && entries < self.entries / 4
    }

    #[inline]
    fn block(&mut self, mixed: u32) -> &mut Block {
        let place = scale(mixed, self.blocks.len());
        &mut self.blocks[place]
    }

    /// Raises the frequency of a key to at least `frequency`.
    #[inline]
    pub(super) fn remember(&mut self, hash: u32, frequency: u8) {
        let mixed = mix(hash);
        self.block(mixed).remember(mixed, frequency);
    }

    /// Records the frequency of an evicted key, and the part that it is evicted from.
    #[inline]
    pub(super) fn record_eviction(&mut self, hash: u32, frequency: u8, from: GhostHit) {
        let mixed = mix(hash);
        let block = self.block(mixed);
        block.remember(mixed, frequency);
        block.evicted[from as usize] = hash;
    }

    /// The frequency of a missed key, and whether the miss is a ghost hit. A ghost hit is
    /// reported once.
    #[inline]
    pub(super) fn recall(&mut self, hash: u32) -> Recalled {
        self.insertions += 1;
        let mixed = mix(hash);
        let block = self.block(mixed);
        let frequency = block.frequency(mixed);
        let [window, main] = block.evicted.map(|evicted| evicted == hash);
        let ghost_hit = match (window, main) {
            (false, false) => None,
            (true, false) if frequency <= LOW_FREQUENCY => Some(GhostHit::Window),
            (true, false) | (false, true) => Some(GhostHit::Main),
            (true, true) => None,
        };
        if window || main {
            // No hash is zero.
            block.evicted = block.evicted.map(|own| if own == hash { 0 } else { own });
        }
        Recalled {
            frequency,
            ghost_hit,
        }
    }

    /// Whether it is time to halve the counters.
    pub(super) fn needs_aging(&self) -> bool {
        self.insertions >= self.entries.max(8) * SAMPLE_PER_ENTRY
    }

    /// Halves all counters, so that old requests count less.
    pub(super) fn halve(&mut self) {
        self.insertions = 0;
        for block in &mut self.blocks {
            for row in &mut block.rows {
                *row = *row >> 1 & 0x7777_7777_7777_7777;
            }
        }
    }
}

impl Block {
    /// The shifts of a key's counters in the rows, from the low bits of the mixed hash; its
    /// high bits choose the block.
    fn shifts(mixed: u32) -> [u32; ROWS] {
        std::array::from_fn(|row| (mixed >> (4 * row as u32) & 15) * 4)
    }

    #[inline]
    fn frequency(&self, mixed: u32) -> u8 {
        let counts = self.rows.iter().zip(Self::shifts(mixed));
        let counts = counts.map(|(row, shift)| (row >> shift & 15) as u8);
        counts.fold(History::MOST, u8::min)
    }

    #[inline]
    fn remember(&mut self, mixed: u32, frequency: u8) {
        let frequency = u64::from(frequency.min(History::MOST));
        for (row, shift) in self.rows.iter_mut().zip(Self::shifts(mixed)) {
            // Raises a lower counter to the frequency.
            let count = *row >> shift & 15;
            *row += frequency.saturating_sub(count) << shift;
        }
    }
}

/// Mixes a hash once more, because the table uses the same bits.
fn mix(hash: u32) -> u32 {
    let mixed = hash.wrapping_mul(0x9E37_79B1);
    mixed ^ mixed >> 15
}

/// A number below `number`, in proportion to the hash.
fn scale(hash: u32, number: usize) -> usize {
    ((u64::from(hash) * number as u64) >> 32) as usize
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frequency_of(history: &mut History, hash: u32) -> u8 {
        history.block(mix(hash)).frequency(mix(hash))
    }

    proptest! {
        /// The sketch may overestimate a frequency, but never underestimates it, except
        /// for halving.
        #[test]
        fn prop_no_key_is_underestimated(
            entries in 1..100_u64,
            seen in prop::collection::vec((any::<u32>(), 0..20_u8), 1..60),
        ) {
            let mut history = History::new(entries);
            for &(hash, frequency) in &seen {
                history.remember(hash, frequency);
            }
            for &(hash, frequency) in &seen {
                prop_assert!(frequency_of(&mut history, hash) >= frequency.min(History::MOST));
            }
            history.halve();
            for &(hash, frequency) in &seen {
                prop_assert!(frequency_of(&mut history, hash) >= frequency.min(History::MOST) / 2);
            }
        }
    }

    #[test]
    fn few_keys_do_not_disturb_each_other() {
        let mut history = History::new(1_000);
        for key in 0..1_000_u32 {
            history.remember(key.wrapping_mul(0x85EB_CA6B), 1 + (key % 15) as u8);
        }
        let exact = (0..1_000_u32).filter(|key| {
            frequency_of(&mut history, key.wrapping_mul(0x85EB_CA6B)) == 1 + (key % 15) as u8
        });
        assert!(exact.count() > 900);
    }

    #[test]
    fn a_ghost_hit_is_reported_once_for_the_part_the_key_was_evicted_from() {
        let check = |from: GhostHit, frequency, expected| {
            let mut history = History::new(100);
            history.record_eviction(7, frequency, from);
            let mut recalled = |ghost_hit| {
                assert_eq!(
                    history.recall(7),
                    Recalled {
                        frequency,
                        ghost_hit
                    }
                )
            };
            recalled(Some(expected));
            recalled(None);
        };
        check(GhostHit::Window, 1, GhostHit::Window);
        check(GhostHit::Window, LOW_FREQUENCY, GhostHit::Window);
        check(GhostHit::Window, LOW_FREQUENCY + 1, GhostHit::Main);
        check(GhostHit::Main, 1, GhostHit::Main);
    }
}
