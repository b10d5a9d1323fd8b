//! The n-grams that have weights.

/// A hash table from the hashes of n-grams to their rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Vocabulary {
    /// Ascending; the index of a hash is its row.
    hashes: Vec<u64>,
    /// Rows, placed by the upper bits of their hashes with linear probing;
    /// `NONE` in free slots, which are half of the table at least.
    table: Vec<u32>,
    shift: u32,
}

impl Vocabulary {
    const NONE: u32 = u32::MAX;

    /// A vocabulary of hashes in ascending order without repetitions, fewer
    /// than 2^31.
    pub(crate) fn new(hashes: Vec<u64>) -> Self {
        let size = (hashes.len() * 2).next_power_of_two().max(2);
        let shift = 64 - size.trailing_zeros();
        let mut table = vec![Self::NONE; size];
        for (row, hash) in hashes.iter().enumerate() {
            let mut at = (hash >> shift) as usize;
            while table[at] != Self::NONE {
                at = (at + 1) % size;
            }
            table[at] = row as u32;
        }
        Self {
            hashes,
            table,
            shift,
        }
    }

    /// The row of a hash.
    pub(crate) fn row(&self, hash: u64) -> Option<u32> {
        let mut at = (hash >> self.shift) as usize;
        loop {
            let row = self.table[at];
            if row == Self::NONE {
                return None;
            }
            if self.hashes[row as usize] == hash {
                return Some(row);
            }
            at = (at + 1) % self.table.len();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(crate) fn hashes(&self) -> &[u64] {
        &self.hashes
    }
}
