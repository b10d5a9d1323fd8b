//! The operations on a cache, as data.

use std::hash::{Hash, Hasher};

use cache_core::Equivalent;
use proptest::{collection::vec, prelude::*};

use crate::policy::Policy;

/// A key of which only the first half is hashed, so that hashes collide and a [`Half`] is
/// equivalent to several keys.
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
pub(crate) const TOO_LARGE: u32 = 29;

/// Values divisible by this have more tags than an entry may have.
pub(crate) const TOO_TAGGED: u32 = 23;

/// Values divisible by this have their own TTL.
const OWN_TTL: u32 = 7;

/// The own TTL of a value.
pub(crate) fn own_ttl(value: u32) -> Option<u64> {
    let own = u64::from(value / OWN_TTL % 16) * STEP;
    value.is_multiple_of(OWN_TTL).then_some(own)
}

/// The usual step of time in nanoseconds: half of the smallest fill cost that counts. Spans
/// are so short that the end of each is passed often.
const STEP: u64 = 500;

/// A reuse directive, with ages in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Accept {
    Any,
    MaxAge(u64),
    Nothing,
}

/// The selector of an invalidation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach {
    Key(Key),
    Half(Half),
    Tag(usize),
    Class(usize),
    /// Values with this remainder modulo 3.
    Remainder(u32),
    /// A key, a tag, a class and a remainder at once.
    Several(Key, usize, usize, u32),
    All,
}

/// An age at which the phase of an entry changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Life,
    Revalidate,
    OnError,
    Idle,
}

/// Handles (permits and waiters) are picked by position, modulo their number: permits and
/// entries from the newest on, waiters from the least recently polled on.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Get(Key, usize),
    Read(Key, usize),
    Lookup(Key, usize, Accept),
    Fill(usize, u32, Vec<usize>),
    FillNegative(usize, u32, Vec<usize>),
    /// With the number of an error.
    Fail(usize, u32),
    Share(usize, u32),
    DropPermit(usize),
    Poll(usize),
    DropWaiter(usize),
    Insert(Key, u32, usize, Vec<usize>),
    Advance(u64),
    /// To the end of a phase of the picked entry, and some time beyond.
    AdvanceTo(usize, End, u64),
    SetFreshness(usize, Policy),
    Invalidate(Reach),
    Maintain(usize),
}

/// Often the same key, so that much happens to it.
fn key() -> impl Strategy<Value = Key> {
    let half = prop_oneof![3 => Just(1u8), 2 => 0u8..4];
    let check = prop_oneof![6 => Just(0u8), 1 => Just(1)];
    (half, check).prop_map(|(half, check)| Key { half, check })
}

/// Mostly the same class, so that readers often name the class of the entry.
fn class() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0), 1 => 1..CLASSES]
}

fn tags() -> impl Strategy<Value = Vec<usize>> {
    vec(0..TAGS.len(), 0..4)
}

fn steps(most: u64) -> impl Strategy<Value = u64> {
    (0..=most).prop_map(|steps| steps * STEP)
}

fn accept() -> impl Strategy<Value = Accept> {
    prop_oneof![
        9 => Just(Accept::Any),
        2 => steps(16).prop_map(Accept::MaxAge),
        1 => Just(Accept::MaxAge(u64::MAX)),
        1 => Just(Accept::Nothing),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        2 => Just(End::Life),
        2 => Just(End::Revalidate),
        1 => Just(End::OnError),
        1 => Just(End::Idle),
    ]
}

/// A window after the TTL: none, one of the usual length, or one without end.
fn window(most: u64) -> impl Strategy<Value = u64> {
    prop_oneof![2 => Just(0), 8 => steps(most), 1 => Just(u64::MAX)]
}

pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    (
        prop_oneof![16 => steps(24), 1 => Just(u64::MAX)],
        window(8),
        window(32),
        prop::option::weighted(0.8, steps(12)),
        prop::option::weighted(0.3, steps(12)),
        prop_oneof![1 => Just(0), 1 => 1..=4u64],
        prop_oneof![2 => Just(0), 1 => Just(1), 2 => Just(64), 2 => Just(512)],
    )
        .prop_map(
            |(ttl, revalidate, on_error, negative, idle, jitter, early)| Policy {
                ttl,
                revalidate,
                on_error,
                negative,
                idle,
                jitter,
                early,
            },
        )
}

fn reach() -> impl Strategy<Value = Reach> {
    prop_oneof![
        6 => key().prop_map(Reach::Key),
        1 => (0u8..4).prop_map(|half| Reach::Half(Half(half))),
        4 => (0..TAGS.len()).prop_map(Reach::Tag),
        2 => (0..CLASSES).prop_map(Reach::Class),
        2 => (0u32..3).prop_map(Reach::Remainder),
        2 => (key(), 0..TAGS.len(), 0..CLASSES, 0u32..3)
            .prop_map(|(k, t, c, r)| Reach::Several(k, t, c, r)),
        1 => Just(Reach::All),
    ]
}

fn value() -> impl Strategy<Value = u32> {
    1u32..60
}

fn pick() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0), 2 => 0usize..8]
}

fn advance_to() -> impl Strategy<Value = Op> {
    (end(), 0u64..2).prop_map(|(end, past)| Op::AdvanceTo(0, end, past))
}

/// A scenario that random operations seldom reach: an entry is filled, ages, and is
/// refreshed while others wait and time advances; maybe behind another one of its class.
fn errand() -> impl Strategy<Value = Vec<Op>> {
    let asked = || (class(), accept());
    let outcome = prop_oneof![
        1 => (value(), tags()).prop_map(|(v, t)| Op::Fill(0, v, t)),
        1 => (value(), tags()).prop_map(|(v, t)| Op::FillNegative(0, v, t)),
        3 => (0u32..9).prop_map(|error| Op::Fail(0, error)),
    ];
    (
        (key(), class(), prop::option::of((key(), value()))),
        (value(), tags(), prop::bool::weighted(0.2), steps(8)),
        (
            advance_to(),
            prop::option::of((0usize..4).prop_map(Op::Maintain)),
        ),
        vec(asked(), 1..5),
        (prop::option::weighted(0.3, advance_to()), outcome),
    )
        .prop_map(
            |((key, class, before), made, (age, tidy), asked, (late, outcome))| {
                let (value, tags, negative, cost) = made;
                let mut ops = Vec::new();
                ops.extend(before.map(|(key, value)| Op::Insert(key, value, class, Vec::new())));
                ops.extend([
                    Op::Lookup(key, class, Accept::Nothing),
                    Op::Advance(cost),
                    if negative {
                        Op::FillNegative(0, value, tags)
                    } else {
                        Op::Fill(0, value, tags)
                    },
                    age,
                ]);
                ops.extend(tidy);
                let waiting = asked.len() - 1;
                let ask = |(class, accept)| Op::Lookup(key, class, accept);
                ops.extend(asked.into_iter().map(ask));
                ops.extend(late);
                ops.push(outcome);
                ops.extend((0..waiting).map(Op::Poll));
                ops
            },
        )
}

pub(crate) fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    let some = prop_oneof![16 => op().prop_map(|op| vec![op]), 1 => errand()];
    vec(some, 1..most).prop_map(|ops| ops.concat())
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (key(), class()).prop_map(|(k, c)| Op::Get(k, c)),
        2 => (key(), class()).prop_map(|(k, c)| Op::Read(k, c)),
        24 => (key(), class(), accept()).prop_map(|(k, c, a)| Op::Lookup(k, c, a)),
        10 => (pick(), value(), tags()).prop_map(|(p, v, t)| Op::Fill(p, v, t)),
        4 => (pick(), value(), tags()).prop_map(|(p, v, t)| Op::FillNegative(p, v, t)),
        6 => (pick(), 0u32..9).prop_map(|(p, e)| Op::Fail(p, e)),
        2 => (pick(), value()).prop_map(|(p, v)| Op::Share(p, v)),
        2 => pick().prop_map(Op::DropPermit),
        10 => pick().prop_map(Op::Poll),
        1 => pick().prop_map(Op::DropWaiter),
        4 => (key(), value(), class(), tags()).prop_map(|(k, v, c, t)| Op::Insert(k, v, c, t)),
        6 => steps(4).prop_map(Op::Advance),
        1 => (0u64..3).prop_map(Op::Advance),
        3 => (pick(), end(), 0u64..2).prop_map(|(p, e, past)| Op::AdvanceTo(p, e, past)),
        2 => (class(), policy()).prop_map(|(c, p)| Op::SetFreshness(c, p)),
        3 => reach().prop_map(Op::Invalidate),
        3 => (0usize..4).prop_map(Op::Maintain),
    ]
}
