//! The naive model: vectors and linear searches. This file has the entries; reads are in
//! `reading`, fills and waiters in `in_flight`.
//!
//! The model removes expired entries at once, the cache when it meets them, so the model
//! never counts fewer expirations. It keeps a list of those that the cache may still hold:
//! a look-up surely removes them; maintenance need not reach those that are behind a
//! longer-lived entry in their queue.

mod in_flight;
mod reading;

use cache_core::{MAX_TAGS, Refusal};
use in_flight::{InFlight, Waiter};
pub(crate) use in_flight::{Permit, Polled};
pub(crate) use reading::Found;

use crate::{
    ops::{CLASSES, End, Half, Key, Reach, TAGS, TOO_LARGE, TOO_TAGGED, own_ttl},
    policy::{Phase, Policy, Traits},
};

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: u32,
    class: usize,
    written: u64,
    /// The time of the last read if the class has a time to idle, or else of the write.
    read: u64,
    /// Numbers entries in the order of writes or last reads.
    number: usize,
    tags: Vec<usize>,
    negative: bool,
    /// Zero if unknown.
    cost: u64,
}

impl Entry {
    pub(crate) fn traits(&self) -> Traits {
        Traits {
            key: self.key,
            negative: self.negative,
            own: own_ttl(self.value),
            read_at: self.read - self.written,
        }
    }
}

/// An entry as a reader gets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) value: u32,
    pub(crate) age: u64,
    pub(crate) ttl: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClassCounts {
    pub(crate) entries: usize,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) stale: u64,
    pub(crate) negative: u64,
    pub(crate) early_refreshes: u64,
    pub(crate) invalidations: u64,
    pub(crate) expirations: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) classes: [ClassCounts; CLASSES],
    pub(crate) coalesced: u64,
    pub(crate) refused: u64,
    pub(crate) rejected: u64,
    pub(crate) failed: u64,
}

impl Counts {
    pub(crate) fn sum(&self, of: impl Fn(&ClassCounts) -> u64) -> u64 {
        self.classes.iter().map(of).sum()
    }
}

/// A value to be stored, and its source.
struct NewEntry<'a> {
    key: Key,
    value: u32,
    class: usize,
    tags: &'a [usize],
    negative: bool,
    cost: u64,
    /// Fills with later permits than this are not ended.
    limit: usize,
}

#[derive(Debug)]
pub(crate) struct Model {
    now: u64,
    policies: [Policy; CLASSES],
    pub(crate) entries: Vec<Entry>,
    /// Expired entries that the cache may still hold.
    pub(crate) expired: Vec<Entry>,
    in_flight: Vec<InFlight>,
    waiters: Vec<Option<Waiter>>,
    events: Vec<Reach>,
    stamps: usize,
    counts: Counts,
}

impl Model {
    pub(crate) fn new(policies: [Policy; CLASSES]) -> Self {
        Self {
            now: 0,
            policies,
            entries: Vec::new(),
            expired: Vec::new(),
            in_flight: Vec::new(),
            waiters: Vec::new(),
            events: Vec::new(),
            stamps: 0,
            counts: Counts::default(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = self.counts;
        for (index, class) in counts.classes.iter_mut().enumerate() {
            let of_class = self.entries.iter().filter(|entry| entry.class == index);
            class.entries = of_class.count();
        }
        counts
    }

    fn stamp(&mut self) -> usize {
        self.stamps += 1;
        self.stamps
    }

    fn phase(&self, entry: &Entry, class: usize) -> Phase {
        let age = self.now - entry.written;
        self.policies[class].phase(entry.traits(), age)
    }

    fn expire(&mut self) {
        for entry in std::mem::take(&mut self.entries) {
            if self.phase(&entry, entry.class) == Phase::Gone {
                self.counts.classes[entry.class].expirations += 1;
                self.expired.push(entry);
            } else {
                self.entries.push(entry);
            }
        }
    }

    pub(crate) fn age(&self, entry: &Entry) -> u64 {
        self.now - entry.written
    }

    pub(crate) fn advance(&mut self, by: u64) {
        self.now += by;
        self.expire();
    }

    pub(crate) fn set_policy(&mut self, class: usize, policy: Policy) {
        self.policies[class] = policy;
        self.expire();
    }

    /// The time until the picked entry is `past` beyond the end of a phase, if that is in
    /// the range of the clock.
    pub(crate) fn until(&self, pick: usize, end: End, past: u64) -> Option<u64> {
        let entry = self.entries.iter().rev().cycle().nth(pick)?;
        let policy = self.policies[entry.class];
        let age = policy.age_at(entry.traits(), end)?;
        let age = age.checked_add(past)?;
        let until = age.checked_sub(self.now - entry.written)?;
        (until < 1_000_000).then_some(until)
    }

    /// The number of expired entries that maintenance need not reach.
    pub(crate) fn stuck(&self) -> usize {
        self.expired
            .iter()
            .filter(|expired| self.is_stuck(expired))
            .count()
    }

    fn is_stuck(&self, expired: &Entry) -> bool {
        self.entries.iter().any(|entry| {
            let queue = |entry: &Entry| {
                let magnitude = own_ttl(entry.value).map(|own| own.max(1).ilog2());
                (entry.class, magnitude.ok_or(entry.negative))
            };
            let same_queue = queue(entry) == queue(expired);
            same_queue && entry.number < expired.number
        })
    }

    /// Applies a complete run of maintenance.
    pub(crate) fn maintained(&mut self) {
        let (stuck, _) = std::mem::take(&mut self.expired)
            .into_iter()
            .partition(|expired| self.is_stuck(expired));
        self.expired = stuck;
    }

    pub(crate) fn insert(
        &mut self,
        key: Key,
        value: u32,
        class: usize,
        tags: &[usize],
    ) -> Result<Option<u32>, Refusal> {
        self.store(&NewEntry {
            key,
            value,
            class,
            tags,
            negative: false,
            cost: 0,
            limit: usize::MAX,
        })
    }

    /// Stores an entry and returns the live one that it replaced. A refused entry also
    /// removes the old one.
    fn store(&mut self, new: &NewEntry<'_>) -> Result<Option<u32>, Refusal> {
        let &NewEntry {
            key, value, class, ..
        } = new;
        self.end_superseded(new);
        self.expired.retain(|entry| entry.key != key);
        let old = self.entries.iter().position(|entry| entry.key == key);
        let old = old.map(|at| self.entries.remove(at));
        if new.negative && self.policies[class].negative.is_none() {
            return Err(Refusal::NoNegatives);
        }
        if value % TOO_TAGGED == 0 {
            self.counts.rejected += 1;
            return Err(Refusal::TooManyTags);
        }
        if value % TOO_LARGE == 0 {
            self.counts.rejected += 1;
            return Err(Refusal::TooLarge);
        }
        let number = self.stamp();
        self.entries.push(Entry {
            key,
            value,
            class,
            written: self.now,
            read: self.now,
            number,
            tags: new.tags.to_vec(),
            negative: new.negative,
            cost: new.cost,
        });
        Ok(old.map(|old| old.value))
    }

    pub(crate) fn invalidate(&mut self, reach: Reach) -> usize {
        self.events.push(reach);
        let reached = |entry: &Entry| match reach {
            Reach::Key(key) => entry.key == key,
            Reach::Half(Half(half)) => entry.key.half == half,
            Reach::Tag(tag) => entry.tags.contains(&tag),
            Reach::Class(class) => entry.class == class,
            Reach::Remainder(remainder) => entry.value % 3 == remainder,
            Reach::Several(key, tag, class, remainder) => {
                entry.key == key
                    || entry.tags.contains(&tag)
                    || entry.class == class
                    || entry.value % 3 == remainder
            }
            Reach::All => true,
        };
        self.expired.retain(|entry| !reached(entry));
        let before = self.entries.len();
        for entry in self.entries.iter().filter(|entry| reached(entry)) {
            self.counts.classes[entry.class].invalidations += 1;
        }
        self.entries.retain(|entry| !reached(entry));
        before - self.entries.len()
    }
}

/// The names of these tags, and many more for values that have too many.
pub(crate) fn names(tags: &[usize], value: u32) -> Vec<&'static str> {
    static MANY: std::sync::LazyLock<Vec<String>> =
        std::sync::LazyLock::new(|| (0..=MAX_TAGS).map(|n| format!("tag {n}")).collect());
    let many = if value.is_multiple_of(TOO_TAGGED) {
        &MANY[..]
    } else {
        &[]
    };
    let own = tags.iter().map(|&tag| TAGS[tag]);
    own.chain(many.iter().map(String::as_str)).collect()
}
