//! Recording an answered request allocates nothing. Alone in its program: the
//! allocator counts those of the whole process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

#[allow(dead_code, reason = "the test records only")]
#[path = "../src/serve/metrics/mod.rs"]
mod metrics;

use std::alloc::System;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use intent_router::{
    Ask, CacheService, Catalogue, KeywordDetector, OutcomeClass, Records, Request, Router,
    SourceError, UserContext, source_fn,
};
use metrics::Metrics;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const REQUESTS: u32 = 10_000;

/// How many of the recent requests the metrics keep.
const RECENT: usize = 50;

#[test]
fn recording_a_hit_allocates_nothing() {
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let source = source_fn(|_: Ask<'_>| async {
        Ok::<_, SourceError>(Records::new(serde_json::json!({}), vec![]))
    });
    let cache = Arc::new(CacheService::builder().build().unwrap());
    let router = Router::new(catalogue, detector, source, cache).unwrap();
    let user = UserContext::new("BEN-000001", "beneficiary");
    let request = Request::new("what is my claim status?", user);
    let route = || match pin!(router.route(&request)).poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(routed) => routed.unwrap(),
        Poll::Pending => panic!("the source does not wait"),
    };
    route();
    let hit = route();
    assert_eq!(hit.cache.class(), OutcomeClass::Hit);

    let metrics = Metrics::new();
    let began = Instant::now();
    let region = Region::new(ALLOCATOR);
    for _ in 0..REQUESTS {
        metrics.answered(
            black_box(&request.user_context),
            &hit,
            began,
            Instant::now(),
        );
    }
    let change = region.change();
    // The harness may allocate a little at the same time.
    let allocations = change.allocations + change.reallocations;
    assert!(allocations < REQUESTS as usize / 100, "{allocations}");
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.requests(OutcomeClass::Hit), u64::from(REQUESTS));
    assert_eq!(snapshot.recent.len(), RECENT);

    // Of identifiers as long as a body, only what is shown is kept.
    let region = Region::new(ALLOCATOR);
    let long = UserContext::new(&"é".repeat(1 << 18), "beneficiary");
    for _ in 0..RECENT {
        metrics.answered(&long, &hit, began, Instant::now());
    }
    drop(long);
    let change = region.change();
    let kept = change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated);
    assert!(kept < 64 * 1_024, "{kept} bytes kept");
}
