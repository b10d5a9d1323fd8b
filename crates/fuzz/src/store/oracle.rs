//! The oracle: what was read, stored and invalidated, in order.

use std::collections::HashMap;

use arbitrary::Arbitrary;

/// The number of keys.
pub(super) const KEYS: u8 = 8;
/// The names of tags.
const TAGS: [&str; 4] = ["a", "b", "c", "d"];

/// The reach of an invalidation.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(super) enum Reach {
    Key(u8),
    Tag(u8),
    Class(bool),
    /// Values with this in their lowest bit but the key.
    Parity(bool),
    All,
    /// Everything that any of these reaches, as one invalidation.
    Several(u8, u8, bool, bool),
}

/// Odd keys are of one class, even ones of the other.
pub(super) fn class_of_key(key: u8) -> bool {
    key % 2 == 1
}

/// Some of [`TAGS`], a bit each.
#[derive(Arbitrary, Clone, Copy, Debug, Default)]
pub(super) struct Tags(u8);

impl Tags {
    pub(super) const fn all() -> Self {
        Self(u8::MAX)
    }

    pub(super) fn name(tag: u8) -> &'static str {
        TAGS[usize::from(tag) % TAGS.len()]
    }

    pub(super) fn names(self) -> Vec<&'static str> {
        let tags = TAGS.into_iter().enumerate();
        let among = tags.filter(|(at, _)| self.0 >> at & 1 == 1);
        among.map(|(_, name)| name).collect()
    }

    fn has(self, tag: u8) -> bool {
        self.0 >> (usize::from(tag) % TAGS.len()) & 1 == 1
    }
}

/// A value that encodes its key, and when it was read.
fn value(key: u8, read: u32) -> u32 {
    read << 3 | u32::from(key % KEYS)
}

pub(super) fn key_of(value: u32) -> u8 {
    (value % u32::from(KEYS)) as u8
}

fn read_at(value: u32) -> u32 {
    value >> 3
}

pub(super) fn parity_of(value: u32) -> bool {
    read_at(value) % 2 == 1
}

/// From 1 to 4; some are heavier than a small bound.
pub(super) fn weight_of(value: u32) -> u64 {
    u64::from(read_at(value) % 4) + 1
}

struct Stored {
    value: u32,
    written: u64,
    negative: bool,
}

/// The number of the next event.
#[derive(Default)]
pub(super) struct Oracle {
    count: u32,
    /// In nanoseconds.
    pub(super) now: u64,
    /// The value stored last under a key, unless it was removed since. It may have
    /// been evicted or have expired.
    stored: HashMap<u8, Stored>,
    tags: HashMap<u32, Tags>,
    inserted: HashMap<u8, u32>,
    invalidations: Vec<(u32, Reach)>,
}

impl Oracle {
    pub(super) fn next(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    /// A value that is read now.
    pub(super) fn read(&mut self, key: u8) -> u32 {
        value(key, self.next())
    }

    pub(super) fn tag(&mut self, value: u32, tags: Tags) {
        self.tags.insert(value, tags);
    }

    pub(super) fn store(&mut self, key: u8, value: u32, tags: Tags, negative: bool) {
        self.tag(value, tags);
        let stored = Stored {
            value,
            written: self.now,
            negative,
        };
        self.stored.insert(key, stored);
    }

    pub(super) fn forget(&mut self, key: u8) {
        self.stored.remove(&key);
    }

    /// Notes an insertion. It counts as newer than every read that began before it,
    /// so a fill with such a read must not overwrite it.
    pub(super) fn inserted(&mut self, key: u8, value: u32) {
        self.inserted.insert(key, value);
    }

    pub(super) fn is_overtaken(&self, key: u8, value: u32) -> bool {
        self.inserted.get(&key).is_some_and(|newer| *newer > value)
    }

    /// Checks a value that the store served.
    pub(super) fn told(&self, key: u8, value: u32) {
        match self.stored.get(&key) {
            Some(stored) => assert_eq!(value, stored.value, "not the last that was stored"),
            None => panic!("{value:#x} was told of key {key}, where nothing is"),
        }
    }

    pub(super) fn age(&self, key: u8) -> u64 {
        let written = self.stored.get(&key).map_or(0, |stored| stored.written);
        self.now - written
    }

    pub(super) fn is_negative(&self, key: u8) -> bool {
        self.stored.get(&key).is_some_and(|stored| stored.negative)
    }

    pub(super) fn invalidate(&mut self, reach: Reach) {
        let number = self.next();
        self.invalidations.push((number, reach));
        let tags = &self.tags;
        self.stored
            .retain(|_, stored| !reaches(reach, stored.value, tags));
    }

    /// Whether an invalidation after the value was read, and up to `until`,
    /// reaches it.
    pub(super) fn is_reached(&self, value: u32, until: u32) -> bool {
        let between = |number: u32| read_at(value) < number && number <= until;
        let mut between = self
            .invalidations
            .iter()
            .filter(|(number, _)| between(*number));
        between.any(|(_, reach)| reaches(*reach, value, &self.tags))
    }
}

fn reaches(reach: Reach, value: u32, tags: &HashMap<u32, Tags>) -> bool {
    match reach {
        Reach::Key(key) => key % KEYS == key_of(value),
        Reach::Tag(tag) => tags.get(&value).is_some_and(|tags| tags.has(tag)),
        Reach::Class(class) => class == class_of_key(key_of(value)),
        Reach::Parity(parity) => parity == parity_of(value),
        Reach::All => true,
        Reach::Several(key, tag, class, parity) => [
            Reach::Key(key),
            Reach::Tag(tag),
            Reach::Class(class),
            Reach::Parity(parity),
        ]
        .into_iter()
        .any(|reach| reaches(reach, value, tags)),
    }
}
