//! Cancellation: the futures of fillers and waiters, dropped at any await.

use std::{cell::Cell, rc::Rc, sync::Arc, task::Poll};

use cache_core::{Lookup, Permit, Reuse, Waited};

use crate::{
    counting_waker::CountingWaker,
    support::{CLASS, KEY, Store, ask, assert_idle, holds_permits, miss, pause, store, wait},
    tasks::{Fate, Tasks},
};

/// Another key, which the fill of [`KEY`] waits for.
const MEMBER: u32 = 8;

/// The number of awaits of a fill.
const AWAITS: usize = 4;

/// Counts the running and the finished fills.
#[derive(Default)]
struct Queries {
    running: Cell<usize>,
    begun: Cell<usize>,
    /// The await at which the running fill is.
    stands: Cell<usize>,
}

struct Running(Rc<Queries>);

impl Queries {
    fn begin(self: &Rc<Self>) -> Running {
        self.begun.set(self.begun.get() + 1);
        self.running.set(self.running.get() + 1);
        assert_eq!(self.running.get(), 1, "two fill at a time");
        Running(Rc::clone(self))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
        self.0.stands.set(0);
    }
}

/// A fill of several steps, one of which waits for the fill of another key.
async fn query(cache: Store, queries: Rc<Queries>) -> u32 {
    let _running = queries.begin();
    queries.stands.set(1);
    pause().await;
    queries.stands.set(2);
    let member = match cache.lookup(MEMBER, CLASS, Reuse::Any) {
        Lookup::Hit(hit) => hit.value,
        Lookup::InFlight(waiter) => match waiter.await {
            Waited::Value(value) => value,
            other => panic!("{other:?}: its filler fills"),
        },
        other => panic!("{other:?} although somebody fills"),
    };
    queries.stands.set(3);
    pause().await;
    queries.stands.set(4);
    pause().await;
    member + 100
}

/// The requests of one key, and the permit of the other.
struct Scene {
    cache: Store,
    tasks: Tasks<u32>,
    queries: Rc<Queries>,
    member: Option<Permit<u32, u32>>,
}

impl Scene {
    fn new() -> Self {
        let (cache, _) = store();
        Self {
            member: Some(miss(&cache, MEMBER)),
            cache,
            tasks: Tasks::new(),
            queries: Rc::default(),
        }
    }

    fn ask(&mut self) -> usize {
        let (cache, queries) = (self.cache.clone(), Rc::clone(&self.queries));
        let asked = self.cache.clone();
        self.tasks
            .spawn(async move { ask(cache, || (), || query(asked, queries)).await })
    }

    fn fill_member(&mut self) {
        if let Some(permit) = self.member.take() {
            assert_eq!(permit.fill(1), Ok(()));
        }
    }

    /// Polls a filler until it is at this await; 0 for not at all.
    fn bring_to(&mut self, filler: usize, awaits: usize) {
        while self.queries.stands.get() != awaits {
            if self.queries.stands.get() == 2 {
                self.fill_member();
            }
            self.tasks.poll(filler);
            assert!(matches!(self.tasks.fates()[filler], Fate::Running(_)));
        }
    }

    /// Runs all remaining requests to their end, and checks the results.
    fn finish(mut self, cancelled: usize) {
        self.fill_member();
        self.tasks.run();
        let all = self.tasks.fates().len();
        assert_eq!(self.tasks.results(), vec![&101; all - cancelled]);
        assert_idle(&self.cache, KEY);
        assert_idle(&self.cache, MEMBER);
    }
}

/// A fill that is at this await, and requests that wait for it.
fn line(awaits: usize, others: usize) -> (Scene, usize) {
    let mut scene = Scene::new();
    let first = scene.ask();
    scene.bring_to(first, awaits.min(1));
    for _ in 0..others {
        let other = scene.ask();
        if awaits > 0 {
            scene.tasks.poll(other);
        }
    }
    scene.bring_to(first, awaits);
    (scene, first)
}

#[test]
fn a_filler_cancelled_at_any_await_is_followed_by_one() {
    for awaits in 0..=AWAITS {
        let (mut scene, filler) = line(awaits, 10);
        scene.tasks.cancel(filler);
        let queries = Rc::clone(&scene.queries);
        scene.finish(1);
        // A request that is never polled has nothing to hand over.
        let begun = 1 + usize::from(awaits > 0);
        assert_eq!(queries.begun.get(), begun, "cancelled at await {awaits}");
    }
}

/// After the last await the fill is done.
#[test]
fn a_fill_past_its_awaits_serves_all() {
    let (mut scene, filler) = line(AWAITS, 10);
    scene.tasks.poll(filler);
    assert!(matches!(scene.tasks.fates()[filler], Fate::Done(101)));
    let queries = Rc::clone(&scene.queries);
    scene.finish(0);
    assert_eq!(queries.begun.get(), 1);
}

/// The filler and the waiter that takes over are cancelled, each at every await; 0 for the
/// second means that it was elected and is not polled.
#[test]
fn two_fillers_cancelled_at_any_await_are_followed_by_one() {
    for first_awaits in 1..=AWAITS {
        for second_awaits in 0..=AWAITS {
            // The other key is filled by then, so nothing waits for it.
            if first_awaits > 2 && second_awaits == 2 {
                continue;
            }
            let (mut scene, first) = line(first_awaits, 5);
            scene.tasks.cancel(first);
            let second = first + 1;
            scene.bring_to(second, second_awaits);
            scene.tasks.cancel(second);
            let queries = Rc::clone(&scene.queries);
            scene.finish(2);
            let begun = 2 + usize::from(second_awaits > 0);
            let at = (first_awaits, second_awaits);
            assert_eq!(queries.begun.get(), begun, "cancelled at {at:?}");
        }
    }
}

/// Each waiter in turn is elected and dropped before it is polled.
#[test]
fn an_election_passes_on_until_somebody_looks() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let wakers: Vec<_> = (0..100)
        .map(|_| Arc::new(CountingWaker::default()))
        .collect();
    let mut waiters: Vec<_> = (0..100).map(|_| wait(&cache, KEY)).collect();
    for (waiter, waker) in waiters.iter_mut().zip(&wakers) {
        assert!(waker.poll(waiter).is_pending());
    }
    drop(permit);
    for elected in 0..99 {
        let wakes: usize = wakers.iter().map(|waker| waker.wakes()).sum();
        assert_eq!((wakes, wakers[elected].wakes()), (elected + 1, 1));
        assert!(holds_permits(&cache), "the right to fill is somebody's");
        drop(waiters.remove(0));
    }
    let Poll::Ready(Waited::Permit(permit)) = wakers[99].poll(&mut waiters[0]) else {
        panic!("the last was not elected");
    };
    assert_eq!(permit.fill(1), Ok(()));
    assert_idle(&cache, KEY);
}

/// A waiter in the middle of the queue can be dropped without effect.
#[test]
fn a_waiter_that_left_is_not_elected() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let (first, second) = (wait(&cache, KEY), wait(&cache, KEY));
    drop(first);
    drop(permit);
    assert!(matches!(second.wait(), Waited::Permit(_)));
    assert_idle(&cache, KEY);
}

#[test]
fn where_all_have_left_the_key_is_free() {
    for filler_first in [false, true] {
        let (cache, _) = store::<u32, u32>();
        let permit = miss(&cache, KEY);
        let waiters: Vec<_> = (0..100).map(|_| wait(&cache, KEY)).collect();
        if filler_first {
            drop(permit);
            assert!(holds_permits(&cache), "one is elected");
            drop(waiters);
        } else {
            drop(waiters);
            assert!(holds_permits(&cache), "the filler goes on");
            drop(permit);
        }
        assert_idle(&cache, KEY);
        let permit = miss(&cache, KEY);
        assert_eq!(permit.fill(1), Ok(()));
        assert_eq!(cache.get(&KEY, CLASS), Some(1));
    }
}

/// A filler whose waiters are all dropped still fills, for later requests.
#[test]
fn a_fill_does_not_need_waiters() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    drop((wait(&cache, KEY), wait(&cache, KEY)));
    assert_eq!(permit.fill(1), Ok(()));
    assert_eq!(cache.stats().coalesced, 0);
    assert_eq!(cache.get(&KEY, CLASS), Some(1));
    assert_idle(&cache, KEY);
}

/// A waiter that was elected, but not polled, gets an inserted value instead of the permit.
#[test]
fn an_elected_waiter_takes_the_value_that_came_first() {
    let (cache, _) = store::<u32, u32>();
    let permit = miss(&cache, KEY);
    let waker = Arc::new(CountingWaker::default());
    let mut waiter = wait(&cache, KEY);
    assert!(waker.poll(&mut waiter).is_pending());
    drop(permit);
    cache.insert(KEY, 1, CLASS).unwrap();
    let found = waker.poll(&mut waiter);
    assert!(matches!(found, Poll::Ready(Waited::Value(1))), "{found:?}");
    assert_idle(&cache, KEY);
}

/// A permit that is neither dropped nor used keeps all waiting until a value is inserted.
#[test]
fn a_forgotten_permit_can_be_overtaken() {
    let (cache, _) = store::<u32, u32>();
    std::mem::forget(miss(&cache, KEY));
    let waker = Arc::new(CountingWaker::default());
    let mut waiter = wait(&cache, KEY);
    assert!(waker.poll(&mut waiter).is_pending());
    cache.insert(KEY, 1, CLASS).unwrap();
    assert_eq!(waker.wakes(), 1);
    assert!(matches!(
        waker.poll(&mut waiter),
        Poll::Ready(Waited::Value(1))
    ));
    assert_eq!(cache.get(&KEY, CLASS), Some(1));
    cache.validate().unwrap();
}
