//! Runs operations on a cache and records them in the ledger.

use std::{task::Poll, time::Duration};

use cache_core::{Cache, Fill, Lookup, ManualClock, Meta, Refusal, Reuse, Waited};

use super::{Failure, Ledger, Record, Request, weigh};
use crate::{
    hashing::Steady,
    ops::{Accept, CLASSES, End, Key, Op, Reach},
    pair::{classes, fill_of, invalidate, pick, pick_newest, poll, reuse},
    policy::{Phase, Policy},
};

impl Ledger {
    pub(crate) fn new(capacity: u64, shards: usize, policies: [Policy; CLASSES]) -> Self {
        let clock = ManualClock::new();
        let cache = Cache::builder()
            .max_weight(capacity, |_, value| weigh(*value))
            .clock(clock.clone())
            .hasher(Steady)
            .shards(shards)
            .build()
            .unwrap();
        Self {
            clock,
            classes: classes(&cache, policies),
            cache,
            capacity,
            policies,
            permits: Vec::new(),
            waiters: Vec::new(),
            now: 0,
            step: 0,
            events: Vec::new(),
            records: std::collections::BTreeMap::new(),
            last: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(crate) fn apply(&mut self, op: &Op) {
        self.step += 1;
        match op {
            Op::Get(key, class) => {
                let asked = self.ask(*key, *class, Accept::Any);
                if let Some(value) = self.cache.get(key, self.classes[*class]) {
                    self.check_entry(&asked, value, Phase::Fresh, false);
                    self.note_read(value);
                }
            }
            Op::Read(key, class) => {
                let asked = self.ask(*key, *class, Accept::Any);
                let read = |value: &u32, _: Meta<'_>| *value;
                if let Some(value) = self.cache.read(key, self.classes[*class], read) {
                    self.check_entry(&asked, value, Phase::Fresh, false);
                    self.note_read(value);
                }
            }
            Op::Lookup(key, class, accept) => self.lookup(*key, *class, *accept),
            Op::Fill(at, value, tags) => self.fill(*at, *value, tags, false),
            Op::FillNegative(at, value, tags) => self.fill(*at, *value, tags, true),
            Op::Fail(at, error) => self.fail(*at, *error),
            Op::Share(at, value) => {
                if let Some((permit, asked)) = pick_newest(&mut self.permits, *at) {
                    let value = self.enter(&asked, *value, None, false);
                    let shared = permit.fill(Fill::shared(value));
                    assert!(shared.is_err());
                }
            }
            Op::DropPermit(at) => drop(pick_newest(&mut self.permits, *at)),
            Op::Poll(at) => self.poll(*at),
            Op::DropWaiter(at) => drop(pick(&mut self.waiters, *at)),
            Op::Insert(key, value, class, tags) => self.insert(*key, *value, *class, tags),
            Op::Advance(by) => self.advance(*by),
            Op::AdvanceTo(at, end, past) => {
                if let Some(by) = self.until(*at, *end, *past) {
                    self.advance(by);
                }
            }
            Op::SetFreshness(class, policy) => {
                self.policies[*class] = *policy;
                let classes = self.cache.classes();
                classes.set_freshness(self.classes[*class], policy.freshness());
            }
            Op::Invalidate(reach) => self.invalidate(*reach),
            Op::Maintain(budget) => assert!(self.cache.maintain(*budget).removed <= *budget),
        }
        self.cache.validate().unwrap();
        assert!(self.cache.weight() <= self.capacity);
        let stats = self.cache.stats();
        assert_eq!(stats.hits + stats.misses, stats.total_requests());
    }

    fn ask(&self, key: Key, class: usize, accept: Accept) -> Request {
        Request {
            key,
            class,
            accept,
            step: self.step,
            epoch: self.events.len(),
            now: self.now,
            taken: self.step,
        }
    }

    /// Records a value that a request read; makes it unique.
    fn enter(
        &mut self,
        asked: &Request,
        value: u32,
        tags: Option<&[usize]>,
        negative: bool,
    ) -> u32 {
        let value = u32::try_from(self.step).unwrap() * 60 + value;
        let record = Record {
            key: asked.key,
            class: asked.class,
            tags: tags.map(<[_]>::to_vec),
            negative,
            cost: self.now - asked.now,
            epoch: asked.epoch,
            asked: asked.step,
            given: self.step,
            written: self.now,
            read: self.now,
            refused: None,
        };
        self.records.insert(value, record);
        value
    }

    /// Records whether a value was stored.
    fn record_outcome(&mut self, key: Key, value: u32, refused: Option<Refusal>) {
        self.check_refused(value, refused);
        self.records.get_mut(&value).unwrap().refused = refused;
        if let Some(Refusal::Invalidated | Refusal::Superseded) = refused {
            return;
        }
        self.last.retain(|(known, _)| *known != key);
        if refused.is_none() {
            self.last.push((key, value));
            // The value that was just stored is never evicted.
            let (_, record) = self.kept(key).expect("a life is over at once");
            let class = self.classes[record.class];
            let found = self.cache.lookup(key, class, Reuse::MaxAge(Duration::ZERO));
            let there = match found {
                Lookup::Hit(hit) | Lookup::Early(hit, _) if !record.negative => hit.value,
                Lookup::Negative(hit) if record.negative => hit.value,
                other => panic!("{other:?} instead of what was just stored"),
            };
            assert_eq!(there, value);
        }
    }

    fn insert(&mut self, key: Key, value: u32, class: usize, tags: &[usize]) {
        let asked = self.ask(key, class, Accept::Any);
        let value = self.enter(&asked, value, Some(tags), false);
        let fill = fill_of(value, tags, false);
        let refused = match self.cache.insert(key, fill, self.classes[class]) {
            Ok(None) => None,
            Ok(Some(old)) => {
                assert_eq!(self.kept(key).map(|(value, _)| value), Some(old));
                None
            }
            Err(rejected) => {
                assert_eq!(rejected.value, value);
                Some(rejected.reason)
            }
        };
        self.record_outcome(key, value, refused);
    }

    fn fill(&mut self, at: usize, value: u32, tags: &[usize], negative: bool) {
        let Some((permit, asked)) = pick_newest(&mut self.permits, at) else {
            return;
        };
        let value = self.enter(&asked, value, Some(tags), negative);
        let refused = match permit.fill(fill_of(value, tags, negative)) {
            Ok(()) => {
                self.check_stored(&asked, value);
                None
            }
            Err(refusal) => Some(refusal),
        };
        self.record_outcome(asked.key, value, refused);
    }

    fn fail(&mut self, at: usize, error: u32) {
        let Some((permit, asked)) = pick_newest(&mut self.permits, at) else {
            return;
        };
        let kept = self.kept(asked.key).filter(|(_, record)| !record.negative);
        let stand_in = kept.map(|(value, record)| {
            let life = self.policies[record.class].life(record.traits(value));
            (value, self.now - record.written, life.unwrap())
        });
        self.failures.push(Failure {
            key: asked.key,
            class: asked.class,
            step: self.step,
            epoch: asked.epoch,
            error,
            stand_in,
        });
        match permit.fail(error.to_string()) {
            Ok(hit) => self.check_stand_in(&asked, &hit),
            Err(told) => assert_eq!(told.to_string(), error.to_string()),
        }
    }

    fn lookup(&mut self, key: Key, class: usize, accept: Accept) {
        let asked = self.ask(key, class, accept);
        let permit = match self.cache.lookup(key, self.classes[class], reuse(accept)) {
            Lookup::Hit(hit) => {
                self.check_hit(&asked, &hit, Phase::Fresh, false);
                self.note_read(hit.value);
                None
            }
            Lookup::Early(hit, permit) => {
                self.check_early(&asked, &hit);
                self.note_read(hit.value);
                Some(permit)
            }
            Lookup::Stale(hit, permit) => {
                self.check_hit(&asked, &hit, Phase::Stale, false);
                self.note_read(hit.value);
                permit
            }
            Lookup::Negative(hit) => {
                self.check_hit(&asked, &hit, Phase::Fresh, true);
                self.note_read(hit.value);
                None
            }
            Lookup::Miss(permit) => Some(permit),
            Lookup::InFlight(waiter) => {
                self.waiters.push((waiter, asked));
                None
            }
        };
        self.permits.extend(permit.map(|permit| (permit, asked)));
    }

    fn poll(&mut self, at: usize) {
        let Some((mut waiter, asked)) = pick(&mut self.waiters, at) else {
            return;
        };
        match poll(&mut waiter) {
            Poll::Pending => self.waiters.push((waiter, asked)),
            Poll::Ready(Waited::Value(value)) => self.check_waited(&asked, value, false),
            Poll::Ready(Waited::Negative(value)) => self.check_waited(&asked, value, true),
            Poll::Ready(Waited::Stale(hit)) => self.check_stand_in(&asked, &hit),
            Poll::Ready(Waited::Failed(told)) => {
                let mut failures = self.failures_since(&asked);
                assert!(
                    failures.any(|failure| failure.error.to_string() == told.to_string()
                        && !self.is_outdated(failure, &asked))
                );
            }
            Poll::Ready(Waited::Permit(permit)) => {
                assert_eq!(*permit.key(), asked.key);
                let taken = self.ask(asked.key, asked.class, asked.accept);
                let asked = Request {
                    step: asked.step,
                    ..taken
                };
                self.permits.push((permit, asked));
            }
        }
    }

    fn advance(&mut self, by: u64) {
        self.now += by;
        self.clock.advance(Duration::from_nanos(by));
    }

    /// The time until the picked entry is `past` beyond the end of a phase, if that is in
    /// the range of the clock.
    fn until(&self, at: usize, end: End, past: u64) -> Option<u64> {
        let (_, value) = self.last.iter().rev().cycle().nth(at)?;
        let record = &self.records[value];
        let policy = self.policies[record.class];
        let age = policy.age_at(record.traits(*value), end)?;
        let until = age.checked_add(past)?;
        let until = until.checked_sub(self.now - record.written)?;
        (until < 1_000_000).then_some(until)
    }

    fn invalidate(&mut self, reach: Reach) {
        let may_be_there = |key| self.kept(key);
        let kept = self.last.iter().filter_map(|(key, _)| may_be_there(*key));
        let reached = kept
            .filter(|(value, record)| record.is_reached(*value, reach))
            .count();
        // The event is recorded first: every answer from here on must respect it.
        self.events.push(reach);
        assert!(invalidate(&self.cache, self.classes, reach) <= reached);
    }
}
