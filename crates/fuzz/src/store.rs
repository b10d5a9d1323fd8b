//! Compares operations on a small store with an oracle.
//!
//! The full model is `cache-core`'s own property test. This one states less, so
//! that it holds under a small bound and all policies, and runs fast.

mod oracle;

use std::{
    collections::hash_map::DefaultHasher,
    future::Future,
    hash::BuildHasherDefault,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use arbitrary::{Arbitrary, Unstructured};
use cache_core::{
    Cache, Fill, Freshness, Hit, Lookup, ManualClock, Refusal, Reuse, Selection, TtlClass, Waited,
};

use oracle::{KEYS, Oracle, Reach, Tags, class_of_key, key_of, weight_of};

/// Hashes alike in every run, so that a crash can be replayed.
type Fixed = BuildHasherDefault<DefaultHasher>;
type Store = Cache<u8, u32, ManualClock, Fixed>;
type Permit = cache_core::Permit<u8, u32>;
type Waiter = cache_core::Waiter<u8, u32>;

/// Which stored values a look-up accepts.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Accept {
    Any,
    MaxAge(u8),
    Nothing,
}

/// Handles (permits and waiters) are picked by their position, modulo how many
/// there are; all times are in nanoseconds.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op {
    Get(u8),
    Lookup(u8, Accept),
    Insert(u8, Tags),
    Fill(u8, Tags),
    FillNegative(u8, Tags),
    Share(u8),
    Fail(u8),
    DropPermit(u8),
    Poll(u8),
    DropWaiter(u8),
    Advance(u8),
    SetFreshness {
        class: bool,
        ttl: u8,
        stale_while_revalidate: u8,
        stale_if_error: u8,
        negative_ttl: Option<u8>,
        restless: bool,
    },
    Invalidate(Reach),
    Maintain(u8),
}

#[derive(Arbitrary, Debug)]
struct Plan {
    shards: u8,
    capacity: u8,
    ops: Vec<Op>,
}

fn class_of(class: bool) -> TtlClass {
    if class {
        TtlClass::DEFAULT
    } else {
        TtlClass::nth(1)
    }
}

/// Runs the operations that the bytes encode on a store. After each, its links are
/// sound, its bound holds and its counts add up. It serves only the last value
/// stored under a key, within its TTL, and none that an invalidation reached
/// before the request began.
///
/// # Panics
/// If that does not hold.
pub fn store(data: &[u8]) {
    if let Ok(plan) = Plan::arbitrary_take_rest(Unstructured::new(data)) {
        let mut run = Run::new(&plan);
        plan.ops.iter().for_each(|op| run.apply(*op));
        run.finish();
    }
}

struct Run {
    clock: ManualClock,
    store: Store,
    oracle: Oracle,
    /// With the value that each of them read, and the key.
    permits: Vec<(Permit, u32)>,
    /// With the moment at which each of them began to wait.
    waiters: Vec<(Waiter, u8, u32)>,
    asked: u64,
    removed: u64,
}

/// Takes the picked handle, if there is one.
fn pick<T>(handles: &mut Vec<T>, pick: u8) -> Option<T> {
    (!handles.is_empty()).then(|| handles.remove(usize::from(pick) % handles.len()))
}

fn nanos(number: impl Into<u64>) -> Duration {
    Duration::from_nanos(number.into())
}

impl Run {
    fn new(plan: &Plan) -> Self {
        let clock = ManualClock::new();
        let built = Cache::builder()
            .max_weight(u64::from(plan.capacity % 16) + 1, |_, value| {
                weight_of(*value)
            })
            .shards(usize::from(plan.shards % 4) + 1)
            .clock(clock.clone())
            .hasher(Fixed::default())
            .build();
        let Ok(store) = built else {
            panic!("a bound and some shards make a store");
        };
        Self {
            clock,
            store,
            oracle: Oracle::default(),
            permits: Vec::new(),
            waiters: Vec::new(),
            asked: 0,
            removed: 0,
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Get(key) => {
                let key = key % KEYS;
                self.asked += 1;
                if let Some(value) = self.store.get(&key, class_of(class_of_key(key))) {
                    self.oracle.told(key, value);
                }
            }
            Op::Lookup(key, accept) => self.lookup(key % KEYS, accept),
            Op::Insert(key, tags) => self.insert(key % KEYS, tags),
            Op::Fill(at, tags) => self.fill(at, tags, false),
            Op::FillNegative(at, tags) => self.fill(at, tags, true),
            Op::Share(at) => {
                if let Some((permit, value)) = pick(&mut self.permits, at) {
                    // Any tag counts as reaching a shared value.
                    self.oracle.tag(value, Tags::all());
                    assert!(permit.fill(Fill::shared(value)).is_err());
                }
            }
            Op::Fail(at) => {
                if let Some((permit, _)) = pick(&mut self.permits, at) {
                    let key = *permit.key();
                    if let Ok(hit) = permit.fail("the database is away") {
                        self.oracle.told(key, hit.value);
                        self.check_age(key, &hit);
                    }
                }
            }
            Op::DropPermit(at) => drop(pick(&mut self.permits, at)),
            Op::Poll(at) => self.poll(at),
            Op::DropWaiter(at) => drop(pick(&mut self.waiters, at)),
            Op::Advance(by) => {
                self.oracle.now += u64::from(by);
                self.clock.advance(nanos(by));
            }
            Op::SetFreshness {
                class,
                ttl,
                stale_while_revalidate,
                stale_if_error,
                negative_ttl,
                restless,
            } => {
                let mut policy = Freshness::ttl(nanos(ttl))
                    .with_stale_while_revalidate(nanos(stale_while_revalidate))
                    .with_stale_if_error(nanos(stale_if_error));
                policy.negative_ttl = negative_ttl.map(nanos);
                if restless {
                    let jittery = policy.with_jitter(0.5);
                    policy = jittery
                        .and_then(|policy| policy.with_early_refresh(1e3))
                        .unwrap_or(policy);
                }
                let class = class_of(class);
                self.store.classes().set_freshness(class, policy);
            }
            Op::Invalidate(reach) => {
                self.oracle.invalidate(reach);
                self.removed += self.invalidate(reach) as u64;
            }
            Op::Maintain(budget) => {
                let turn = self.store.maintain(usize::from(budget));
                assert!(turn.removed <= usize::from(budget), "{turn:?} of {budget}");
            }
        }
        self.check();
    }

    fn lookup(&mut self, key: u8, accept: Accept) {
        let reuse = match accept {
            Accept::Any => Reuse::Any,
            Accept::MaxAge(age) => Reuse::MaxAge(nanos(age)),
            Accept::Nothing => Reuse::Nothing,
        };
        self.asked += 1;
        let class = class_of(class_of_key(key));
        match self.store.lookup(key, class, reuse) {
            Lookup::Hit(hit) => {
                assert!(!hit.is_stale(), "{hit:?} as fresh");
                self.serve(key, &hit, accept, false);
            }
            Lookup::Negative(hit) => {
                assert!(!hit.is_stale(), "{hit:?} as fresh");
                self.serve(key, &hit, accept, true);
            }
            Lookup::Early(hit, permit) => {
                assert!(!hit.is_stale(), "{hit:?} as fresh");
                self.serve(key, &hit, accept, false);
                self.hold(permit);
            }
            Lookup::Stale(hit, permit) => {
                assert!(hit.is_stale(), "{hit:?} as stale");
                assert!(matches!(accept, Accept::Any), "stale for {accept:?}");
                self.serve(key, &hit, accept, false);
                permit.into_iter().for_each(|permit| self.hold(permit));
            }
            Lookup::Miss(permit) => self.hold(permit),
            Lookup::InFlight(waiter) => {
                let began = self.oracle.next();
                self.waiters.push((waiter, key, began));
            }
        }
    }

    fn serve(&self, key: u8, hit: &Hit<u32>, accept: Accept, negative: bool) {
        self.oracle.told(key, hit.value);
        self.check_age(key, hit);
        assert_eq!(self.oracle.is_negative(key), negative);
        match accept {
            Accept::Any => {}
            Accept::MaxAge(age) => assert!(hit.age <= nanos(age), "{hit:?} for {accept:?}"),
            Accept::Nothing => panic!("{hit:?} for {accept:?}"),
        }
    }

    fn check_age(&self, key: u8, hit: &Hit<u32>) {
        assert_eq!(hit.age, nanos(self.oracle.age(key)), "age of {hit:?}");
    }

    /// Keeps a permit, with the value read from the source under it.
    fn hold(&mut self, permit: Permit) {
        let value = self.oracle.read(*permit.key());
        self.permits.push((permit, value));
    }

    fn insert(&mut self, key: u8, tags: Tags) {
        let value = self.oracle.read(key);
        let class = class_of(class_of_key(key));
        match self
            .store
            .insert(key, Fill::new(value).tags(&tags.names()), class)
        {
            Ok(None) => self.oracle.store(key, value, tags, false),
            Ok(Some(old)) => {
                self.oracle.told(key, old);
                self.oracle.store(key, value, tags, false);
            }
            Err(rejected) => {
                assert_eq!(rejected.reason, Refusal::TooLarge);
                assert!(weight_of(value) > self.store.capacity());
                self.oracle.forget(key);
            }
        }
        self.oracle.inserted(key, value);
    }

    fn fill(&mut self, at: u8, tags: Tags, negative: bool) {
        let Some((permit, value)) = pick(&mut self.permits, at) else {
            return;
        };
        let key = *permit.key();
        self.oracle.tag(value, tags);
        let now = self.oracle.next();
        let outdated = self.oracle.is_reached(value, now) || self.oracle.is_overtaken(key, value);
        let filled = if negative {
            permit.fill(Fill::negative(value).tags(&tags.names()))
        } else {
            permit.fill(Fill::new(value).tags(&tags.names()))
        };
        match filled {
            Ok(()) => {
                assert!(!outdated, "{value:#x} was stored, though outdated");
                self.oracle.store(key, value, tags, negative);
            }
            Err(Refusal::Invalidated | Refusal::Superseded) => {}
            Err(Refusal::NoNegatives) if negative => self.oracle.forget(key),
            Err(Refusal::TooLarge) if weight_of(value) > self.store.capacity() => {
                self.oracle.forget(key);
            }
            other => panic!("{other:?} of {value:#x}"),
        }
    }

    fn poll(&mut self, at: u8) {
        let Some((mut waiter, key, began)) = pick(&mut self.waiters, at) else {
            return;
        };
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(&mut waiter).poll(&mut context) {
            Poll::Pending => self.waiters.push((waiter, key, began)),
            Poll::Ready(Waited::Permit(permit)) => self.hold(permit),
            Poll::Ready(Waited::Failed(_)) => {}
            Poll::Ready(
                Waited::Value(value) | Waited::Negative(value) | Waited::Stale(Hit { value, .. }),
            ) => {
                assert_eq!(key_of(value), key, "{value:#x} is of another key");
                let reached = self.oracle.is_reached(value, began);
                assert!(!reached, "{value:#x} was given to one who came too late");
            }
        }
    }

    fn invalidate(&self, reach: Reach) -> usize {
        match reach {
            // An odd one by the call that returns the value.
            Reach::Key(key) if key % 2 == 1 => {
                let (key, shown) = (key % KEYS, self.store.peek(&(key % KEYS)));
                let removed = self.store.remove(&key);
                assert_eq!(removed, shown.map(|hit| hit.value));
                usize::from(removed.is_some())
            }
            Reach::Key(key) => self.store.invalidate(&(key % KEYS)),
            Reach::Tag(tag) => self.store.invalidate_tag(Tags::name(tag)),
            Reach::Class(class) => self.store.invalidate_class(class_of(class)),
            Reach::Parity(parity) => self
                .store
                .invalidate_if(move |_, value| oracle::parity_of(*value) == parity),
            Reach::All => self.store.invalidate_all(),
            Reach::Several(key, tag, class, parity) => self.store.invalidate_any(&Selection {
                keys: &[key % KEYS],
                tags: &[Tags::name(tag)],
                classes: &[class_of(class)],
                predicates: &[Arc::new(move |_: &u8, value: &u32| {
                    oracle::parity_of(*value) == parity
                })],
                all: false,
            }),
        }
    }

    fn check(&self) {
        if let Err(error) = self.store.validate() {
            panic!("{error}");
        }
        assert!(
            self.store.weight() <= self.store.capacity(),
            "over the bound"
        );
        let stats = self.store.stats();
        assert_eq!(stats.hits + stats.misses, self.asked, "look-ups counted");
        assert_eq!(stats.invalidations, self.removed, "removals counted");
        assert_eq!(stats.entries, self.store.len());
        assert_eq!(stats.entries, self.store.iter().count());
    }

    /// Ends all handles; no waiter may be left without a filler.
    fn finish(mut self) {
        while !self.permits.is_empty() || !self.waiters.is_empty() {
            let held = (self.permits.len(), self.waiters.len());
            self.permits.clear();
            for _ in 0..self.waiters.len() {
                self.apply(Op::Poll(0));
            }
            let left = (self.permits.len(), self.waiters.len());
            assert_ne!(held, left, "a waiter hangs");
        }
        self.apply(Op::Invalidate(Reach::All));
        assert_eq!(self.store.weight(), 0, "something is left");
    }
}
