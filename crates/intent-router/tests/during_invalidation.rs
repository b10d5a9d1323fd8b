//! Requests that are answered during an invalidation, between one store and the
//! next.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::{Arc, Mutex};

use cache_core::{Clock, ManualClock, Moment};
use cache_keys::CanonicalJson;
use intent_router::{
    CacheService, Catalogue, KeywordDetector, Request, Router, Selector, UserContext,
};
use support::{FakeSource, now};

type Hook = Box<dyn FnOnce() + Send>;

/// A clock that calls a function when it is read for the n-th time from now.
/// Clocks are read when no lock is held: once by each store that an invalidation
/// visits.
#[derive(Default)]
struct Interrupting {
    time: ManualClock,
    next: Mutex<Option<(usize, Hook)>>,
}

impl Clock for Interrupting {
    fn now(&self) -> Moment {
        let due = {
            let mut next = self.next.lock().unwrap();
            match next.take() {
                Some((0, hook)) => Some(hook),
                Some((n, hook)) => {
                    *next = Some((n - 1, hook));
                    None
                }
                None => None,
            }
        };
        if let Some(hook) = due {
            hook();
        }
        self.time.now()
    }
}

/// Answers are of the same class as memberships here, so that an invalidation of
/// that class reaches both.
const CATALOGUE: &str = r#"
    [[intent]]
    name = "claim_status"
    kind = "live_data"
    class = "user_context"
    phrases = ["claim"]
"#;

#[test]
fn nothing_of_before_an_invalidation_outlasts_it() {
    for selector in [
        Selector::User(CanonicalJson::string("BEN-000001")),
        Selector::Role(CanonicalJson::string("beneficiary")),
        Selector::Class("user_context".to_owned()),
        Selector::All,
    ] {
        for readings in 0..3 {
            let clock = Arc::new(Interrupting::default());
            let catalogue = Arc::new(Catalogue::parse(CATALOGUE).unwrap());
            let detector = Arc::new(KeywordDetector::new(&catalogue));
            let source = Arc::new(FakeSource::default());
            let cache = CacheService::builder().clock(clock.clone()).build();
            let cache = Arc::new(cache.unwrap());
            let router = Router::new(catalogue, detector, source.clone(), cache).unwrap();
            let router = Arc::new(router);
            let request = |message: &str| {
                Request::new(message, UserContext::new("BEN-000001", "beneficiary"))
            };

            now(router.route(&request("my claim"))).unwrap();
            source.forget("BEN-000001");
            let (during, inner) = (request("the claim"), Arc::clone(&router));
            let hook: Hook = Box::new(move || drop(now(inner.route(&during))));
            *clock.next.lock().unwrap() = Some((readings, hook));
            router.cache().invalidate(&selector);
            clock.next.lock().unwrap().take();
            for message in ["my claim", "the claim"] {
                let after = now(router.route(&request(message))).unwrap();
                assert_eq!(
                    after.answer.response().unwrap().data["reason"],
                    "no_such_member",
                    "{selector:?}, {readings} readings, {message}"
                );
            }
        }
    }
}
