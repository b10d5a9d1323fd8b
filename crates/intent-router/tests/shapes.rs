//! What the types allow: sharing between threads, trait objects, pointers.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use intent_router::{
    Answer, CacheService, Catalogue, Deadline, Detector, EntryKey, KeywordDetector, LiveData,
    Principal, Request, Routed, Router, Selector, UserContext,
};
use support::{FakeSource, bench, now};

fn is_send<T: Send>(value: T) -> T {
    value
}

fn is_shared<T: Send + Sync>() {}

#[test]
fn a_router_and_its_futures_may_be_shared_between_threads() {
    is_shared::<Router>();
    is_shared::<CacheService>();
    is_shared::<Answer>();
    is_shared::<EntryKey>();
    is_shared::<Routed>();
    is_shared::<Selector>();
    let bench = bench();
    let request = Request::new("good morning", UserContext::guest());
    assert!(now(is_send(bench.router.route(&request))).is_ok());
}

fn detects(detector: impl Detector) -> String {
    detector.detect("what is my claim status?").intent
}

#[test]
fn a_detector_may_be_a_trait_object_behind_any_pointer() {
    let detector = KeywordDetector::new(Catalogue::built_in());
    let object: &dyn Detector = &detector;
    assert_eq!(detects(object), "claim_status");
    assert_eq!(
        detects(Box::new(object) as Box<dyn Detector>),
        "claim_status"
    );
    let shared: Arc<dyn Detector> = Arc::new(KeywordDetector::new(Catalogue::built_in()));
    assert_eq!(detects(shared), "claim_status");
}

fn knows(source: impl LiveData, who: &Principal) -> bool {
    assert!(now(source.ready()).is_err(), "readiness is forwarded");
    now(source.is_member(who, Deadline::NEVER)).unwrap().value
}

#[test]
fn a_source_may_be_a_trait_object_behind_any_pointer() {
    let who = Principal::identify(&UserContext::new("BEN-000001", "beneficiary")).unwrap();
    let failing = || {
        let source = FakeSource::default();
        source.failing.store(true, Ordering::SeqCst);
        source
    };
    let source = failing();
    let object: &dyn LiveData = &source;
    assert!(knows(object, &who));
    assert!(knows(Box::new(failing()) as Box<dyn LiveData>, &who));
    assert!(knows(Arc::new(failing()) as Arc<dyn LiveData>, &who));
}
