//! Which answers the change of a record reaches, by what they were made of.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use cache_keys::CanonicalJson;
use intent_router::{Extent, Read, Request, Selector, UserContext};
use support::{Bench, CLAIM, ask, bench, is_hit, is_stored_miss, now};

/// Answers of two members whose queries read payments to this extent.
fn filled(extent: Extent) -> Bench {
    let bench = bench();
    let kind = Some("payment".to_owned());
    *bench.source.reads.lock().unwrap() = vec![Read::new(kind, extent)];
    for user in ["BEN-000001", "BEN-000002"] {
        for message in [CLAIM, "show my payment history"] {
            assert!(is_stored_miss(&ask(&bench, message, user, "beneficiary")));
        }
    }
    bench
}

fn tag(record: &str) -> Selector {
    Selector::Tag(record.to_owned())
}

fn of(record: &str, user: &str) -> Selector {
    Selector::TagOf {
        record: record.to_owned(),
        user: CanonicalJson::string(user),
    }
}

#[test]
fn a_change_reaches_as_far_as_was_read() {
    use Extent::{Named, Part, Whole};
    for (extent, selector, expect) in [
        // No answer holds the payment; those made of payments may come to.
        (Part, tag("payment:PAY-1"), 4),
        (Part, of("payment:PAY-1", "BEN-000001"), 2),
        (Part, of("payment:PAY-1", "BEN-000003"), 0),
        (Whole, tag("payment:PAY-1"), 4),
        // Whose the payment is does not say who counted it.
        (Whole, of("payment:PAY-1", "BEN-000001"), 4),
        (Named, tag("payment:BEN-000001"), 2),
        (Named, of("payment:BEN-000001", "BEN-000001"), 2),
        (Named, tag("payment:PAY-1"), 0),
        (Part, tag("pension:PEN-1"), 0),
        (Whole, tag("paymen:PAY-1"), 0),
        // Each answer holds its member's claim.
        (Part, tag("claim:BEN-000002"), 2),
        (Part, of("claim:BEN-000002", "BEN-000001"), 2),
    ] {
        let bench = filled(extent);
        let removed = bench.router.cache().invalidate(&selector);
        assert_eq!(removed, expect, "{selector:?} of {extent:?}");
        let again = ask(&bench, CLAIM, "BEN-000001", "beneficiary");
        let reaches_first = expect == 4 || expect == 2 && !selector_is_of_second(&selector);
        assert_eq!(is_hit(&again), !reaches_first, "{selector:?} of {extent:?}");
    }
}

fn selector_is_of_second(selector: &Selector) -> bool {
    matches!(selector, Selector::Tag(tag) | Selector::TagOf { record: tag, .. }
        if tag == "claim:BEN-000002")
}

#[test]
fn a_list_counts_each_answer_once() {
    let bench = filled(Extent::Part);
    // What is nobody's own was made of everybody's payments.
    ask(&bench, "good morning", "BEN-000001", "beneficiary");
    let cache = bench.router.cache();
    assert_eq!(cache.invalidate_all_of(&[]), 0);
    let list = [
        of("payment:PAY-1", "BEN-000001"),
        of("payment:PAY-2", "BEN-000001"),
        tag("claim:BEN-000001"),
        Selector::Intent("payment_history".to_owned()),
    ];
    // Two of the first member, one of the second, and the greeting.
    assert_eq!(cache.invalidate_all_of(&list), 4);
    assert_eq!(cache.invalidate_all_of(&list), 0);
    let last = [tag("payment:PAY-1"), Selector::All];
    assert_eq!(cache.invalidate_all_of(&last), 1);
    assert_eq!(cache.invalidate(&Selector::All), 0);
}

/// A source is given text, so a change that is told by one form reaches both.
#[test]
fn a_number_and_its_text_are_one_user_to_invalidations() {
    let route = |bench: &Bench, id: &str| {
        let context = format!(r#"{{"user_id": {id}, "user_role": "beneficiary"}}"#);
        let context: UserContext = serde_json::from_str(&context).unwrap();
        now(bench.router.route(&Request::new(CLAIM, context))).unwrap()
    };
    for selector in [
        Selector::User(CanonicalJson::string("42")),
        Selector::User(CanonicalJson::parse("42").unwrap()),
        of("payment:PAY-1", "42"),
    ] {
        let bench = bench();
        let kind = Some("payment".to_owned());
        *bench.source.reads.lock().unwrap() = vec![Read::new(kind, Extent::Part)];
        for id in [
            "42",
            "\"42\"",
            "\"042\"",
            "\" 42\"",
            "42.0",
            "\"42\\u0000\"",
            "[42]",
        ] {
            // Each is another owner and has an answer of its own.
            assert!(is_stored_miss(&route(&bench, id)), "{id}");
        }
        bench.router.cache().invalidate(&selector);
        for id in ["42", "\"42\""] {
            assert!(
                is_stored_miss(&route(&bench, id)),
                "{id} after {selector:?}"
            );
        }
        for id in ["\"042\"", "\" 42\"", "42.0", "\"42\\u0000\"", "[42]"] {
            assert!(is_hit(&route(&bench, id)), "{id} after {selector:?}");
        }
    }
}
