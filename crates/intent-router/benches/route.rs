//! What a hit costs, whole and in parts.
//!
//! `cargo bench -p intent-router --bench route [-- --quick]`
//!
//! One user asks one question again and again, of the built-in catalogue. The
//! figures are medians over rounds in which all parts take turns, so that
//! whatever else the machine does falls on all of them alike. The parts are
//! what `route` does one after another; `rest` is the remainder.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and fails by panicking"
)]

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use intent_router::{
    Ask, BoxFuture, CacheOutcome, CacheService, Catalogue, Date, Deadline, Found, KeyMode,
    KeywordDetector, LiveData, Owner, Principal, Reading, Records, Request, Router, SourceError,
    UserContext,
};

struct Plan {
    rounds: usize,
    round: Duration,
}

/// Records that cost nothing to find.
struct Nothing;

impl LiveData for Nothing {
    fn is_member<'a>(
        &'a self,
        _: &'a Principal,
        _: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(async { Ok(Found::new(true, 1)) })
    }

    fn records<'a>(&'a self, _: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        let records = Records::new(serde_json::json!({ "claims": [] }), vec![]);
        Box::pin(async move { Ok(Found::new(records, 1)) })
    }
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a hit never waits"),
    }
}

/// Nanoseconds per call, over about one round's time.
fn time(round: Duration, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0u32;
    while start.elapsed() < round {
        for _ in 0..64 {
            call();
        }
        calls += 64;
    }
    start.elapsed().as_nanos() as f64 / f64::from(calls)
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn measure(plan: &Plan, router: &Router, name: &str, request: &Request) {
    let first = now(router.route(request)).unwrap();
    let hit = now(router.route(request)).unwrap();
    assert!(matches!(hit.cache, CacheOutcome::Hit { .. }), "{name}");
    let cache = router.cache();
    let intent = first.answer.intent();
    let owner = first.answer.owner();
    let catalogue = router.catalogue();
    let spec = catalogue.get(intent).unwrap();
    let today = Date::from_unix_seconds(1_763_596_800);
    let read = || Reading::of(spec, catalogue, black_box(&request.message), today, 1.0);
    let context = router.resolve(request).unwrap().unwrap();
    let key = || cache.identity(black_box(&context)).unwrap();
    let class = match owner {
        Owner::Everyone => intent_router::classes::KNOWLEDGE_BASE,
        Owner::Person(_) => intent_router::classes::LIVE_DATA,
    };
    let entry = key();
    assert!(cache.get(&entry, class).is_some());

    let mut columns = [const { Vec::new() }; 5];
    for _ in 0..plan.rounds {
        let detect = time(plan.round, || drop(router.detect(black_box(request))));
        let slots = time(plan.round, || drop(read()));
        let keyed = time(plan.round, || drop(key()));
        let lookup = time(plan.round, || drop(cache.get(black_box(&entry), class)));
        let whole = time(plan.round, || drop(now(router.route(black_box(request)))));
        for (column, figure) in columns
            .iter_mut()
            .zip([detect, slots, keyed, lookup, whole])
        {
            column.push(figure);
        }
    }
    let [detect, slots, keyed, lookup, whole] = columns.each_mut().map(|column| median(column));
    let rest = whole - detect - slots - keyed - lookup;
    println!("{name:<26}{detect:>9.0}{slots:>9.0}{keyed:>9.0}{lookup:>9.0}{rest:>9.0}{whole:>9.0}");
}

fn main() {
    // `cargo bench` says `--bench`; `cargo test --all-targets`, which does not,
    // only wants to see that it runs.
    let has = |name| std::env::args().any(|arg| arg == name);
    let plan = if has("--quick") || !has("--bench") {
        Plan {
            rounds: 31,
            round: Duration::from_micros(300),
        }
    } else {
        Plan {
            rounds: 301,
            round: Duration::from_millis(1),
        }
    };

    let catalogue = Arc::new(Catalogue::built_in().clone());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    let router = Router::new(catalogue, detector, Arc::new(Nothing), cache).unwrap();
    println!(
        "{:<26}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "nanoseconds (median)", "detect", "slots", "key", "lookup", "rest", "route"
    );
    let who = UserContext::new("BEN-000001", "beneficiary");
    let request = |message: &str| Request::new(message, who.clone());
    let claim = "What is the status of my claim CLM-2025-000123?";
    measure(&plan, &router, "detected", &request(claim));
    let mut forced = request(claim);
    forced.forced_intent = Some("claim_status".to_owned());
    measure(&plan, &router, "forced intent", &forced);
    let exact = Catalogue::built_in().with_key(KeyMode::Message);
    let detector = Arc::new(KeywordDetector::new(&exact));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    let exact = Router::new(Arc::new(exact), detector, Arc::new(Nothing), cache).unwrap();
    measure(&plan, &exact, "keyed by message", &request(claim));
    measure(&plan, &router, "knowledge base", &request("good morning"));
}
