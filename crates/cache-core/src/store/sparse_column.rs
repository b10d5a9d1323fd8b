//! A sparse column: a number for each position of a table, for data that most entries do
//! not have.

use crate::{store::list::NONE, store::table::Moves};

/// A `u32` for each position of a table. Allocates only when a number differs from the
/// default.
pub(crate) struct SparseColumn {
    default: u32,
    numbers: Vec<u32>,
}

impl SparseColumn {
    pub(crate) const fn new(default: u32) -> Self {
        Self {
            default,
            numbers: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, at: u32) -> u32 {
        let number = self.numbers.get(at as usize);
        number.copied().unwrap_or(self.default)
    }

    /// Sets the number at a position of a table that has `positions` positions.
    #[inline]
    pub(crate) fn set(&mut self, at: u32, number: u32, positions: usize) {
        if let Some(place) = self.numbers.get_mut(at as usize) {
            *place = number;
        } else if number != self.default {
            self.extend(positions);
            self.numbers[at as usize] = number;
        }
    }

    #[cold]
    fn extend(&mut self, positions: usize) {
        if self.numbers.capacity() < positions {
            let more = positions - self.numbers.len() + positions / 16;
            self.numbers.reserve_exact(more);
        }
        self.numbers.resize(positions, self.default);
    }

    /// Moves the numbers as the table moved its entries; it has `positions` positions now.
    pub(crate) fn rearrange(&mut self, moves: &Moves, positions: usize) {
        let old = std::mem::take(&mut self.numbers);
        for (from, number) in (0..).zip(old) {
            let to = moves.new_place(from);
            if to != NONE {
                self.set(to, number, positions);
            }
        }
    }
}
