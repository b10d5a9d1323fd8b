//! The cache against a naive model: the same operations, the same answers, the
//! same counts, and sound internal links after every single one.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ops;
mod oracle;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use cache_core::{
    Cache, Filled, Freshness, Inserted, Lookup, ManualClock, Permit, Refusal, Reuse, TtlClass,
    Waited, Waiter,
};
use ops::{Accept, CLASSES, Key, Op, Reach, TAGS, TOO_LARGE, op};
use oracle::{Fill, Found, Insert, Model, Polled};
use proptest::{collection::vec, prelude::*};

const TTLS: [u64; CLASSES] = [10, 25, 40];

/// A cache and its model, side by side.
struct Pair {
    clock: ManualClock,
    classes: [TtlClass; CLASSES],
    cache: Cache<Key, u32, ManualClock>,
    permits: Vec<(Permit<Key, u32, ManualClock>, oracle::Permit)>,
    waiters: Vec<(Waiter<Key, u32, ManualClock>, usize)>,
    model: Model,
}

fn names(tags: &[usize]) -> Vec<&'static str> {
    tags.iter().map(|&tag| TAGS[tag]).collect()
}

/// Takes the handle picked, if there is any.
fn pick<T>(handles: &mut Vec<T>, pick: usize) -> Option<T> {
    (!handles.is_empty()).then(|| handles.remove(pick % handles.len()))
}

impl Pair {
    fn new(shards: usize) -> Self {
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
            .shards(shards)
            .build()
            .unwrap();
        let classes = [
            TtlClass::LIVE_DATA,
            TtlClass::KNOWLEDGE_BASE,
            cache.classes().define("custom").unwrap(),
        ];
        for (class, ttl) in classes.into_iter().zip(TTLS) {
            let ttl = Freshness::ttl(Duration::from_nanos(ttl));
            cache.classes().set_freshness(class, ttl);
        }
        Self {
            clock,
            classes,
            cache,
            permits: Vec::new(),
            waiters: Vec::new(),
            model: Model::new(TTLS),
        }
    }

    fn apply(&mut self, op: &Op) {
        match op {
            Op::Get(key, class) => {
                let expected = self.model.get(*key, *class, u64::MAX);
                let found = self.cache.get(key, self.classes[*class]);
                assert_eq!(found, expected.map(|(value, ..)| value));
            }
            Op::Lookup(key, class, accept) => self.lookup(*key, *class, *accept),
            Op::Fill(at, value, tags) => {
                if let Some((permit, model)) = pick(&mut self.permits, *at) {
                    assert_eq!(*permit.key(), model.key);
                    let expected = match self.model.fill(model, *value, tags) {
                        Fill::Stored => Filled::Stored,
                        Fill::Invalidated => Filled::Refused(Refusal::Invalidated),
                        Fill::Superseded => Filled::Refused(Refusal::Superseded),
                        Fill::TooLarge => Filled::Refused(Refusal::TooLarge),
                    };
                    assert_eq!(permit.fill(*value, &names(tags)), expected);
                }
            }
            Op::Share(at, value) => {
                if let Some((permit, model)) = pick(&mut self.permits, *at) {
                    self.model.share(model, *value);
                    permit.share(*value);
                }
            }
            Op::DropPermit(at) => {
                if let Some((permit, model)) = pick(&mut self.permits, *at) {
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
                let class_handle = self.classes[*class];
                let expected = self.model.insert(*key, *value, *class, tags);
                let inserted = self.cache.insert(*key, *value, class_handle, &names(tags));
                let inserted = match inserted {
                    Inserted::New => Insert::New,
                    Inserted::Replaced(old) => Insert::Replaced(old),
                    Inserted::Rejected {
                        value: back,
                        reason,
                    } => {
                        assert_eq!((back, reason), (*value, Refusal::TooLarge));
                        Insert::Rejected
                    }
                };
                assert_eq!(inserted, expected);
            }
            Op::Advance(by) => {
                self.model.advance(*by);
                self.clock.advance(Duration::from_nanos(*by));
            }
            Op::SetTtl(class, ttl) => {
                // A longer TTL revives what expired and was not removed yet;
                // the model removes at once, so the cache must have, too.
                self.maintain_all();
                self.model.set_ttl(*class, *ttl);
                let freshness = Freshness::ttl(Duration::from_nanos(*ttl));
                self.cache
                    .classes()
                    .set_freshness(self.classes[*class], freshness);
            }
            Op::Invalidate(reach) => {
                let expected = self.model.invalidate(*reach);
                assert_eq!(self.invalidate(*reach), expected, "{reach:?}");
            }
            Op::Maintain(budget) => {
                let before = self.cache.stats().expirations;
                let due = self.model.counts.expirations - before;
                let turn = self.cache.maintain(*budget);
                assert_eq!(turn.removed as u64, due.min(*budget as u64));
                assert_eq!(turn.more, due > *budget as u64);
            }
        }
        self.check();
    }

    fn lookup(&mut self, key: Key, class: usize, accept: Accept) {
        let reuse = match accept {
            Accept::Any => Reuse::Any,
            Accept::MaxAge(age) => Reuse::MaxAge(Duration::from_nanos(age)),
            Accept::Nothing => Reuse::Nothing,
        };
        let expected = self.model.lookup(key, class, accept);
        match (self.cache.lookup(key, self.classes[class], reuse), expected) {
            (Lookup::Hit(hit), Found::Hit { value, age, ttl }) => {
                let found = (hit.value, hit.age.as_nanos(), hit.ttl.as_nanos());
                assert_eq!(found, (value, age.into(), ttl.into()));
            }
            (Lookup::Miss(permit), Found::Miss(model)) => self.permits.push((permit, model)),
            (Lookup::InFlight(waiter), Found::InFlight(number)) => {
                self.waiters.push((waiter, number));
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    fn poll(&mut self, mut waiter: Waiter<Key, u32, ManualClock>, number: usize) {
        let mut context = Context::from_waker(Waker::noop());
        let polled = Pin::new(&mut waiter).poll(&mut context);
        match (polled, self.model.poll(number)) {
            (Poll::Pending, Polled::Pending) => self.waiters.push((waiter, number)),
            (Poll::Ready(Waited::Value(value)), Polled::Value(expected)) => {
                assert_eq!(value, expected);
            }
            (Poll::Ready(Waited::Permit(permit)), Polled::Permit(model)) => {
                self.permits.push((permit, model));
            }
            (polled, expected) => panic!("{polled:?} instead of {expected:?}"),
        }
    }

    fn invalidate(&self, reach: Reach) -> usize {
        match reach {
            Reach::Key(key) => self.cache.invalidate(&key),
            Reach::Half(half) => self.cache.invalidate(&half),
            Reach::Tag(tag) => self.cache.invalidate_tag(TAGS[tag]),
            Reach::Class(class) => self.cache.invalidate_class(self.classes[class]),
            Reach::Remainder(remainder) => self
                .cache
                .invalidate_if(move |_, value| value % 3 == remainder),
            Reach::All => self.cache.invalidate_all(),
        }
    }

    fn maintain_all(&self) {
        let turn = self.cache.maintain(usize::MAX);
        assert!(!turn.more);
        assert_eq!(
            self.cache.stats().expirations,
            self.model.counts.expirations
        );
        assert_eq!(self.cache.weight(), self.model.entries.len() as u64);
    }

    /// Everything that can be seen from outside agrees.
    fn check(&self) {
        self.cache.validate().unwrap();
        let stats = self.cache.stats();
        let model = &self.model.counts;
        assert_eq!(stats.hits, model.hits);
        assert_eq!(stats.misses, model.misses);
        assert_eq!(stats.hits + stats.misses, stats.total_requests());
        assert_eq!(stats.invalidations, model.invalidations);
        assert_eq!(stats.coalesced, model.coalesced);
        assert_eq!(stats.refused_fills, model.refused);
        assert_eq!(stats.rejected, model.rejected);
        assert_eq!(stats.evictions, 0);
        assert!(stats.expirations <= model.expirations);
        let unremoved = model.expirations - stats.expirations;
        assert_eq!(stats.weight, self.model.entries.len() as u64 + unremoved);
        assert_eq!(stats.entries, self.model.entries.len());
        assert_eq!(self.cache.len(), self.model.entries.len());
        let by_class: u64 = stats
            .classes
            .iter()
            .map(|class| class.hits + class.misses)
            .sum();
        assert_eq!(by_class, stats.total_requests());
    }

    /// Ends all handles; nobody may be left waiting for nobody.
    fn finish(mut self) {
        while !self.permits.is_empty() || !self.waiters.is_empty() {
            let held = (self.permits.len(), self.waiters.len());
            while !self.permits.is_empty() {
                self.apply(&Op::DropPermit(0));
            }
            for _ in 0..self.waiters.len() {
                self.apply(&Op::Poll(0));
            }
            assert_ne!(
                held,
                (self.permits.len(), self.waiters.len()),
                "a waiter hangs"
            );
        }
        self.maintain_all();
    }
}

/// The TTL where the bound is small.
const TTL: u64 = 20;

/// Weights where the bound is small: from 1 to 7.
fn weigh(value: u32) -> u64 {
    u64::from(value % 7 + 1)
}

proptest! {
    #[test]
    fn prop_agrees_with_the_model(shards in 1usize..4, ops in vec(op(), 1..120)) {
        let mut pair = Pair::new(shards);
        for op in &ops {
            pair.apply(op);
        }
        pair.finish();
    }

    /// With a small bound who leaves is the cache's affair, but never what is
    /// told: no value other than the last one stored, none that expired, none
    /// that was invalidated, and never more than the bound.
    #[test]
    fn prop_keeps_its_bound_and_tells_no_lies(
        capacity in 1u64..12,
        shards in 1usize..5,
        ops in vec(op(), 1..200),
    ) {
        let clock = ManualClock::new();
        let cache = Cache::<Key, u32>::builder()
            .max_weight(capacity, |_, value| weigh(*value))
            .clock(clock.clone())
            .shards(shards)
            .build()
            .unwrap();
        let class = TtlClass::LIVE_DATA;
        cache.classes().set_freshness(class, Freshness::ttl(Duration::from_nanos(TTL)));
        let mut now = 0;
        let mut last: Vec<(Key, u32, u64)> = Vec::new();
        for op in ops {
            match op {
                Op::Insert(key, value, _, tags) => {
                    last.retain(|(known, ..)| *known != key);
                    match cache.insert(key, value, class, &names(&tags)) {
                        Inserted::Rejected { .. } => prop_assert!(weigh(value) > capacity),
                        Inserted::New | Inserted::Replaced(_) => {
                            // What was just inserted is never what leaves.
                            prop_assert_eq!(cache.get(&key, class), Some(value));
                            last.push((key, value, now));
                        }
                    }
                }
                Op::Get(key, _) | Op::Lookup(key, ..) => {
                    let known = last.iter().find(|(known, ..)| *known == key);
                    if let Some(value) = cache.get(&key, class) {
                        let &(_, expected, written) = known.expect("never stored, or removed");
                        prop_assert_eq!(value, expected);
                        prop_assert!(now - written <= TTL, "expired");
                    }
                }
                Op::Advance(by) => {
                    now += by;
                    clock.advance(Duration::from_nanos(by));
                }
                Op::Invalidate(Reach::Key(key)) => {
                    cache.invalidate(&key);
                    last.retain(|(known, ..)| *known != key);
                }
                Op::Maintain(budget) => prop_assert!(cache.maintain(budget).removed <= budget),
                _ => {}
            }
            cache.validate().unwrap();
            prop_assert!(cache.weight() <= capacity);
            let stats = cache.stats();
            prop_assert_eq!(stats.hits + stats.misses, stats.total_requests());
        }
    }
}
