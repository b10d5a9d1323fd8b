//! A slab: a vector with stable indexes that reuses vacant positions.

use std::ops::{Index, IndexMut};

use crate::store::list::{NONE, index};

/// A slab grows by at least so many positions.
const FEW: usize = 8;

/// Elements with an index that stays valid until they are removed. A vacant position keeps
/// a copy of its last element.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<T>,
    free: Vec<u32>,
}

impl<T: Copy> Slab<T> {
    pub(crate) const fn new() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether `more` elements can be inserted.
    pub(crate) fn has_room(&self, more: usize) -> bool {
        more < (NONE as usize).saturating_sub(self.len())
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(at) = self.free.pop() {
            self.places[at as usize] = value;
            return at;
        }
        if self.places.len() == self.places.capacity() {
            // By a sixteenth: twice as many would leave up to half of them empty.
            let more = (self.places.len() / 16).max(FEW);
            self.places.reserve_exact(more);
        }
        self.places.push(value);
        index(self.places.len() - 1)
    }

    pub(crate) fn remove(&mut self, at: u32) -> T {
        self.free.push(at);
        self.places[at as usize]
    }

    /// All positions, including vacant ones.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut()
    }

    /// Whether so few positions are in use that a copy pays off.
    pub(crate) fn is_sparse(&self) -> bool {
        is_sparse(self.len(), self.places.capacity())
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        &self.places[at as usize]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        &mut self.places[at as usize]
    }
}

/// Whether less than a quarter of the capacity, above a small floor, is in use. The cost of
/// copying the rest is amortised over the removals, three for each copied element.
pub(crate) fn is_sparse(used: usize, capacity: usize) -> bool {
    capacity > 64 && used < capacity / 4
}
