//! What can be done to a cache, as data.

use std::hash::{Hash, Hasher};

use cache_core::Equivalent;
use proptest::{collection::vec, prelude::*};

/// A key of which only the first half is hashed, so that hashes collide and a
/// [`Half`] is equivalent to several keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) half: u8,
    pub(crate) check: u8,
}

#[derive(Clone, Copy, Debug, Hash)]
pub(crate) struct Half(pub u8);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Half(self.half).hash(state);
    }
}

impl Equivalent<Key> for Half {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.half
    }
}

pub(crate) const CLASSES: usize = 3;
pub(crate) const TAGS: [&str; 4] = ["a", "b", "c", "d"];

/// Values divisible by this are heavier than the bound.
pub(crate) const TOO_LARGE: u32 = 19;

/// A reuse directive, with ages in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Accept {
    Any,
    MaxAge(u64),
    Nothing,
}

/// What an invalidation reaches.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach {
    Key(Key),
    Half(Half),
    Tag(usize),
    Class(usize),
    /// Values with this remainder modulo 3.
    Remainder(u32),
    All,
}

/// Handles (permits and waiters) are picked by their position, modulo how many
/// there are.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Get(Key, usize),
    Lookup(Key, usize, Accept),
    Fill(usize, u32, Vec<usize>),
    Share(usize, u32),
    DropPermit(usize),
    Poll(usize),
    DropWaiter(usize),
    Insert(Key, u32, usize, Vec<usize>),
    Advance(u64),
    SetTtl(usize, u64),
    Invalidate(Reach),
    Maintain(usize),
}

fn key() -> impl Strategy<Value = Key> {
    (0u8..4, 0u8..2).prop_map(|(half, check)| Key { half, check })
}

fn tags() -> impl Strategy<Value = Vec<usize>> {
    vec(0..TAGS.len(), 0..4)
}

fn accept() -> impl Strategy<Value = Accept> {
    prop_oneof![
        6 => Just(Accept::Any),
        1 => (0u64..30).prop_map(Accept::MaxAge),
        1 => Just(Accept::Nothing),
    ]
}

fn reach() -> impl Strategy<Value = Reach> {
    prop_oneof![
        3 => key().prop_map(Reach::Key),
        2 => (0u8..4).prop_map(|half| Reach::Half(Half(half))),
        4 => (0..TAGS.len()).prop_map(Reach::Tag),
        2 => (0..CLASSES).prop_map(Reach::Class),
        2 => (0u32..3).prop_map(Reach::Remainder),
        1 => Just(Reach::All),
    ]
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let class = || 0..CLASSES;
    let value = || 1u32..60;
    let pick = || 0usize..8;
    prop_oneof![
        6 => (key(), class()).prop_map(|(k, c)| Op::Get(k, c)),
        10 => (key(), class(), accept()).prop_map(|(k, c, a)| Op::Lookup(k, c, a)),
        7 => (pick(), value(), tags()).prop_map(|(p, v, t)| Op::Fill(p, v, t)),
        2 => (pick(), value()).prop_map(|(p, v)| Op::Share(p, v)),
        3 => pick().prop_map(Op::DropPermit),
        5 => pick().prop_map(Op::Poll),
        2 => pick().prop_map(Op::DropWaiter),
        5 => (key(), value(), class(), tags()).prop_map(|(k, v, c, t)| Op::Insert(k, v, c, t)),
        5 => (0u64..15).prop_map(Op::Advance),
        1 => (class(), 0u64..40).prop_map(|(c, t)| Op::SetTtl(c, t)),
        5 => reach().prop_map(Op::Invalidate),
        2 => (0usize..4).prop_map(Op::Maintain),
    ]
}
