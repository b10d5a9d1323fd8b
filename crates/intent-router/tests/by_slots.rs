//! Questions whose slots are given instead of a message.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use intent_router::{
    CacheService, Catalogue, ConversationError, KeywordDetector, Request, RouteError, Routed,
    Router, UserContext,
};
use support::{FakeSource, is_hit, is_stored_miss, now};

fn router() -> Router {
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    Router::new(catalogue, detector, Arc::new(FakeSource::default()), cache).unwrap()
}

fn request(message: &str, user: &str) -> Request {
    Request::new(message, UserContext::new(user, "beneficiary"))
}

fn by_slots(
    router: &Router,
    intent: &str,
    user: &str,
    slots: &[(&str, &str)],
) -> Result<Routed, RouteError> {
    let slots: BTreeMap<_, _> = slots
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let request = Request {
        forced_intent: Some(intent.to_owned()),
        ..request("", user)
    };
    now(router.route_slots(&request, &slots))
}

#[test]
fn a_message_and_its_slots_share_an_answer() {
    for (message, slots) in [
        ("what is my claim status?", &[][..]),
        (
            "what is the status of my claim CLM-2025-000001?",
            &[("claim_number", "clm 2025 000001")],
        ),
    ] {
        let router = router();
        let asked = now(router.route(&request(message, "BEN-000001"))).unwrap();
        assert!(is_stored_miss(&asked), "{:?}", asked.cache);
        let called = by_slots(&router, "claim_status", "BEN-000001", slots).unwrap();
        assert!(is_hit(&called), "{message}: {:?}", called.cache);
        assert_eq!(called.answer.json(), asked.answer.json());
        let other = by_slots(&router, "claim_status", "BEN-000002", slots).unwrap();
        assert!(is_stored_miss(&other), "{:?}", other.cache);
    }
}

#[test]
fn other_slots_have_another_answer() {
    let router = router();
    let claim = |number| {
        let slots = [("claim_number", number)];
        by_slots(&router, "claim_status", "BEN-000001", &slots).unwrap()
    };
    let first = claim("CLM-2025-000001");
    assert!(is_stored_miss(&first));
    assert!(is_stored_miss(&claim("CLM-2025-000002")));
    let all = by_slots(&router, "claim_status", "BEN-000001", &[]).unwrap();
    assert!(is_stored_miss(&all));
    assert!(is_hit(&claim("CLM-2025-000001")));
}

#[test]
fn a_slot_that_cannot_be_read_is_an_error() {
    let router = router();
    let refused = |name, value| {
        let slots = [(name, value)];
        match by_slots(&router, "claim_status", "BEN-000001", &slots) {
            Err(RouteError::Conversation(wrong)) => wrong,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        refused("claim_number", "the last one"),
        ConversationError::Value {
            slot: "claim_number".to_owned(),
            value: "the last one".to_owned(),
            expected: "an identifier of the form CLM-####-######".to_owned(),
        }
    );
    let unknown = refused("period", "2025-03");
    assert!(matches!(unknown, ConversationError::UnknownSlot { .. }));
}
