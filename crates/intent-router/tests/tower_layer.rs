//! The cache as a layer of tower, one rule a test.

#![cfg(feature = "tower")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::Duration;

use intent_router::{
    BoxFuture, CacheLayer, Cached, Computed, Freshness, Question, Request, Selector, UserContext,
    classes,
};
use serde_json::json;
use support::{Bench, bench, now, poll_once};
use tower::Layer;
use tower_service::Service;

/// What the clones of the inner service share.
#[derive(Default)]
struct State {
    calls: AtomicU32,
    /// Answers wait while it is set.
    held: AtomicBool,
    /// It is not ready while it is set.
    busy: AtomicBool,
    failing: AtomicBool,
}

/// A service that insists on the rules of tower: a clone is made ready before a call.
#[derive(Default)]
struct Inner {
    state: Arc<State>,
    ready: bool,
}

impl Clone for Inner {
    fn clone(&self) -> Self {
        let state = Arc::clone(&self.state);
        Self {
            state,
            ready: false,
        }
    }
}

impl Service<&'static str> for Inner {
    type Response = Computed;
    type Error = &'static str;
    type Future = BoxFuture<'static, Result<Computed, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        if self.state.busy.load(SeqCst) {
            return Poll::Pending;
        }
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, user: &'static str) -> Self::Future {
        assert!(self.ready, "called without being ready");
        self.ready = false;
        let state = Arc::clone(&self.state);
        let number = state.calls.fetch_add(1, SeqCst) + 1;
        Box::pin(poll_fn(move |_| {
            if state.held.load(SeqCst) {
                return Poll::Pending;
            }
            Poll::Ready(if state.failing.load(SeqCst) {
                Err("no database")
            } else {
                let data = json!({ "user": user, "call": number });
                Ok(Computed::new(data, vec!["claim:1".to_owned()]))
            })
        }))
    }
}

type Layered = intent_router::WithCache<Inner, fn(&&'static str) -> Option<Question>>;

/// Of users; `""` asks nothing.
fn question(user: &&'static str) -> Option<Question> {
    let mut request = Request::new("", UserContext::new(user, "beneficiary"));
    request.forced_intent = Some("claim_status".to_owned());
    let slots = None;
    (!user.is_empty()).then_some(Question { request, slots })
}

fn layered() -> (Bench, Arc<State>, Layered) {
    let bench = bench();
    let inner = Inner::default();
    let state = Arc::clone(&inner.state);
    let layer = CacheLayer::new(bench.router.clone(), question as fn(&_) -> _);
    (bench, state, layer.layer(inner))
}

/// The call of the inner service that the answer is of, and whether it was stored.
fn answer(result: Result<Cached, &'static str>) -> (u64, bool) {
    let (data, is_stored) = match result.unwrap() {
        Cached::Stored(routed) => (routed.answer.response().unwrap().data, true),
        Cached::Computed(computed) => (computed.data, false),
    };
    (data["call"].as_u64().unwrap(), is_stored)
}

fn ask(service: &mut Layered, user: &'static str) -> (u64, bool) {
    answer(now(service.call(user)))
}

fn invalidate(bench: &Bench) {
    let selector = Selector::TagOf {
        record: "claim:1".to_owned(),
        user: UserContext::new("A", "").user_id.unwrap(),
    };
    bench.router.cache().invalidate(&selector);
}

#[test]
fn a_second_call_does_not_reach_the_service_and_that_of_another_user_does() {
    let (bench, _, mut service) = layered();
    now(poll_fn(|cx| service.poll_ready(cx))).unwrap();
    assert_eq!(ask(&mut service, "A"), (1, false));
    assert_eq!(ask(&mut service, "A"), (1, true));
    assert_eq!(ask(&mut service.clone(), "A"), (1, true));
    assert_eq!(ask(&mut service, "B"), (2, false));
    invalidate(&bench);
    assert_eq!(ask(&mut service, "A"), (3, false));
    assert_eq!(ask(&mut service, "A"), (3, true));
}

#[test]
fn requests_without_a_question_or_a_cache_go_to_the_service() {
    let (bench, _, mut service) = layered();
    assert_eq!(ask(&mut service, ""), (1, false));
    assert_eq!(ask(&mut service, ""), (2, false));
    bench.router.cache().set_enabled(false);
    assert_eq!(ask(&mut service, "A"), (3, false));
    assert_eq!(ask(&mut service, "A"), (4, false));
}

#[test]
fn an_invalidation_beats_a_fill() {
    let (bench, state, mut service) = layered();
    state.held.store(true, SeqCst);
    let mut call = service.call("A");
    assert!(poll_once(call.as_mut()).is_pending());
    assert_eq!(state.calls.load(SeqCst), 1);
    invalidate(&bench);
    state.held.store(false, SeqCst);
    assert_eq!(answer(now(call)), (1, false));
    assert_eq!(ask(&mut service, "A"), (2, false));
}

#[test]
fn one_request_computes_and_the_others_wait() {
    let (_bench, state, mut service) = layered();
    state.held.store(true, SeqCst);
    let (mut first, mut second) = (service.call("A"), service.call("A"));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    state.held.store(false, SeqCst);
    assert_eq!(answer(now(first)), (1, false));
    assert_eq!(answer(now(second)), (1, true));
}

#[test]
fn a_dropped_request_passes_its_turn_on() {
    let (_bench, state, mut service) = layered();
    state.held.store(true, SeqCst);
    let (mut first, mut second) = (service.call("A"), service.call("A"));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    drop(first);
    state.held.store(false, SeqCst);
    assert_eq!(answer(now(second)), (2, false));
}

#[test]
fn each_waiter_of_a_failure_tries_once() {
    let (_bench, state, mut service) = layered();
    state.held.store(true, SeqCst);
    state.failing.store(true, SeqCst);
    let (mut first, mut second) = (service.call("A"), service.call("A"));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    state.held.store(false, SeqCst);
    assert_eq!(now(first).unwrap_err(), "no database");
    state.failing.store(false, SeqCst);
    assert_eq!(answer(now(second)), (2, false));
    assert_eq!(ask(&mut service, "A"), (2, true));
}

#[test]
fn a_stale_answer_is_refreshed_by_one_and_stands_in_for_a_failure() {
    let (bench, state, mut service) = layered();
    let freshness = Freshness::ttl(Duration::from_secs(10))
        .with_stale_while_revalidate(Duration::from_secs(100))
        .with_stale_if_error(Duration::from_secs(200));
    let classes = bench.router.cache().classes();
    classes.set_freshness(classes::LIVE_DATA, freshness);
    assert_eq!(ask(&mut service, "A"), (1, false));
    bench.clock.advance(Duration::from_secs(11));
    state.held.store(true, SeqCst);
    let mut refresh = pin!(service.clone().call("A"));
    assert!(poll_once(refresh.as_mut()).is_pending());
    assert_eq!(ask(&mut service, "A"), (1, true));
    state.held.store(false, SeqCst);
    assert_eq!(answer(now(refresh)), (2, false));
    assert_eq!(ask(&mut service, "A"), (2, true));
    bench.clock.advance(Duration::from_secs(150));
    state.failing.store(true, SeqCst);
    assert_eq!(ask(&mut service, "A"), (2, true));
    assert_eq!(state.calls.load(SeqCst), 3);
}

#[test]
fn a_hit_does_not_wait_for_the_service() {
    let (_bench, state, mut service) = layered();
    assert_eq!(ask(&mut service, "A"), (1, false));
    state.busy.store(true, SeqCst);
    now(poll_fn(|cx| service.poll_ready(cx))).unwrap();
    assert_eq!(ask(&mut service, "A"), (1, true));
    let mut miss = service.call("B");
    assert!(poll_once(miss.as_mut()).is_pending());
    assert_eq!(state.calls.load(SeqCst), 1);
    state.busy.store(false, SeqCst);
    assert_eq!(answer(now(miss)), (2, false));
}
