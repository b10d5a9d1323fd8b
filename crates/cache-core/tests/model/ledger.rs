//! All that was ever given to a cache, and whether what it tells stands in
//! there. Unlike the model, the ledger does not know what the cache will answer,
//! as who leaves at a bound is the cache's affair; it knows what would be a lie.
//!
//! Every value is given once, so that a value tells where it comes from.

mod drive;

use std::{collections::BTreeMap, time::Duration};

use cache_core::{Hit, ManualClock, Refusal, TtlClass};

use crate::{
    ops::{Accept, CLASSES, Half, Key, Reach, own_ttl},
    pair::{TestCache, TestPermit, TestWaiter},
    policy::{Chance, Phase, Policy, Traits},
};

pub(crate) struct Ledger {
    clock: ManualClock,
    classes: [TtlClass; CLASSES],
    cache: TestCache,
    capacity: u64,
    policies: [Policy; CLASSES],
    permits: Vec<(TestPermit, Asked)>,
    waiters: Vec<(TestWaiter, Asked)>,
    now: u64,
    /// How many operations there were.
    step: usize,
    events: Vec<Reach>,
    records: BTreeMap<u32, Record>,
    /// The value stored last under each key.
    last: Vec<(Key, u32)>,
    failures: Vec<Failure>,
}

/// What someone asked for, and when.
#[derive(Clone, Copy, Debug)]
struct Asked {
    key: Key,
    class: usize,
    accept: Accept,
    /// At which step; a permit taken over is older than it looks.
    step: usize,
    epoch: usize,
    now: u64,
    /// At which step a permit was taken into hand.
    taken: usize,
}

/// How a value was given to the cache.
#[derive(Clone, Debug)]
struct Record {
    key: Key,
    class: usize,
    /// `None` where nobody said, so that any may be among them.
    tags: Option<Vec<usize>>,
    negative: bool,
    /// What it took to make, as far as the cache knows.
    cost: u64,
    /// How many invalidations there had been when it was read.
    epoch: usize,
    /// The step of the question that it answers, and that of the answer.
    asked: usize,
    given: usize,
    written: u64,
    /// When it was last read, if its class has a time to idle, or else written.
    read: u64,
    refused: Option<Refusal>,
}

/// A fill that failed, and what may stand in for its value.
#[derive(Clone, Copy, Debug)]
struct Failure {
    key: Key,
    class: usize,
    step: usize,
    /// How many invalidations there had been when the source was asked.
    epoch: usize,
    error: u32,
    /// A value, its age, and how long it was fresh.
    stand_in: Option<(u32, u64, u64)>,
}

impl Record {
    fn traits(&self, value: u32) -> Traits {
        Traits {
            key: self.key,
            negative: self.negative,
            own: own_ttl(value),
            read_at: self.read - self.written,
        }
    }

    fn is_reached(&self, value: u32, reach: Reach) -> bool {
        match reach {
            Reach::Key(key) => key == self.key,
            Reach::Half(Half(half)) => half == self.key.half,
            Reach::Tag(tag) => self.tags.as_ref().is_none_or(|tags| tags.contains(&tag)),
            Reach::Class(class) => class == self.class,
            Reach::Remainder(remainder) => value % 3 == remainder,
            Reach::Several(key, tag, class, remainder) => {
                self.is_reached(value, Reach::Key(key))
                    || self.is_reached(value, Reach::Tag(tag))
                    || self.is_reached(value, Reach::Class(class))
                    || self.is_reached(value, Reach::Remainder(remainder))
            }
            Reach::All => true,
        }
    }
}

/// Weights where the bound is small: from 1 to 7.
fn weigh(value: u32) -> u64 {
    u64::from(value % 7 + 1)
}

impl Ledger {
    /// Whether an invalidation reached the value between its reading and the
    /// time when there had been `epoch` of them.
    fn is_invalidated(&self, value: u32, epoch: usize) -> bool {
        let record = &self.records[&value];
        let events = self.events.get(record.epoch..epoch).unwrap_or(&[]);
        events.iter().any(|&event| record.is_reached(value, event))
    }

    fn phase(&self, value: u32, class: usize) -> Phase {
        let record = &self.records[&value];
        let age = self.now - record.written;
        self.policies[class].phase(record.traits(value), age)
    }

    /// Remembers that the value was read.
    fn note_read(&mut self, value: u32) {
        let record = self.records.get_mut(&value).unwrap();
        if self.policies[record.class].idle.is_some() {
            record.read = self.now;
        }
    }

    /// The record of the value that was stored last under the key, if it may be
    /// there yet: it was not invalidated, and its own class still keeps it.
    fn kept(&self, key: Key) -> Option<(u32, &Record)> {
        let &(_, value) = self.last.iter().find(|(known, _)| *known == key)?;
        let record = &self.records[&value];
        let kept = self.phase(value, record.class) != Phase::Gone;
        (kept && !self.is_invalidated(value, self.events.len())).then_some((value, record))
    }

    /// What is told must be what is kept; and, to this reader, in this phase.
    fn check_entry(&self, asked: &Asked, value: u32, phase: Phase, negative: bool) -> &Record {
        let (expected, record) = self.kept(asked.key).expect("nothing is kept");
        assert_eq!(value, expected, "not what was stored last");
        assert_eq!(record.negative, negative);
        let own = self.phase(value, record.class);
        assert_eq!(own.max(self.phase(value, asked.class)), phase);
        let age = self.now - record.written;
        match asked.accept {
            Accept::Any => {}
            Accept::MaxAge(most) => assert!(phase == Phase::Fresh && age <= most),
            Accept::Nothing => panic!("nothing was to be told"),
        }
        record
    }

    fn check_hit(&self, asked: &Asked, hit: &Hit<u32>, phase: Phase, negative: bool) {
        let record = self.check_entry(asked, hit.value, phase, negative);
        assert_eq!(hit.age, Duration::from_nanos(self.now - record.written));
        let traits = record.traits(hit.value);
        let lives =
            [record.class, asked.class].map(|class| self.policies[class].life(traits).unwrap());
        let life = lives.into_iter().min().unwrap();
        assert_eq!(hit.ttl, Duration::from_nanos(life));
    }

    /// Whether there was any chance of an early refresh.
    fn check_early(&self, asked: &Asked, hit: &Hit<u32>) {
        self.check_hit(asked, hit, Phase::Fresh, false);
        let record = &self.records[&hit.value];
        let age = self.now - record.written;
        let chance = [record.class, asked.class]
            .map(|class| self.policies[class].early(record.traits(hit.value), record.cost, age));
        assert_ne!(chance, [Chance::Never; 2], "made anew without a cause");
    }

    /// What a waiter is told came to an end while it waited, and was read after
    /// all that reaches it and that the waiter must not miss.
    fn check_waited(&self, asked: &Asked, value: u32, negative: bool) {
        let record = &self.records[&value];
        assert_eq!((record.key, record.negative), (asked.key, negative));
        assert!(record.given > asked.step, "older than the question");
        assert!(!self.is_invalidated(value, asked.epoch), "invalidated");
        assert_ne!(record.refused, Some(Refusal::Superseded));
    }

    /// What stands in stood in the cache, within its windows, at a failure that
    /// came after the question.
    fn check_stand_in(&self, asked: &Asked, hit: &Hit<u32>) {
        assert!(matches!(asked.accept, Accept::Any), "a stale value");
        let age = u64::try_from(hit.age.as_nanos()).unwrap();
        let policy = self.policies[asked.class];
        let traits = Traits {
            key: asked.key,
            negative: false,
            own: None,
            read_at: age,
        };
        assert_ne!(policy.phase(traits, age), Phase::Gone);
        let life = policy.life(traits).unwrap();
        let ttl = u64::try_from(hit.ttl.as_nanos()).unwrap();
        let mut failures = self.failures_since(asked);
        assert!(failures.any(|failure| {
            failure.stand_in.is_some_and(|(value, was, fresh)| {
                (value, was, fresh.min(life)) == (hit.value, age, ttl)
            })
        }));
    }

    /// Whether the failure came of a fill that began before an invalidation that
    /// may be about it, and the question after.
    fn is_outdated(&self, failure: &Failure, asked: &Asked) -> bool {
        let events = self.events.get(failure.epoch..asked.epoch).unwrap_or(&[]);
        events.iter().any(|event| match *event {
            Reach::Key(key) => key == failure.key,
            Reach::Half(Half(half)) => half == failure.key.half,
            Reach::Class(class) => class == failure.class,
            Reach::Tag(_) | Reach::Remainder(_) | Reach::Several(..) | Reach::All => true,
        })
    }

    fn failures_since(&self, asked: &Asked) -> impl Iterator<Item = &Failure> {
        let (key, step) = (asked.key, asked.step);
        let mut failures = self.failures.iter();
        std::iter::from_fn(move || failures.find(|f| f.key == key && f.step > step))
    }

    /// A value that was stored was read after all that reaches it, and no newer
    /// one was stored meanwhile.
    fn check_stored(&self, asked: &Asked, value: u32) {
        assert!(!self.is_invalidated(value, self.events.len()));
        let newer = |record: &&Record| {
            record.key == asked.key
                && record.asked > asked.taken
                && record.given < self.step
                && !matches!(
                    record.refused,
                    Some(Refusal::Superseded | Refusal::Invalidated)
                )
                && record.tags.is_some()
        };
        assert_eq!(self.records.values().find(newer).map(|r| r.given), None);
    }

    /// The ways in which the entry of the value can be refused are no surprise.
    fn check_refused(&self, value: u32, refusal: Option<Refusal>) {
        let record = &self.records[&value];
        let unheard_of = record.negative && self.policies[record.class].negative.is_none();
        match refusal {
            None => assert!(!unheard_of && weigh(value) <= self.capacity),
            Some(Refusal::NoNegatives) => assert!(unheard_of),
            Some(Refusal::TooLarge) => assert!(weigh(value) > self.capacity),
            Some(_) => {}
        }
    }
}
