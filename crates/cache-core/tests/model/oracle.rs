//! The naive model: vectors, searched from end to end. Here what it keeps; what
//! readers find is in `reading`, who fills and who waits in `flights`.
//!
//! Entries of no more use to anyone leave the model at once, the cache when it
//! comes across them; so the model counts at least as many expirations at any
//! time. It remembers which of them the cache may still hold: among these are
//! those that it surely removes when they are next looked at, and those that
//! maintenance need not reach, as they stand behind one that is kept longer.

mod flights;
mod reading;

use cache_core::{MAX_TAGS, Refusal};
use flights::{Flight, Waiter};
pub(crate) use flights::{Permit, Polled};
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
    /// When it was last read, if its class has a time to idle, or else written.
    read: u64,
    /// Entries are numbered in the order of writing, or of being read.
    number: usize,
    tags: Vec<usize>,
    negative: bool,
    /// Zero if nobody knows.
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

/// An entry as a reader is told of it.
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

/// What is to be stored, and where it comes from.
struct Arrival<'a> {
    key: Key,
    value: u32,
    class: usize,
    tags: &'a [usize],
    negative: bool,
    cost: u64,
    /// Flights issued later than this stay.
    limit: usize,
}

#[derive(Debug)]
pub(crate) struct Model {
    now: u64,
    policies: [Policy; CLASSES],
    pub(crate) entries: Vec<Entry>,
    /// Entries of no use that the cache may still hold.
    pub(crate) dead: Vec<Entry>,
    flights: Vec<Flight>,
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
            dead: Vec::new(),
            flights: Vec::new(),
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
                self.dead.push(entry);
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

    /// How long it takes until the entry picked passes the end of a phase by so
    /// much, if that is still to come in our lifetime.
    pub(crate) fn until(&self, pick: usize, end: End, past: u64) -> Option<u64> {
        let entry = self.entries.iter().rev().cycle().nth(pick)?;
        let policy = self.policies[entry.class];
        let age = policy.age_at(entry.traits(), end)?;
        let age = age.checked_add(past)?;
        let until = age.checked_sub(self.now - entry.written)?;
        (until < 1_000_000).then_some(until)
    }

    /// Of the entries of no use, how many maintenance need not reach.
    pub(crate) fn stuck(&self) -> usize {
        self.dead.iter().filter(|dead| self.is_stuck(dead)).count()
    }

    fn is_stuck(&self, dead: &Entry) -> bool {
        self.entries.iter().any(|entry| {
            let queue = |entry: &Entry| {
                let magnitude = own_ttl(entry.value).map(|own| own.max(1).ilog2());
                (entry.class, magnitude.ok_or(entry.negative))
            };
            let same_queue = queue(entry) == queue(dead);
            same_queue && entry.number < dead.number
        })
    }

    /// Maintenance went through.
    pub(crate) fn maintained(&mut self) {
        let (stuck, _) = std::mem::take(&mut self.dead)
            .into_iter()
            .partition(|dead| self.is_stuck(dead));
        self.dead = stuck;
    }

    pub(crate) fn insert(
        &mut self,
        key: Key,
        value: u32,
        class: usize,
        tags: &[usize],
    ) -> Result<Option<u32>, Refusal> {
        self.store(&Arrival {
            key,
            value,
            class,
            tags,
            negative: false,
            cost: 0,
            limit: usize::MAX,
        })
    }

    /// Stores an entry; returns the live one that it replaced. What it cannot
    /// store replaces all the same.
    fn store(&mut self, arrival: &Arrival<'_>) -> Result<Option<u32>, Refusal> {
        let &Arrival {
            key, value, class, ..
        } = arrival;
        self.land(arrival);
        self.dead.retain(|entry| entry.key != key);
        let old = self.entries.iter().position(|entry| entry.key == key);
        let old = old.map(|at| self.entries.remove(at));
        if arrival.negative && self.policies[class].negative.is_none() {
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
            tags: arrival.tags.to_vec(),
            negative: arrival.negative,
            cost: arrival.cost,
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
        self.dead.retain(|entry| !reached(entry));
        let before = self.entries.len();
        for entry in self.entries.iter().filter(|entry| reached(entry)) {
            self.counts.classes[entry.class].invalidations += 1;
        }
        self.entries.retain(|entry| !reached(entry));
        before - self.entries.len()
    }
}

/// The names of these tags, and of many more where the value is to have too
/// many.
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
