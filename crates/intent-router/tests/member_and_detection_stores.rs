//! The stores of memberships and of costly detections.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_core::ManualClock;
use cache_keys::CanonicalJson;
use intent_router::{
    CacheService, CacheUse, Catalogue, Detection, Detector, Request, Router, Selector, UserContext,
};
use support::{FakeSource, bench, now, poll_once};

const CLAIM: &str = "what is my claim status?";

fn request(message: &str) -> Request {
    Request::new(message, UserContext::new("BEN-000001", "beneficiary"))
}

/// A detector that says it is costly and counts how often it is asked.
#[derive(Default)]
struct Costly(AtomicU32);

impl Detector for Costly {
    fn detect(&self, message: &str) -> Detection {
        self.0.fetch_add(1, Ordering::SeqCst);
        Detection {
            intent: message.to_owned(),
            confidence: 0.5,
        }
    }

    fn is_costly(&self) -> bool {
        true
    }
}

struct CostlyBench {
    router: Router,
    detector: Arc<Costly>,
    clock: ManualClock,
}

impl CostlyBench {
    fn new() -> Self {
        let clock = ManualClock::default();
        let cache = CacheService::builder().clock(Arc::new(clock.clone()));
        let detector = Arc::new(Costly::default());
        let router = Router::new(
            Arc::new(Catalogue::built_in().clone()),
            detector.clone(),
            Arc::new(FakeSource::default()),
            Arc::new(cache.build().unwrap()),
        );
        Self {
            router: router.unwrap(),
            detector,
            clock,
        }
    }

    /// How often the detector was asked in the course of a request.
    fn asked(&self, request: &Request) -> u32 {
        let before = self.detector.0.load(Ordering::SeqCst);
        now(self.router.route(request)).unwrap();
        self.detector.0.load(Ordering::SeqCst) - before
    }
}

#[test]
fn a_costly_detection_is_kept_as_long_as_its_class_allows() {
    let bench = CostlyBench::new();
    let request = request("claim_status");
    assert_eq!(bench.asked(&request), 1);
    bench.clock.advance(Duration::from_secs(600));
    assert_eq!(bench.asked(&request), 0);
    bench.clock.advance(Duration::from_nanos(1));
    assert_eq!(bench.asked(&request), 1);
    for selector in [Selector::All, Selector::Class("intent_routing".to_owned())] {
        bench.router.cache().invalidate(&selector);
        assert_eq!(bench.asked(&request), 1, "{selector:?}");
    }
    bench.router.cache().set_enabled(false);
    assert_eq!(
        bench.asked(&request),
        1,
        "nothing is cached while it is off"
    );
}

#[test]
fn nothing_of_a_request_that_forbids_storing_is_stored() {
    let bench = CostlyBench::new();
    let mut request = request("claim_status");
    request.cache_use = CacheUse::Forbidden;
    now(bench.router.route(&request)).unwrap();
    let cache = bench.router.cache();
    assert_eq!(cache.stats().entries, 0);
    assert_eq!(cache.member_stats().entries, 0);
    assert_eq!(cache.detection_stats().entries, 0);
}

#[test]
fn an_intent_that_the_catalogue_lacks_is_unknown() {
    let bench = CostlyBench::new();
    let routed = now(bench.router.route(&request("no_such_intent"))).unwrap();
    assert_eq!(routed.answer.intent(), "unknown");
}

#[test]
fn invalidations_of_a_person_and_of_everything_reach_memberships() {
    for selector in [
        Selector::User(CanonicalJson::string("BEN-000001")),
        Selector::Role(CanonicalJson::string("beneficiary")),
        Selector::Class("user_context".to_owned()),
        Selector::All,
    ] {
        let bench = bench();
        now(bench.router.route(&request(CLAIM))).unwrap();
        let other = UserContext::new("BEN-000002", "employer");
        now(bench.router.route(&Request::new(CLAIM, other))).unwrap();
        bench.router.cache().invalidate(&selector);
        let members = bench.router.cache().member_stats();
        let of_all = matches!(selector, Selector::All | Selector::Class(_));
        assert_eq!(members.entries, usize::from(!of_all), "{selector:?}");
    }
}

/// The user may no longer be a member.
#[test]
fn a_membership_read_before_an_invalidation_is_not_stored_after_it() {
    for selector in [
        Selector::User(CanonicalJson::string("BEN-000001")),
        Selector::Role(CanonicalJson::string("beneficiary")),
        Selector::Class("user_context".to_owned()),
        Selector::All,
    ] {
        let bench = bench();
        bench.source.members_held.store(true, Ordering::SeqCst);
        let request = request(CLAIM);
        let mut early = pin!(bench.router.route(&request));
        assert!(poll_once(early.as_mut()).is_pending());
        bench.source.forget("BEN-000001");
        bench.router.cache().invalidate(&selector);
        let mut late = pin!(bench.router.route(&request));
        assert!(poll_once(late.as_mut()).is_pending());
        bench.source.members_held.store(false, Ordering::SeqCst);
        assert_eq!(
            now(early).unwrap().answer.response().unwrap().data["user"],
            "BEN-000001"
        );
        assert_eq!(bench.router.cache().member_stats().entries, 0);
        // An invalidation of the class of memberships does not reach answers, so
        // the late request may share the early one's answer.
        if selector != Selector::Class("user_context".to_owned()) {
            let late = now(late).unwrap();
            let reason = &late.answer.response().unwrap().data["reason"];
            assert_eq!(reason, "no_such_member", "{selector:?}");
        }
    }
}

#[test]
fn maintenance_removes_what_expired_in_every_store() {
    let bench = CostlyBench::new();
    now(bench.router.route(&request("claim_status"))).unwrap();
    let cache = bench.router.cache();
    let weights =
        || [cache.stats(), cache.member_stats(), cache.detection_stats()].map(|s| s.weight);
    assert!(weights().iter().all(|weight| *weight > 0));
    bench.clock.advance(Duration::from_secs(3_600));
    let done = cache.maintain(1);
    assert_eq!((done.removed, done.more), (1, false));
    assert_eq!(weights(), [0; 3]);
}
