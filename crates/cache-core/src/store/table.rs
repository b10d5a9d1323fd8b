//! A hash table whose elements keep their positions until it shrinks.
//!
//! The elements are in one vector; a hash index of `u32` positions finds them. If the
//! number of elements is known, the memory is reserved early and at once: unused pages are
//! not resident, and growing vectors fragment the heap. Beyond that, the vector grows by a
//! sixteenth, so only the index is ever half empty after it doubled. Growing moves no
//! element to another position; only shrinking does.

use std::ops::{Index, IndexMut};

use hashbrown::HashTable;

use crate::store::list::{NONE, index};

/// The number of positions in a chunk.
const CHUNK: usize = 8;

/// Tables with as few chunks as this are not worth shrinking.
const FEW: usize = 8;

/// Positions aligned to a cache line, so that an element of 64 bytes is in one line.
#[repr(align(64))]
struct Chunk<T>([Option<T>; CHUNK]);

impl<T> Chunk<T> {
    const EMPTY: Self = Self([const { None }; CHUNK]);
}

/// An element with its hash.
pub(crate) trait Hashed {
    fn hash(&self) -> u32;
}

/// The new positions of elements after the table shrank.
pub(crate) struct Moves(Vec<u32>);

impl Moves {
    pub(crate) fn new_place(&self, old: u32) -> u32 {
        // Every position is in the list; only `NONE` is not.
        self.0.get(old as usize).copied().unwrap_or(NONE)
    }
}

/// The table. The fields that look-ups touch come first.
#[repr(C)]
pub(crate) struct Table<T> {
    chunks: Vec<Chunk<T>>,
    index: HashTable<u32>,
    /// Vacant positions.
    free: Vec<u32>,
    /// The number of positions ever used.
    used: usize,
    /// The expected number of chunks; zero if unknown.
    expected: usize,
}

fn place<T>(chunks: &[Chunk<T>], at: u32) -> Option<&T> {
    chunks.get(at as usize / CHUNK)?.0[at as usize % CHUNK].as_ref()
}

fn place_mut<T>(chunks: &mut [Chunk<T>], at: u32) -> Option<&mut T> {
    chunks.get_mut(at as usize / CHUNK)?.0[at as usize % CHUNK].as_mut()
}

/// The hash for the index: the 32 bits twice, because the index uses both the low and the
/// high end.
fn index_hash(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl<T: Hashed> Table<T> {
    /// A table for about `expected` elements; zero if unknown.
    pub(crate) fn new(expected: usize) -> Self {
        Self {
            chunks: Vec::new(),
            index: HashTable::new(),
            free: Vec::new(),
            used: 0,
            expected: expected.div_ceil(CHUNK),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// An upper bound of all positions, exclusive.
    pub(crate) fn positions(&self) -> usize {
        self.used
    }

    /// The position of the element with this hash for which `same` returns `true`.
    pub(crate) fn find(&self, hash: u32, mut same: impl FnMut(&T) -> bool) -> Option<u32> {
        let same = |&at: &u32| self.get(at).is_some_and(&mut same);
        self.index.find(index_hash(hash), same).copied()
    }

    /// The element that [`find`](Self::find) finds.
    #[inline(always)]
    pub(crate) fn find_mut(
        &mut self,
        hash: u32,
        mut same: impl FnMut(&T) -> bool,
    ) -> Option<&mut T> {
        let chunks = &self.chunks;
        let same = |&at: &u32| matches!(place(chunks, at), Some(own) if same(own));
        let at = *self.index.find(index_hash(hash), same)?;
        place_mut(&mut self.chunks, at)
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        place(&self.chunks, at)
    }

    /// Whether no position is left for another element.
    pub(crate) fn is_full(&self) -> bool {
        self.used >= NONE as usize && self.free.is_empty()
    }

    /// The number of chunks to reserve when no capacity is left.
    fn more_chunks(&self) -> usize {
        let chunks = self.chunks.len();
        match self.expected {
            expected if chunks >= expected => chunks / 16 + 1,
            expected if chunks >= expected / 8 => expected - chunks,
            // The table may stay small.
            _ => chunks.max(1),
        }
    }

    /// Adds an element to a table that is not full.
    pub(crate) fn insert(&mut self, element: T) -> u32 {
        let hash = element.hash();
        let at = self.free.pop().unwrap_or_else(|| {
            self.used += 1;
            index(self.used - 1)
        });
        let chunk = at as usize / CHUNK;
        if chunk == self.chunks.len() {
            if chunk == self.chunks.capacity() {
                let more = self.more_chunks();
                self.chunks.reserve_exact(more);
            }
            self.chunks.push(Chunk::EMPTY);
        }
        self.chunks[chunk].0[at as usize % CHUNK] = Some(element);
        let chunks = &self.chunks;
        let rehash = |&at: &u32| hash_at(chunks, at);
        self.index.insert_unique(index_hash(hash), at, rehash);
        at
    }

    /// Replaces the element at a position, and returns the old one.
    #[inline]
    pub(crate) fn exchange(&mut self, at: u32, element: T) -> T {
        let hash = index_hash(element.hash());
        let old = std::mem::replace(&mut self[at], element);
        if let Ok(found) = self
            .index
            .find_entry(index_hash(old.hash()), |&other| other == at)
        {
            found.remove();
        }
        let chunks = &self.chunks;
        let rehash = |&at: &u32| hash_at(chunks, at);
        self.index.insert_unique(hash, at, rehash);
        old
    }

    pub(crate) fn remove(&mut self, at: u32) -> Option<T> {
        let chunk = self.chunks.get_mut(at as usize / CHUNK)?;
        let element = chunk.0[at as usize % CHUNK].take()?;
        let hash = index_hash(element.hash());
        if let Ok(found) = self.index.find_entry(hash, |&other| other == at) {
            found.remove();
        }
        self.free.push(at);
        Some(element)
    }

    /// Whether less than a quarter of the capacity is in use. The cost of copying the rest
    /// is amortised over the removals.
    pub(crate) fn is_sparse(&self) -> bool {
        let room = self.chunks.len();
        room > FEW && self.len() * 4 < room * CHUNK
    }

    /// Moves the elements together and frees the rest of the memory.
    pub(crate) fn shrink(&mut self) -> Moves {
        let mut moves = vec![NONE; self.used];
        let mut kept = Vec::with_capacity(self.len().div_ceil(CHUNK));
        let mut used = 0;
        let old = std::mem::take(&mut self.chunks).into_iter();
        for (place, element) in moves.iter_mut().zip(old.flat_map(|chunk| chunk.0)) {
            if element.is_some() {
                if used % CHUNK == 0 {
                    kept.push(Chunk::EMPTY);
                }
                kept[used / CHUNK].0[used % CHUNK] = element;
                *place = index(used);
                used += 1;
            }
        }
        (self.chunks, self.used, self.free) = (kept, used, Vec::new());
        for at in &mut self.index {
            *at = moves[*at as usize];
        }
        let chunks = &self.chunks;
        self.index.shrink_to(0, |&at| hash_at(chunks, at));
        Moves(moves)
    }

    /// All elements with their positions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let places = (0..).zip(self.chunks.iter().flat_map(|chunk| &chunk.0));
        places.filter_map(|(at, place)| Some((at, place.as_ref()?)))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let chunks = self.chunks.iter_mut();
        chunks.flat_map(|chunk| chunk.0.iter_mut().flatten())
    }

    /// Checks that the index and the list of vacant positions match the elements.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let mut found = 0;
        for (at, element) in self.iter() {
            let hash = index_hash(element.hash());
            if self.index.find(hash, |&other| other == at).is_none() {
                return Err(format!("place {at} is not in the index"));
            }
            found += 1;
        }
        if let Some(at) = self.free.iter().find(|&&at| self.get(at).is_some()) {
            return Err(format!("place {at} is free and taken"));
        }
        let told = (self.index.len(), self.free.len());
        if told != (found, self.used - found) {
            let used = self.used;
            return Err(format!("{found} of {used} places taken, told {told:?}"));
        }
        Ok(())
    }
}

fn hash_at<T: Hashed>(chunks: &[Chunk<T>], at: u32) -> u64 {
    // The index holds only occupied positions.
    place(chunks, at).map_or(0, |element| index_hash(element.hash()))
}

impl<T: Hashed> Index<u32> for Table<T> {
    type Output = T;

    fn index(&self, at: u32) -> &T {
        let Some(element) = self.get(at) else {
            unreachable!("links and handles name places that are taken");
        };
        element
    }
}

impl<T: Hashed> IndexMut<u32> for Table<T> {
    fn index_mut(&mut self, at: u32) -> &mut T {
        let Some(element) = place_mut(&mut self.chunks, at) else {
            unreachable!("links and handles name places that are taken");
        };
        element
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests;
