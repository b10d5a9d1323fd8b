//! `Router` as a `tower_service::Service`.

#![cfg(feature = "tower")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::future::poll_fn;
use std::sync::atomic::Ordering;

use intent_router::{Request, RouteError, UserContext};
use support::{CLAIM, bench, is_hit, is_stored_miss, now};
use tower_service::Service;

#[test]
fn a_router_is_a_service() {
    let bench = bench();
    let mut service = bench.router.clone();
    let request = || Request::new(CLAIM, UserContext::new("BEN-000001", "beneficiary"));
    now(poll_fn(|cx| service.poll_ready(cx))).unwrap();
    // The futures borrow nothing.
    let (first, second) = (service.call(request()), service.call(request()));
    drop(service);
    assert!(is_stored_miss(&now(first).unwrap()));
    assert!(is_hit(&now(second).unwrap()));

    bench.source.failing.store(true, Ordering::SeqCst);
    let other = Request::new(CLAIM, UserContext::new("BEN-000002", "beneficiary"));
    let failed = now(bench.router.clone().call(other)).unwrap_err();
    assert!(matches!(failed, RouteError::Source(_)), "{failed}");
}
