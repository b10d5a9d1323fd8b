//! A ledger of all values that were ever given to a cache, against which each answer is
//! checked. Unlike the model, it does not predict evictions, so it cannot say which answer
//! is expected, only whether one is wrong.
//!
//! Every value is unique, so that a value identifies its record.

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
    permits: Vec<(TestPermit, Request)>,
    waiters: Vec<(TestWaiter, Request)>,
    now: u64,
    /// The number of operations so far.
    step: usize,
    events: Vec<Reach>,
    records: BTreeMap<u32, Record>,
    /// The value stored last under each key.
    last: Vec<(Key, u32)>,
    failures: Vec<Failure>,
}

/// The parameters and the time of a request.
#[derive(Clone, Copy, Debug)]
struct Request {
    key: Key,
    class: usize,
    accept: Accept,
    /// The step of the request.
    step: usize,
    epoch: usize,
    now: u64,
    /// The step at which the permit was received.
    taken: usize,
}

/// The record of a value that was given to the cache.
#[derive(Clone, Debug)]
struct Record {
    key: Key,
    class: usize,
    /// `None` if unknown; then any tag reaches the value.
    tags: Option<Vec<usize>>,
    negative: bool,
    /// The duration of the fill, as the cache knows it.
    cost: u64,
    /// The number of invalidations when it was read.
    epoch: usize,
    /// The steps of the request and of the answer.
    asked: usize,
    given: usize,
    written: u64,
    /// The time of the last read if the class has a time to idle, or else of the write.
    read: u64,
    refused: Option<Refusal>,
}

/// A failed fill, and the entry that may be served instead.
#[derive(Clone, Copy, Debug)]
struct Failure {
    key: Key,
    class: usize,
    step: usize,
    /// The number of invalidations when the source was queried.
    epoch: usize,
    error: u32,
    /// The value, its age and its TTL.
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

/// Weights from 1 to 7, for a small bound.
fn weigh(value: u32) -> u64 {
    u64::from(value % 7 + 1)
}

impl Ledger {
    /// Whether an invalidation up to `epoch` reached the value after it was read.
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

    /// Records a read of the value.
    fn note_read(&mut self, value: u32) {
        let record = self.records.get_mut(&value).unwrap();
        if self.policies[record.class].idle.is_some() {
            record.read = self.now;
        }
    }

    /// The value that was stored last under the key, if it may still be stored: not
    /// invalidated, and not expired under its own class.
    fn kept(&self, key: Key) -> Option<(u32, &Record)> {
        let &(_, value) = self.last.iter().find(|(known, _)| *known == key)?;
        let record = &self.records[&value];
        let kept = self.phase(value, record.class) != Phase::Gone;
        (kept && !self.is_invalidated(value, self.events.len())).then_some((value, record))
    }

    /// Checks that a returned value is the stored one, and in this phase for this reader.
    fn check_entry(&self, asked: &Request, value: u32, phase: Phase, negative: bool) -> &Record {
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

    fn check_hit(&self, asked: &Request, hit: &Hit<u32>, phase: Phase, negative: bool) {
        let record = self.check_entry(asked, hit.value, phase, negative);
        assert_eq!(hit.age, Duration::from_nanos(self.now - record.written));
        let traits = record.traits(hit.value);
        let lives =
            [record.class, asked.class].map(|class| self.policies[class].life(traits).unwrap());
        let life = lives.into_iter().min().unwrap();
        assert_eq!(hit.ttl, Duration::from_nanos(life));
    }

    /// Checks that an early refresh was possible.
    fn check_early(&self, asked: &Request, hit: &Hit<u32>) {
        self.check_hit(asked, hit, Phase::Fresh, false);
        let record = &self.records[&hit.value];
        let age = self.now - record.written;
        let chance = [record.class, asked.class]
            .map(|class| self.policies[class].early(record.traits(hit.value), record.cost, age));
        assert_ne!(
            chance,
            [Chance::Never; 2],
            "refreshed early without a chance"
        );
    }

    /// Checks that a waiter's value was given while it waited, and read after every
    /// invalidation that reaches it and ended before the wait.
    fn check_waited(&self, asked: &Request, value: u32, negative: bool) {
        let record = &self.records[&value];
        assert_eq!((record.key, record.negative), (asked.key, negative));
        assert!(record.given > asked.step, "older than the question");
        assert!(!self.is_invalidated(value, asked.epoch), "invalidated");
        assert_ne!(record.refused, Some(Refusal::Superseded));
    }

    /// Checks that an entry served for a failed fill was stored, and within its windows, at
    /// a failure after the request.
    fn check_stand_in(&self, asked: &Request, hit: &Hit<u32>) {
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

    /// Whether the failed fill began before an invalidation that may reach it, and the
    /// request after.
    fn is_outdated(&self, failure: &Failure, asked: &Request) -> bool {
        let events = self.events.get(failure.epoch..asked.epoch).unwrap_or(&[]);
        events.iter().any(|event| match *event {
            Reach::Key(key) => key == failure.key,
            Reach::Half(Half(half)) => half == failure.key.half,
            Reach::Class(class) => class == failure.class,
            Reach::Tag(_) | Reach::Remainder(_) | Reach::Several(..) | Reach::All => true,
        })
    }

    fn failures_since(&self, asked: &Request) -> impl Iterator<Item = &Failure> {
        let (key, step) = (asked.key, asked.step);
        let mut failures = self.failures.iter();
        std::iter::from_fn(move || failures.find(|f| f.key == key && f.step > step))
    }

    /// Checks that a stored value was read after all invalidations that reach it, and that
    /// no newer value was stored in the meantime.
    fn check_stored(&self, asked: &Request, value: u32) {
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

    /// Checks that a refusal has its reason in the value or its class.
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
