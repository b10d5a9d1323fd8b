//! A request has one deadline for all that it waits for.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use intent_router::{
    Ask, BoxFuture, CacheService, Catalogue, Deadline, Found, KeywordDetector, LiveData,
    ManualTimer, Principal, Records, Request, RouteError, Routed, Router, SourceError, Timer,
    UserContext,
};
use support::stale::{forgiving, overdue, secs, stale};
use support::{Bench, CLAIM, bench, poll_once};

/// What requests may take.
const ALLOWED: Duration = Duration::from_secs(2);

/// Answers the look-up of members after most of the time, and notes the deadlines.
struct Slow {
    timer: ManualTimer,
    deadlines: Mutex<Vec<Deadline>>,
}

impl LiveData for Slow {
    fn is_member<'a>(
        &'a self,
        _: &'a Principal,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        self.deadlines.lock().unwrap().push(deadline);
        self.timer.advance(ALLOWED * 3 / 4);
        Box::pin(async { Ok(Found::new(true, 1)) })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        self.deadlines.lock().unwrap().push(ask.deadline);
        Box::pin(async { Ok(Found::new(Records::default(), 1)) })
    }

    fn deadline(&self) -> Option<Duration> {
        Some(ALLOWED)
    }
}

#[test]
fn the_records_get_what_the_look_up_of_the_member_left() {
    let timer = ManualTimer::new();
    let source = Arc::new(Slow {
        timer: timer.clone(),
        deadlines: Mutex::default(),
    });
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    let router = Router::new(catalogue, detector, Arc::clone(&source) as _, cache);
    let router = router.unwrap().with_timer(Arc::new(timer.clone()));
    pollster::block_on(router.route(&request(CLAIM))).unwrap();
    let deadlines = source.deadlines.lock().unwrap();
    assert_eq!(deadlines.len(), 2);
    assert_eq!(deadlines[0], deadlines[1]);
    assert_eq!(deadlines[1].left(timer.now()), ALLOWED / 4);
}

fn request(message: &str) -> Request {
    Request::new(message, UserContext::new("BEN-000001", "beneficiary"))
}

/// A router over the fake source, with a deadline and a timer.
fn timed(bench: Bench) -> (Bench, ManualTimer) {
    *bench.source.deadline.lock().unwrap() = Some(ALLOWED);
    let timer = ManualTimer::new();
    let router = bench.router.clone().with_timer(Arc::new(timer.clone()));
    (Bench { router, ..bench }, timer)
}

fn timed_out(answer: &Poll<Result<Routed, RouteError>>) -> bool {
    let Poll::Ready(Err(RouteError::Source(error))) = answer else {
        return false;
    };
    matches!(**error, SourceError::Timeout(allowed) if allowed == ALLOWED)
}

#[test]
fn a_source_that_never_answers_is_given_up_with_all_who_wait() {
    let (bench, timer) = timed(bench());
    bench.source.held.store(true, Ordering::SeqCst);
    let request = request(CLAIM);
    let mut filler = pin!(bench.router.route(&request));
    let mut waiter = pin!(bench.router.route(&request));
    assert!(poll_once(filler.as_mut()).is_pending());
    assert!(poll_once(waiter.as_mut()).is_pending());
    timer.advance(ALLOWED - Duration::from_nanos(1));
    assert!(poll_once(filler.as_mut()).is_pending());
    assert!(poll_once(waiter.as_mut()).is_pending());
    timer.advance(Duration::from_nanos(1));
    assert!(timed_out(&poll_once(filler)));
    assert!(timed_out(&poll_once(waiter)));
}

#[test]
fn one_who_waits_for_a_later_request_does_not_wait_longer_than_its_own_time() {
    let (bench, timer) = timed(bench());
    bench.source.members_held.store(true, Ordering::SeqCst);
    let (claim, history) = (request(CLAIM), request("show my payment history"));
    let mut early = pin!(bench.router.route(&claim));
    let mut late = pin!(bench.router.route(&history));
    {
        let mut dropped = pin!(bench.router.route(&claim));
        assert!(poll_once(dropped.as_mut()).is_pending());
        assert!(poll_once(early.as_mut()).is_pending());
        timer.advance(ALLOWED / 2);
        assert!(poll_once(late.as_mut()).is_pending());
    }
    // The later one looks the member up, and the early one waits for that.
    assert!(poll_once(late.as_mut()).is_pending());
    assert!(poll_once(early.as_mut()).is_pending());
    assert_eq!(bench.source.member_calls.load(Ordering::SeqCst), 2);
    timer.advance(ALLOWED / 2);
    assert!(timed_out(&poll_once(early)));
    assert!(poll_once(late.as_mut()).is_pending());
    timer.advance(ALLOWED / 2);
    assert!(timed_out(&poll_once(late)));
}

#[test]
fn a_stale_answer_stands_in_for_a_source_that_is_given_up() {
    let (bench, _) = overdue(forgiving());
    let (bench, timer) = timed(bench);
    bench.source.held.store(true, Ordering::SeqCst);
    let request = support::stale::request();
    let mut filler = pin!(bench.router.route(&request));
    let mut waiter = pin!(bench.router.route(&request));
    assert!(poll_once(filler.as_mut()).is_pending());
    assert!(poll_once(waiter.as_mut()).is_pending());
    timer.advance(ALLOWED);
    for answer in [poll_once(filler), poll_once(waiter)] {
        let Poll::Ready(Ok(routed)) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(stale(&routed), Some((secs(1), true)));
    }
}

/// A timer that wakes the one who began to sleep last before all others.
#[derive(Clone)]
struct LastFirst(ManualTimer, Arc<AtomicU32>);

impl Timer for LastFirst {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let Self(timer, begun) = self.clone();
        let number = begun.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(std::future::poll_fn(move |_| {
            let is_last = begun.load(Ordering::SeqCst) == number;
            match is_last && timer.now() >= at {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }))
    }
}

#[test]
fn a_request_that_fills_is_not_given_up_before_its_call_is() {
    let (bench, _) = overdue(forgiving());
    let (bench, timer) = timed(bench);
    let last_first = LastFirst(timer.clone(), Arc::default());
    let router = bench.router.clone().with_timer(Arc::new(last_first));
    bench.source.held.store(true, Ordering::SeqCst);
    let request = support::stale::request();
    let mut filler = pin!(router.route(&request));
    assert!(poll_once(filler.as_mut()).is_pending());
    timer.advance(ALLOWED);
    // Its failed call is what makes the stale answer stand in.
    let Poll::Ready(Ok(routed)) = poll_once(filler) else {
        panic!("it was given up");
    };
    assert_eq!(stale(&routed), Some((secs(1), true)));
}
