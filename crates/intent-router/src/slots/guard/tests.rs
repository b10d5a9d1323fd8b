use once_cell::sync::Lazy;
use proptest::prelude::*;

use crate::catalogue::Catalogue;
use crate::slots::{Date, Guard, Reading};

static CATALOGUE: Lazy<Catalogue> = Lazy::new(|| {
    Catalogue::parse(
        r#"
        [slots.order]
        kind = "pattern"
        pattern = "ORD-####"
        [slots.state]
        kind = "enum"
        values = { open = ["open"], shut = ["closed", "not open"] }
        [slots.period]
        kind = "period"
        [[intent]]
        name = "orders"
        kind = "live_data"
        key = "slots"
        phrases = ["order", "orders", "next delivery", "heard back", "to me", { text = "parcel", weight = 3 }]
        examples = [
            "was the blue parcel shipped", "has it shipped", "was the red parcel shipped",
            "the invoice of my order", "the invoice for the parcel", "refund my order", "refund the parcel",
        ]
        neutral = ["in bubble wrap"]
        slots = ["order", "state", "period"]
        [[intent]]
        name = "bills"
        kind = "live_data"
        key = "slots"
        phrases = ["invoice", { text = "refund", weight = 1 }]
        [[intent]]
        name = "hello"
        kind = "knowledge_base"
        key = "slots"
        yields = true
        phrases = ["hello", "refund"]
        "#,
    )
    .unwrap()
});

fn guard(message: &str) -> Option<Guard> {
    let today = Date::new(2025, 3, 14).unwrap();
    Reading::of(&CATALOGUE.intents()[0], &CATALOGUE, message, today, 1.0).guard()
}

#[track_caller]
fn check(guarded: Option<Guard>, messages: &[&str]) {
    for message in messages {
        assert_eq!(guard(message), guarded, "of {message:?}");
    }
}

#[test]
fn what_says_nothing_else_is_let_through() {
    check(
        None,
        &[
            "",
            "?!",
            "order",
            "ORD-0001",
            "Hello, what is it with my order ORD-0001",
            "Could you please tell me where my order ORD-0001 is?",
            "is \"ORD-0001\" shipped",
            "my order #ORD-0001's parcel",
            "orders of March 2025, please",
            "may i see my orders",
            "has my order shipped in bubble wrap",
            "we heard back",
            "is the parcel to me ORD-0001",
            "is the parcel open",
            "it is not open",
            "by the way, what orders have I heard back",
            "my order. Where is the parcel? Could you check?",
            "orders ORD-0001 and ORD-0002",
            "ORD-0003, ORD-0001 and ORD-0002",
            "and my order ORD-0001",
            "my order and the parcel",
            "order - parcel",
            "order -- the parcel ORD-0001",
            "the order ORD-0001 of March 2025",
        ],
    );
}

#[test]
fn each_guard_speaks_up() {
    check(
        Some(Guard::SeveralValues),
        &[
            "orders ORD-0001 - ORD-0002",
            "orders ORD-0001 to ORD-0002",
            "the order ORD-0001 of the parcel ORD-0002",
            "an open or closed order",
        ],
    );
    check(
        Some(Guard::Negation),
        &[
            "no order",
            "my order hasn't shipped",
            "MY ORDER HASN’T",
            "only my order",
        ],
    );
    check(
        Some(Guard::Number),
        &[
            "order 5",
            "order five",
            "order ORD-00012",
            "order ٥",
            "order x5",
            "2025-03-04",
            "the second order",
            "order ²",
            // A period of months has no form for it.
            "orders since March 2025",
        ],
    );
    check(
        Some(Guard::Time),
        &[
            "orders in may i have",
            "order week",
            "orders on monday",
            "order today",
            "orders in March",
        ],
    );
    check(
        Some(Guard::Comparison),
        &[
            "orders since my parcel",
            "my next order",
            "order last-week",
            "order to ORD-0001",
            "from my order ORD-0001",
            "orders by March 2025",
        ],
    );
    check(
        Some(Guard::Conjunction),
        &[
            "ORD-0001 and my orders",
            "order ORD-0001 or so",
            "order ORD-0001 and on",
            "all orders, also ORD-0001",
            "my parcel and order ORD-0001",
            "ORD-0001 and the order of March 2025",
            "order ORD-0001 and of March 2025",
            "March 2025, ORD-0001",
            "orders ORD-0001 and ORD-0002 and the parcel",
            "order ORD-0001, and so on",
            "is ORD-0001 open and my order",
        ],
    );
    check(
        Some(Guard::Polarity),
        &["was my order accepted", "the order was turned down"],
    );
    check(
        Some(Guard::SecondIntent),
        &[
            "invoice",
            "order and invoice",
            "order, the invoice",
            "my order. Please see the invoice",
            "parcel; shipped",
        ],
    );
    check(
        Some(Guard::UnknownWord),
        &[
            "the blue order",
            "order back",
            "delivery order",
            "order 👍",
            "order+",
            "order & parcel",
            "orders -ORD-0001",
            "orders ORD-0001-",
            "orders ORD-0001 –",
            "- ORD-0001",
            "orders !ORD-0001",
            "orders ..ORD-0001",
            "orders ORD-0001.. parcel",
            "ordér",
            "заказ",
            "bubble wrap",
        ],
    );
    let long = "order ".repeat(Guard::MAX_WORDS);
    check(None, &[&long]);
    check(Some(Guard::Length), &[&(long + "order")]);
}

#[test]
fn the_confidence_is_the_catalogues_to_ask_for() {
    let today = Date::new(2025, 3, 14).unwrap();
    let intent = &CATALOGUE.intents()[0];
    let guard = |confidence| Reading::of(intent, &CATALOGUE, "order", today, confidence).guard();
    let asked = CATALOGUE.guards().confidence;
    assert_eq!(guard(asked), None);
    for low in [asked - 0.001, 0.0] {
        assert_eq!(guard(low), Some(Guard::LowConfidence));
    }
}

/// What intents that yield say does not count, unless the intent yields itself.
#[test]
fn intents_that_yield_are_no_second_ones() {
    let today = Date::new(2025, 3, 14).unwrap();
    let guard = |intent: usize, message| {
        Reading::of(
            &CATALOGUE.intents()[intent],
            &CATALOGUE,
            message,
            today,
            1.0,
        )
        .guard()
    };
    assert_eq!(guard(1, "refund, invoice"), None);
    assert_eq!(guard(2, "hello, refund"), None);
    assert_eq!(guard(0, "order, refund"), Some(Guard::SecondIntent));
}

#[test]
fn names_are_distinct() {
    let names: std::collections::BTreeSet<_> =
        Guard::ALL.iter().map(|guard| guard.name()).collect();
    assert_eq!(names.len(), Guard::ALL.len());
}

/// Work that grew with the square of the text would not come to an end.
#[test]
fn half_a_megabyte_is_judged() {
    for part in [
        "order ",
        "' ",
        "- ",
        "ORD-0001 ",
        "open ",
        "may i ",
        "!",
        "ORD-",
        "not ",
        "order. ",
    ] {
        let message = part.repeat((1 << 19) / part.len());
        let _ = guard(&message);
    }
}

proptest! {
    #[test]
    fn prop_any_message_is_judged_as_its_letters_in_another_case(message in any::<String>()) {
        prop_assume!(!crate::text::folds_a_number(&message.to_uppercase()));
        let normal = crate::text::normalise(&message).into_owned();
        if !crate::text::folds_a_number(&message) {
            prop_assert_eq!(guard(&message), guard(&normal));
        }
    }

    #[test]
    fn prop_likely_messages_are_judged(
        message in "((ORD-0001|order|parcel|open|not|and|from|may|i|5|closed|x|[.,'-]){1,2} ?){0,12}",
    ) {
        let _ = guard(&message);
        prop_assert_eq!(guard(&message), guard(&message.to_uppercase()));
    }
}
