//! A hash table that holds its elements in place and grows by an eighth.
//!
//! Elements stand in groups of sixteen, beside a tag of seven hash bits each, and
//! a look-up compares the sixteen tags of a group at once (as in Abseil's Swiss
//! tables). An element that finds its group full goes on to the next, and each
//! group counts those that passed it by (as in Facebook's F14), so that a look-up
//! knows where to stop and a removal leaves nothing behind. Both allow for a load
//! of fifteen in sixteen. The number of groups is no power of two, so that no more
//! than a sixth of the places is ever empty because of growth.
//!
//! A position names an element until the table is resized, which only its owner
//! does: [`Moves`] tells where everything went.

use std::ops::{Index, IndexMut};

use wide::i8x16;

use crate::list::{NONE, index};

/// Places in a group.
const WIDTH: usize = 16;

/// Elements there may be for each group.
const LOAD: usize = 15;

/// A group that so many elements passed by counts no more: it stays passed until
/// the next resizing, which costs look-ups a group and is right all the same.
const UNCOUNTED: u8 = u8::MAX;

/// Tables with as few groups as this are not worth shrinking.
const FEW: usize = 4;

/// The tags of a group; zero where there is no element.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Tags([i8; WIDTH]);

/// Places that begin with a cache line, so that an element of 64 bytes lies in
/// one.
#[repr(align(64))]
struct Group<T>([Option<T>; WIDTH]);

impl<T> Group<T> {
    const EMPTY: Self = Self([const { None }; WIDTH]);
}

/// An element, which knows its hash.
pub(crate) trait Hashed {
    fn hash(&self) -> u32;
}

/// Where elements went when the table was resized.
pub(crate) struct Moves(Vec<u32>);

impl Moves {
    pub(crate) fn new_place(&self, old: u32) -> u32 {
        // Of all that is asked for, only `NONE` is not in the list.
        self.0.get(old as usize).copied().unwrap_or(NONE)
    }
}

/// What look-ups touch stands first.
#[repr(C)]
pub(crate) struct Table<T> {
    tags: Box<[Tags]>,
    groups: Box<[Group<T>]>,
    len: usize,
    /// How many elements passed each group by.
    passed: Box<[u8]>,
}

/// The tag of a hash: never zero, and other bits than those that choose the
/// group, which are the high ones. The lowest is the same in all.
fn tag(hash: u32) -> i8 {
    ((hash >> 1) as u8 | 1 << 7) as i8
}

/// The group, of so many, where an element with this hash belongs. Higher hashes
/// belong to later groups, so that resizing reads and writes in order.
fn home(hash: u32, groups: usize) -> usize {
    // Below `groups`, so that it fits.
    ((u64::from(hash) * groups as u64) >> 32) as usize
}

/// A bit for each place of a group whose tag is this one.
fn matching(tags: &Tags, tag: i8) -> u32 {
    i8x16::new(tags.0).simd_eq(i8x16::splat(tag)).to_bitmask()
}

impl<T: Hashed> Table<T> {
    pub(crate) fn new() -> Self {
        Self::with_groups(0)
    }

    fn with_groups(groups: usize) -> Self {
        Self {
            tags: vec![Tags([0; WIDTH]); groups].into(),
            groups: std::iter::repeat_with(|| Group::EMPTY)
                .take(groups)
                .collect(),
            len: 0,
            passed: vec![0; groups].into(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Every position is below this.
    pub(crate) fn positions(&self) -> usize {
        self.groups.len() * WIDTH
    }

    fn after(&self, group: usize) -> usize {
        let next = group + 1;
        if next == self.tags.len() { 0 } else { next }
    }

    /// The element that has this hash and is the `same`.
    #[inline(always)]
    pub(crate) fn find_mut(
        &mut self,
        hash: u32,
        mut same: impl FnMut(&T) -> bool,
    ) -> Option<&mut T> {
        let first = home(hash, self.tags.len());
        let mut group = first;
        loop {
            let mut candidates = matching(self.tags.get(group)?, tag(hash));
            while candidates != 0 {
                let place = candidates.trailing_zeros() as usize % WIDTH;
                if let Some(Group(places)) = self.groups.get(group)
                    && let Some(element) = &places[place]
                    && same(element)
                {
                    return self.groups[group].0[place].as_mut();
                }
                candidates &= candidates - 1;
            }
            if self.passed[group] == 0 {
                return None;
            }
            group = self.after(group);
            // Every group may have been passed by.
            if group == first {
                return None;
            }
        }
    }

    /// Where that element is.
    pub(crate) fn find(&self, hash: u32, mut same: impl FnMut(&T) -> bool) -> Option<u32> {
        let first = home(hash, self.tags.len());
        let mut group = first;
        loop {
            let mut candidates = matching(self.tags.get(group)?, tag(hash));
            while candidates != 0 {
                let place = candidates.trailing_zeros() as usize % WIDTH;
                if self.groups[group].0[place].as_ref().is_some_and(&mut same) {
                    return Some(position(group, place));
                }
                candidates &= candidates - 1;
            }
            if self.passed[group] == 0 {
                return None;
            }
            group = self.after(group);
            // Every group may have been passed by.
            if group == first {
                return None;
            }
        }
    }

    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        let Group(places) = self.groups.get(at as usize / WIDTH)?;
        places[at as usize % WIDTH].as_ref()
    }

    fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        let Group(places) = self.groups.get_mut(at as usize / WIDTH)?;
        places[at as usize % WIDTH].as_mut()
    }

    /// Whether it must grow before it takes one more element.
    pub(crate) fn is_full(&self) -> bool {
        self.len >= self.groups.len() * LOAD
    }

    /// Whether it can grow no more, for want of positions.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.positions() >= (NONE as usize - WIDTH) / 9 * 8
    }

    /// Adds an element to a table that is not full.
    pub(crate) fn insert(&mut self, element: T) -> u32 {
        let hash = element.hash();
        let mut group = home(hash, self.tags.len());
        loop {
            let vacant = matching(&self.tags[group], 0);
            if vacant != 0 {
                let place = vacant.trailing_zeros() as usize % WIDTH;
                self.tags[group].0[place] = tag(hash);
                self.groups[group].0[place] = Some(element);
                self.len += 1;
                return position(group, place);
            }
            let passed = &mut self.passed[group];
            *passed = passed.saturating_add(1);
            group = self.after(group);
        }
    }

    pub(crate) fn remove(&mut self, at: u32) -> Option<T> {
        let (group, place) = (at as usize / WIDTH, at as usize % WIDTH);
        let element = self.groups.get_mut(group)?.0[place].take()?;
        self.tags[group].0[place] = 0;
        self.len -= 1;
        let mut passed_by = home(element.hash(), self.tags.len());
        while passed_by != group {
            let passed = &mut self.passed[passed_by];
            if *passed != UNCOUNTED {
                *passed -= 1;
            }
            passed_by = self.after(passed_by);
        }
        Some(element)
    }

    /// Whether less than a quarter of the room is in use, so that the copy of
    /// what is left is paid for by the removals that led there.
    pub(crate) fn is_sparse(&self) -> bool {
        self.groups.len() > FEW && self.len * 4 < self.positions()
    }

    /// Makes room for an eighth more than there is.
    pub(crate) fn grow(&mut self) -> Moves {
        self.resize(self.groups.len() + self.groups.len() / 8 + 1)
    }

    /// Gives back what the elements do not need.
    pub(crate) fn shrink(&mut self) -> Moves {
        self.resize(self.len.div_ceil(LOAD))
    }

    fn resize(&mut self, groups: usize) -> Moves {
        let mut moves = vec![NONE; self.positions()];
        let old = std::mem::replace(self, Self::with_groups(groups));
        let old = old.groups.into_iter().flat_map(|group| group.0);
        for (to, element) in moves.iter_mut().zip(old) {
            if let Some(element) = element {
                *to = self.insert(element);
            }
        }
        Moves(moves)
    }

    /// All elements with their positions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let places = (0..).zip(self.groups.iter().flat_map(|group| &group.0));
        places.filter_map(|(at, place)| Some((at, place.as_ref()?)))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let groups = self.groups.iter_mut();
        groups.flat_map(|group| group.0.iter_mut().flatten())
    }

    /// Checks that tags and counts tell of the elements that are there.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let mut passed = vec![0_usize; self.groups.len()];
        let mut found = 0;
        for (at, element) in self.iter() {
            let (group, place) = (at as usize / WIDTH, at as usize % WIDTH);
            if self.tags[group].0[place] != tag(element.hash()) {
                return Err(format!("place {at} has another tag than its element"));
            }
            let mut passed_by = home(element.hash(), self.groups.len());
            while passed_by != group {
                passed[passed_by] += 1;
                passed_by = self.after(passed_by);
            }
            found += 1;
        }
        let tagged = self.tags.iter().flat_map(|tags| tags.0);
        let tagged = tagged.filter(|&tag| tag != 0).count();
        if (found, tagged) != (self.len, self.len) {
            let len = self.len;
            return Err(format!("{found} elements, {tagged} tags, told {len}"));
        }
        let told = self.passed.iter();
        let mut wrong = told
            .zip(&passed)
            .filter(|&(&told, &passed)| told != UNCOUNTED && usize::from(told) != passed);
        match wrong.next() {
            Some((told, passed)) => Err(format!("{passed} elements passed by, told {told}")),
            None => Ok(()),
        }
    }
}

fn position(group: usize, place: usize) -> u32 {
    index(group * WIDTH + place)
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
        let Some(element) = self.get_mut(at) else {
            unreachable!("links and handles name places that are taken");
        };
        element
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests;
