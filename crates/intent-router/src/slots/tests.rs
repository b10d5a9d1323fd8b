mod identifiers;
mod periods;
mod props;
mod values;

use once_cell::sync::Lazy;

use super::takings::takings_of;
use super::{Date, Slots};
use crate::catalogue::Catalogue;
use crate::text::normalise;

fn catalogue() -> Catalogue {
    Catalogue::parse(
        r#"
        [slots.claim]
        kind = "pattern"
        pattern = "CLM-####-######"
        [slots.plate]
        kind = "pattern"
        pattern = "@@@-###"
        [slots.invoice]
        kind = "pattern"
        pattern = "IN/##_@.#"
        [slots.date]
        kind = "date"
        [slots.period]
        kind = "period"
        [slots.range]
        kind = "range"
        [slots.amount]
        kind = "amount"
        currencies = { ZMW = ["K", "ZMW", "kwacha"], USD = ["$", "US$", "USD"], EUR = ["€"] }
        [slots.price]
        kind = "amount"
        currencies = { EUR = ["€"] }
        decimal = ","
        [slots.state]
        kind = "enum"
        values = { open = ["open", "in progress"], refused = ["turned down", "not open"] }
        [[intent]]
        name = "rest"
        kind = "live_data"
        phrases = ["rest"]
        slots = ["range", "amount", "price", "state"]
        [[intent]]
        name = "spans"
        kind = "live_data"
        phrases = ["spans"]
        slots = ["date", "range"]
        [[intent]]
        name = "money"
        kind = "live_data"
        phrases = ["money"]
        slots = ["amount"]
        [[intent]]
        name = "prices"
        kind = "live_data"
        phrases = ["prices"]
        slots = ["price"]
        [[intent]]
        name = "states"
        kind = "live_data"
        phrases = ["states"]
        slots = ["state"]
        [[intent]]
        name = "all"
        kind = "live_data"
        phrases = ["all"]
        slots = ["claim", "plate", "invoice", "date", "period"]
        [[intent]]
        name = "none"
        kind = "live_data"
        phrases = ["none"]
        "#,
    )
    .unwrap()
}

fn find(message: &str) -> Slots {
    find_by("all", message)
}

static CATALOGUE: Lazy<Catalogue> = Lazy::new(catalogue);

/// Friday, 14 March 2025.
fn today() -> Date {
    Date::new(2025, 3, 14).unwrap()
}

/// The slots that an intent of the catalogue finds today.
fn find_by(intent: &str, message: &str) -> Slots {
    let intent = CATALOGUE.get(intent).unwrap();
    Slots::find(intent, &CATALOGUE, message, today())
}

/// Expects the slots that `expect` lists as `key_text` writes them.
#[track_caller]
fn check(message: &str, expect: &str) {
    assert_eq!(find(message).key_text(), expect, "of {message:?}");
}

#[test]
fn several_values_never_equal_one() {
    let two = find("clm-2025-000002, CLM-2025-000001 and clm 2025 000002");
    assert_eq!(two.get("claim"), Some("CLM-2025-000001,CLM-2025-000002"));
    assert_eq!(
        two.values("claim").collect::<Vec<_>>(),
        ["CLM-2025-000001", "CLM-2025-000002"]
    );
    assert_eq!(two.iter().count(), 1);
    assert_ne!(two, find("CLM-2025-000001"));
    assert_ne!(two, find("CLM-2025-000002"));
    assert_eq!(two.values("date").count(), 0);
}

#[test]
fn only_the_slots_of_the_intent_are_found() {
    let catalogue = catalogue();
    let today = Date::new(2025, 3, 14).unwrap();
    let none = Slots::find(
        catalogue.get("none").unwrap(),
        &catalogue,
        "CLM-2025-000001",
        today,
    );
    assert!(none.is_empty() && none.iter().next().is_none() && none.key_text().is_empty());
}

#[test]
fn slots_from_elsewhere() {
    let slots: Slots = [
        ("b", "2"),
        ("a", "1;x=3"),
        ("b", "1"),
        ("b", "2"),
        ("", "x"),
        ("c", ""),
    ]
    .into_iter()
    .collect();
    assert_eq!(slots.key_text(), r"a=1\;x\=3;b=1,2");
}

/// The work is linear: quadratic work on this would take hours. (A message of
/// so many words is given up before its slots are looked for.)
#[test]
fn a_quarter_of_a_megabyte_is_read_to_its_end() {
    let takings = |intent: &str, message: &str| {
        let intent = CATALOGUE.get(intent).unwrap();
        takings_of(&intent.slots, &CATALOGUE, message, today()).slots
    };
    for part in [
        "CLM-2025-",
        "CLM-2025-00012 ",
        "2025-",
        "14 march ",
        "1",
        "in ",
        "- ",
        "a/",
        "clm",
        "from 2025 to ",
        "last 3 ",
        "K1,",
        "1'",
        "$",
        "turned ",
        "in progress",
    ] {
        let message = part.repeat((1 << 18) / part.len()) + " CLM-2025-000123 ";
        let message = normalise(&message);
        assert_eq!(
            takings("all", &message).get("claim"),
            Some("CLM-2025-000123"),
            "of {part:?}"
        );
        let _ = takings("rest", &message);
    }
}
