//! A cache and its model, on which the same operations run.

mod check;

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use cache_core::{
    Cache, Fill, Hit, Lookup, ManualClock, Permit, Refusal, Reuse, Selection, TtlClass, Waited,
    Waiter,
};

use crate::{
    hashing::Steady,
    ops::{Accept, CLASSES, Key, Op, Reach, TAGS, TOO_LARGE, own_ttl},
    oracle::{self, Found, Model, Polled, Told, names},
    policy::{Chance, Policy},
    tally::Tally,
};

pub(crate) type TestCache = Cache<Key, u32, ManualClock, Steady>;
pub(crate) type TestPermit = Permit<Key, u32>;
pub(crate) type TestWaiter = Waiter<Key, u32>;

pub(crate) struct Pair {
    clock: ManualClock,
    classes: [TtlClass; CLASSES],
    cache: TestCache,
    permits: Vec<(TestPermit, oracle::Permit)>,
    waiters: Vec<(TestWaiter, usize)>,
    model: Model,
    tally: Tally,
}

/// Takes the handle picked from the first on, if there is any.
pub(crate) fn pick<T>(handles: &mut Vec<T>, pick: usize) -> Option<T> {
    (!handles.is_empty()).then(|| handles.remove(pick % handles.len()))
}

/// Takes the handle picked from the last on, if there is any.
pub(crate) fn pick_newest<T>(handles: &mut Vec<T>, pick: usize) -> Option<T> {
    (!handles.is_empty()).then(|| handles.remove(handles.len() - 1 - pick % handles.len()))
}

/// Names the classes of a test, and gives them their policies.
pub(crate) fn classes(cache: &TestCache, policies: [Policy; CLASSES]) -> [TtlClass; CLASSES] {
    let classes = [
        TtlClass::DEFAULT,
        cache.classes().define("another").unwrap(),
        cache.classes().define("custom").unwrap(),
    ];
    for (class, policy) in classes.into_iter().zip(policies) {
        cache.classes().set_freshness(class, policy.freshness());
    }
    classes
}

pub(crate) const fn reuse(accept: Accept) -> Reuse {
    match accept {
        Accept::Any => Reuse::Any,
        Accept::MaxAge(u64::MAX) => Reuse::MaxAge(Duration::MAX),
        Accept::MaxAge(age) => Reuse::MaxAge(Duration::from_nanos(age)),
        Accept::Nothing => Reuse::Nothing,
    }
}

pub(crate) fn invalidate(cache: &TestCache, classes: [TtlClass; CLASSES], reach: Reach) -> usize {
    match reach {
        // Keys are exact, so that there is one entry at most.
        Reach::Key(key) if key.check % 2 == 0 => usize::from(cache.remove(&key).is_some()),
        Reach::Key(key) => cache.invalidate(&key),
        Reach::Half(half) => cache.invalidate(&half),
        Reach::Tag(tag) => cache.invalidate_tag(TAGS[tag]),
        Reach::Class(class) => cache.invalidate_class(classes[class]),
        Reach::Remainder(remainder) => cache.invalidate_if(move |_, value| value % 3 == remainder),
        Reach::Several(key, tag, class, remainder) => cache.invalidate_any(&Selection {
            keys: &[key],
            tags: &[TAGS[tag]],
            classes: &[classes[class]],
            predicates: &[Arc::new(move |_: &Key, value: &u32| value % 3 == remainder)],
            all: false,
        }),
        Reach::All => cache.invalidate_all(),
    }
}

pub(crate) fn poll(waiter: &mut TestWaiter) -> Poll<Waited<Key, u32>> {
    let mut context = Context::from_waker(Waker::noop());
    Future::poll(Pin::new(waiter), &mut context)
}

/// The value with its tags, and its own TTL if it has one.
pub(crate) fn fill_of(value: u32, tags: &[usize], negative: bool) -> Fill<u32> {
    let fill = if negative {
        Fill::negative(value)
    } else {
        Fill::new(value)
    };
    let fill = fill.tags(names(tags, value));
    match own_ttl(value) {
        Some(ttl) => fill.ttl(Duration::from_nanos(ttl)),
        None => fill,
    }
}

fn told(hit: &Hit<u32>) -> Told {
    let told = Told {
        value: hit.value,
        age: u64::try_from(hit.age.as_nanos()).unwrap(),
        ttl: u64::try_from(hit.ttl.as_nanos()).unwrap(),
    };
    let remaining = told.ttl.saturating_sub(told.age);
    assert_eq!(hit.remaining(), Duration::from_nanos(remaining));
    assert_eq!(hit.is_stale(), told.age > told.ttl);
    told
}

impl Pair {
    pub(crate) fn new(shards: usize, policies: [Policy; CLASSES]) -> Self {
        let clock = ManualClock::new();
        // Everything weighs 1, except for what is too large.
        let capacity = 1_000;
        let cache = Cache::builder()
            .max_weight(capacity, move |_, value| {
                if value % TOO_LARGE == 0 {
                    capacity + 1
                } else {
                    1
                }
            })
            .clock(clock.clone())
            .hasher(Steady)
            .shards(shards)
            .build()
            .unwrap();
        Self {
            clock,
            classes: classes(&cache, policies),
            cache,
            permits: Vec::new(),
            waiters: Vec::new(),
            model: Model::new(policies),
            tally: Tally::default(),
        }
    }

    pub(crate) fn apply(&mut self, op: &Op) {
        match op {
            Op::Get(key, class) => self.get(*key, *class),
            Op::Read(key, class) => self.read(*key, *class),
            Op::Lookup(key, class, accept) => self.lookup(*key, *class, *accept),
            Op::Fill(at, value, tags) => self.fill(*at, *value, tags, false),
            Op::FillNegative(at, value, tags) => self.fill(*at, *value, tags, true),
            Op::Fail(at, error) => self.fail(*at, *error),
            Op::Share(at, value) => {
                if let Some((permit, model)) = pick_newest(&mut self.permits, *at) {
                    self.model.share(model, *value);
                    let shared = permit.fill(Fill::shared(*value));
                    assert!(shared.is_err());
                }
            }
            Op::DropPermit(at) => {
                if let Some((permit, model)) = pick_newest(&mut self.permits, *at) {
                    self.model.drop_permit(model);
                    drop(permit);
                }
            }
            Op::Poll(at) => {
                if let Some((waiter, number)) = pick(&mut self.waiters, *at) {
                    self.poll(waiter, number);
                }
            }
            Op::DropWaiter(at) => {
                if let Some((waiter, number)) = pick(&mut self.waiters, *at) {
                    self.model.drop_waiter(number);
                    drop(waiter);
                }
            }
            Op::Insert(key, value, class, tags) => {
                let fill = fill_of(*value, tags, false);
                let inserted = self.cache.insert(*key, fill, self.classes[*class]);
                let inserted = inserted.map_err(|rejected| {
                    assert_eq!(rejected.value, *value);
                    rejected.reason
                });
                self.tally.count(match &inserted {
                    Ok(None) => "inserted where there was none",
                    Ok(Some(_)) => "replaced",
                    Err(Refusal::TooLarge) => "rejected: too large",
                    Err(_) => "rejected: too many tags",
                });
                let expected = self.model.insert(*key, *value, *class, tags);
                assert_eq!(inserted, expected);
            }
            Op::Advance(by) => self.advance(*by),
            Op::AdvanceTo(at, end, past) => {
                if let Some(by) = self.model.until(*at, *end, *past) {
                    self.advance(by);
                }
            }
            Op::SetFreshness(class, policy) => {
                // A longer TTL revives expired entries that are not removed yet. The model
                // removes at once, so the cache must have removed them too.
                self.remove_dead();
                self.model.set_policy(*class, *policy);
                let classes = self.cache.classes();
                classes.set_freshness(self.classes[*class], policy.freshness());
            }
            Op::Invalidate(reach) => {
                let expected = self.model.invalidate(*reach);
                let removed = invalidate(&self.cache, self.classes, *reach);
                assert_eq!(removed, expected, "{reach:?}");
            }
            Op::Maintain(budget) => self.maintain(*budget),
        }
        self.check();
    }

    fn advance(&mut self, by: u64) {
        self.model.advance(by);
        self.clock.advance(Duration::from_nanos(by));
    }

    fn get(&mut self, key: Key, class: usize) {
        let found = self.cache.get(&key, self.classes[class]);
        let outcome = found.map_or("not got", |_| "got");
        self.tally.count(outcome);
        assert_eq!(found, self.model.get(key, class));
    }

    fn read(&mut self, key: Key, class: usize) {
        let age = self.model.entries.iter().find(|entry| entry.key == key);
        let age = age.map(|entry| self.model.age(entry));
        let found = self.cache.read(&key, self.classes[class], |value, meta| {
            assert_eq!(Some(meta.age()), age.map(Duration::from_nanos));
            assert!(meta.age() <= meta.ttl(), "lent a stale value");
            *value
        });
        assert_eq!(found, self.model.get(key, class));
    }

    fn lookup(&mut self, key: Key, class: usize, accept: Accept) {
        let found = self.cache.lookup(key, self.classes[class], reuse(accept));
        let chosen = matches!(found, Lookup::Early(..));
        let expected = self.model.lookup(key, class, accept, chosen);
        self.tally_lookup(&found, key, class, accept);
        if let Found::Hit(_, Chance::Some) = expected {
            self.tally.count("hit that might have been early");
        }
        match (found, expected) {
            (Lookup::Hit(hit), Found::Hit(expected, _))
            | (Lookup::Negative(hit), Found::Negative(expected))
            | (Lookup::Stale(hit, None), Found::Stale(expected, None)) => {
                assert_eq!(told(&hit), expected);
            }
            (Lookup::Early(hit, permit), Found::Early(expected, model))
            | (Lookup::Stale(hit, Some(permit)), Found::Stale(expected, Some(model))) => {
                assert_eq!(told(&hit), expected);
                self.permits.push((permit, model));
            }
            (Lookup::Miss(permit), Found::Miss(model)) => self.permits.push((permit, model)),
            (Lookup::InFlight(waiter), Found::InFlight(number)) => {
                self.waiters.push((waiter, number));
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    fn fill(&mut self, at: usize, value: u32, tags: &[usize], negative: bool) {
        let Some((permit, model)) = pick_newest(&mut self.permits, at) else {
            return;
        };
        assert_eq!(*permit.key(), model.key);
        assert_eq!(permit.class(), self.classes[model.class]);
        let expected = self.model.fill(model, value, tags, negative);
        let filled = permit.fill(fill_of(value, tags, negative));
        self.tally.count(match filled {
            Ok(()) if negative => "stored negative",
            Ok(()) => "stored",
            Err(Refusal::Invalidated) => "refused: invalidated",
            Err(Refusal::Superseded) => "refused: superseded",
            Err(Refusal::TooLarge) => "refused: too large",
            Err(Refusal::TooManyTags) => "refused: too many tags",
            Err(Refusal::NoNegatives) => "refused: no negatives",
            Err(other) => panic!("{other:?} is not expected"),
        });
        assert_eq!(filled, expected);
    }

    fn fail(&mut self, at: usize, error: u32) {
        let Some((permit, model)) = pick_newest(&mut self.permits, at) else {
            return;
        };
        let expected = self.model.fail(model, error);
        if self
            .model
            .expired
            .iter()
            .any(|entry| entry.key == model.key)
        {
            self.tally.count("failed despite an unusable entry");
        }
        match (permit.fail(error.to_string()), expected) {
            (Ok(hit), Some(expected)) => {
                assert_eq!(told(&hit), expected);
                self.tally.count("failed with a stand-in");
                if !hit.is_stale() {
                    self.tally.count("failed with a fresh stand-in");
                }
                let window = self.policy(model.class).stale_if_error;
                if hit.is_stale() && hit.age - hit.ttl == window {
                    self.tally
                        .count("failed with a stand-in at the end of its window");
                }
            }
            (Err(told), None) => {
                assert_eq!(told.to_string(), error.to_string());
                self.tally.count("failed");
            }
            (failed, expected) => panic!("{failed:?} instead of {expected:?}"),
        }
    }

    fn poll(&mut self, mut waiter: TestWaiter, number: usize) {
        let polled = poll(&mut waiter);
        let expected = self.model.poll(number);
        self.tally_poll(&polled);
        match (polled, expected) {
            (Poll::Pending, Polled::Pending) => self.waiters.push((waiter, number)),
            (Poll::Ready(Waited::Value(value)), Polled::Value(expected))
            | (Poll::Ready(Waited::Negative(value)), Polled::Negative(expected)) => {
                assert_eq!(value, expected);
            }
            (Poll::Ready(Waited::Stale(hit)), Polled::Stale(expected)) => {
                assert_eq!(told(&hit), expected);
            }
            (Poll::Ready(Waited::Failed(error)), Polled::Failed(expected)) => {
                assert_eq!(error.to_string(), expected.to_string());
            }
            (Poll::Ready(Waited::Permit(permit)), Polled::Permit(model)) => {
                self.permits.push((permit, model));
            }
            (polled, expected) => panic!("{polled:?} instead of {expected:?}"),
        }
    }
}
