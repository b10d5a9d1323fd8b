use once_cell::sync::Lazy;
use proptest::prelude::*;

use super::*;
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
fn identifiers_in_any_case_and_with_any_dash() {
    let found = "claim=CLM-2025-000123";
    for message in [
        "CLM-2025-000123",
        "what is clm-2025-000123's status?",
        "(Clm-2025-000123)",
        "clm2025000123",
        "CLM 2025 000123.",
        "CLM–2025–000123",
        "CLM\u{2011}2025\u{2011}000123",
        "CLM - 2025 -000123",
        "ＣＬＭ－２０２５－０００１２３",
        "#CLM-2025-000123, please",
        "- CLM-2025-000123 - what of it",
        "-CLM-2025-000123",
        "my claim—CLM-2025-000123—is late",
        "clm clm-2025-000123",
    ] {
        check(message, found);
    }
}

#[test]
fn identifiers_stand_alone() {
    for message in [
        "",
        "CLM",
        "CLM-2025-00012",
        "CLM-2025-0001234",
        "XCLM-2025-000123",
        "CLM-2025-000123-1",
        "A-CLM-2025-000123",
        "a/CLM-2025-000123",
        "CLM-2025-000123_b",
        "CLM-2025-000123é",
        "CLM--2025-000123",
        "CLM-2o25-000123",
        "CLM-٢٠٢٥-000123",
    ] {
        check(message, "");
    }
}

#[test]
fn patterns_without_letters_of_their_own_are_strict() {
    check(
        "plate abc-123, IN/07_x.9",
        "invoice=IN/07_X.9;plate=ABC-123",
    );
    check("plate ABC–123", "plate=ABC-123");
    check("see 123, abc 123, abc123", "");
}

#[test]
fn dates() {
    for message in [
        "on 2025-03-04",
        "2025/3/4",
        "04/03/2025",
        "4.3.2025.",
        "4-3-2025",
        "4 March 2025",
        "the 4th of March, 2025",
        "4-Mar-2025",
        "MARCH 4th, 2025!",
        "mar 4 2025",
    ] {
        check(message, "date=2025-03-04");
    }
    for message in [
        "2025-02-29",
        "31/04/2025",
        "2025-13-01",
        "04/03-2025",
        "1/2/03",
        "4/3/1850",
        "x-2025-03-04",
        "2025-03-04-1",
        "4 Marches 2025",
    ] {
        check(message, "");
    }
    check("29 Feb 2024", "date=2024-02-29");
}

#[test]
fn periods() {
    check("March 2025", "period=2025-03");
    check("for sept. 2024?", "period=2024-09");
    check("March of 2025", "period=2025-03");
    check("2025-03", "period=2025-03");
    check("3/2025", "period=2025-03");
    check("payments in 2024", "period=2024");
    check("the year 1999", "period=1999");
    check("in 2025-03", "period=2025-03");
    check("in May 2025", "period=2025-05");
    for message in [
        "2025",
        "in 1850",
        "2025-13",
        "I may 20",
        "CLM-2025-03",
        "in 20255",
        "payment of 2000",
    ] {
        check(message, "");
    }
}

#[test]
fn relative_periods_count_from_today() {
    check("this month", "period=2025-03");
    check("LAST  month?", "period=2025-02");
    check("previous year", "period=2024");
    check("current year", "period=2025");
    check("at last, monthly", "");
    let catalogue = catalogue();
    let all = catalogue.get("all").unwrap();
    let on = |year, month| {
        let today = Date::new(year, month, 1).unwrap();
        Slots::find(all, &catalogue, "last month", today)
            .get("period")
            .map(str::to_owned)
    };
    assert_eq!(on(2025, 1).as_deref(), Some("2024-12"));
    assert_eq!(on(9999, 12).as_deref(), Some("9999-11"));
    // There is no year 0.
    assert_eq!(on(1, 1), None);
}

#[test]
fn quarters_are_months() {
    let first = "period=2025-01,2025-02,2025-03";
    check("Q1 2025", first);
    check("2025-Q1", first);
    check("the first quarter of 2025", first);
    check("this quarter", first);
    check("last quarter", "period=2024-10,2024-11,2024-12");
    check(
        "from Nov 2024 to January 2025",
        "period=2024-11,2024-12,2025-01",
    );
    check("between 2025-01 and 2025-03?", first);
    // So many months are no list to look in.
    check("from January 1990 to January 2025", "");
    for message in [
        "Q5 2025",
        "the quarter of 2025",
        "last week",
        "last three months",
        "from March to June 2025 to",
    ] {
        let found = find(message);
        assert!(
            found.get("period").is_none_or(|period| period == "2025-06"),
            "of {message:?}"
        );
    }
}

#[test]
fn spans_of_days() {
    let check = |message: &str, expect: &str| {
        let found = find_by("spans", message);
        assert_eq!(found.get("range"), Some(expect), "of {message:?}");
    };
    check("2025-03-04", "2025-03-04/2025-03-04");
    check("in March 2025", "2025-03-01/2025-03-31");
    check("in 2024", "2024-01-01/2024-12-31");
    check("this week", "2025-03-10/2025-03-16");
    check("last week", "2025-03-03/2025-03-09");
    check("next week", "2025-03-17/2025-03-23");
    check("2025-W11", "2025-03-10/2025-03-16");
    check("2020-W53", "2020-12-28/2021-01-03");
    check("this month", "2025-03-01/2025-03-31");
    check("next month", "2025-04-01/2025-04-30");
    check("next quarter", "2025-04-01/2025-06-30");
    check("last year", "2024-01-01/2024-12-31");
    check("the last 7 days", "2025-03-08/2025-03-14");
    check("past 30 days", "2025-02-13/2025-03-14");
    check("last two weeks", "2025-02-24/2025-03-14");
    check("last 3 months", "2024-12-01/2025-03-14");
    check("next 10 days", "2025-03-15/2025-03-24");
    check("from 2025-03-01 to 14 March 2025", "2025-03-01/2025-03-14");
    check("between 1/2/2025 and yesterday", "2025-02-01/2025-03-13");
    check("from 2024-12 until March 2025", "2024-12-01/2025-03-31");
    for message in [
        "2025-W00",
        "2025-W53",
        "2025-W1",
        "last 0 days",
        "last 1000 days",
        "last few days",
        "weekly",
        "from 2025-03-14 to 2025-03-01 to",
    ] {
        let found = find_by("spans", message);
        assert!(
            found.get("range").is_none_or(|range| range.len() > 21),
            "of {message:?}"
        );
    }
}

#[test]
fn days_that_count_from_today() {
    for (message, expect) in [
        ("today", "2025-03-14"),
        ("yesterday?", "2025-03-13"),
        ("Tomorrow", "2025-03-15"),
        ("3 days ago", "2025-03-11"),
        ("two days ago", "2025-03-12"),
    ] {
        check(message, &format!("date={expect}"));
    }
    check("2 weeks ago, todays, some days ago, monday", "");
}

#[test]
fn amounts() {
    let check = |message: &str, expect: &str| {
        assert_eq!(
            find_by("money", message).key_text(),
            expect,
            "of {message:?}"
        );
    };
    for message in [
        "K1,234.50",
        "k 1.234,50 please",
        "ZMW1234.5",
        "(1'234.50 kwacha)",
        "1234,50 ZMW.",
        "the K1,234.50k?".trim_end_matches("k?"),
        "Ｋ１，２３４．５０",
        "K1234.50 ZMW",
    ] {
        check(message, "amount=1234.5 ZMW");
    }
    check("US$ 5", "amount=5 USD");
    check("$5.00", "amount=5 USD");
    check("5$ and €5", "amount=5 EUR,5 USD");
    check("$1,234", "amount=1234 USD");
    check("$12, 13", "amount=12 USD");
    for message in [
        "5",
        "K",
        "bank5",
        "K5x",
        "-K5",
        "K5-6",
        "K5%",
        "$5 €",
        "K1.234",
        "K12,34,567",
        "5 K/month x5",
        "K5/6",
        "BK5",
        "5 kwachas",
        "K 5k",
        "K½",
    ] {
        let found = find_by("money", message);
        let read = found.get("amount");
        assert!(
            read.is_none() || message.starts_with("5 K/"),
            "{message:?} is {read:?}"
        );
    }
    // Where a comma sets decimals apart.
    assert_eq!(find_by("prices", "€1.234").get("price"), Some("1234 EUR"));
    assert_eq!(find_by("prices", "€1,234").get("price"), None);
}

#[test]
fn values_of_a_list() {
    let check = |message: &str, expect: &str| {
        assert_eq!(
            find_by("states", message).key_text(),
            expect,
            "of {message:?}"
        );
    };
    check("Is it open?", "state=open");
    check("IN PROGRESS", "state=open");
    check("in-progress or open", "state=open");
    check("it was turned down", "state=refused");
    check("not open", "state=refused");
    check("open, or turned down", "state=open,refused");
    check("opened, turned, progress in", "");
}

#[test]
fn a_date_is_no_period() {
    check(
        "14 March 2025 and in April 2025",
        "date=2025-03-14;period=2025-04",
    );
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

#[test]
fn patterns_are_validated() {
    for good in ["CLM-####-######", "#", "@@/##_#.@", "A1-#"] {
        assert_eq!(pattern::problem(good), None, "of {good}");
    }
    let long = "#".repeat(65);
    for bad in [
        "",
        "CLM",
        "-#",
        "#-",
        "# #",
        "#=#",
        "#;#",
        "#,#",
        "é#",
        long.as_str(),
    ] {
        assert!(pattern::problem(bad).is_some(), "of {bad}");
    }
}

/// The work is linear: quadratic work on this would not come to an end. (A
/// message of so many words is given up before its slots are looked for.)
#[test]
fn a_quarter_of_a_megabyte_is_read_to_its_end() {
    let takings = |intent: &str, message: &str| {
        let intent = CATALOGUE.get(intent).unwrap();
        reading::takings_of(&intent.slots, &CATALOGUE, message, today()).slots
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

proptest! {
    #[test]
    fn prop_any_message_is_read_as_its_normal_form_is(message in any::<String>()) {
        prop_assert_eq!(find(&message), find(&normalise(&message)));
    }

    #[test]
    fn prop_likely_messages_are_read_as_their_normal_form_is(
        message in "((CLM|clm|abc|14|march|2025|03|in|last|month|IN|[-–/_. ,]){1,3}[ -]?){0,8}",
    ) {
        prop_assert_eq!(find(&message), find(&normalise(&message)));
        prop_assert_eq!(find(&format!("{message} ?!")), find(&message));
    }

    #[test]
    fn prop_every_claim_named_is_found(
        claims in prop::collection::btree_set((2000..2100u32, 0..1_000_000u32), 0..5),
        dash in prop::sample::select(vec!["-", "–", " ", "", " - "]),
        between in prop::sample::select(vec![" ", ", ", " and ", "; "]),
        upper in any::<bool>(),
    ) {
        let clm = if upper { "CLM" } else { "clm" };
        let written: Vec<_> = claims.iter().map(|(year, n)| format!("{clm}{dash}{year}{dash}{n:06}")).collect();
        let expect: Vec<_> = claims.iter().map(|(year, n)| format!("CLM-{year}-{n:06}")).collect();
        let found = find(&format!("claims: {}.", written.join(between)));
        prop_assert_eq!(found.values("claim").collect::<Vec<_>>(), expect);
    }

    #[test]
    fn prop_every_day_is_found(year in 1900..2100u16, month in 1..=12u8, day in 1..=31u8) {
        let date = Date::new(year, month, day).map(|date| date.to_string());
        for message in [format!("{year}-{month:02}-{day:02}"), format!("{day}/{month}/{year}")] {
            let found = find(&message);
            prop_assert_eq!(found.get("date"), date.as_deref());
            prop_assert_eq!(found.get("period"), None);
        }
    }

    #[test]
    fn prop_different_slots_have_different_texts(
        a in prop::collection::btree_map(r"[a=;\\]{1,2}", r"[a=;,\\]{1,3}", 0..3),
        b in prop::collection::btree_map(r"[a=;\\]{1,2}", r"[a=;,\\]{1,3}", 0..3),
    ) {
        let (a, b): (Slots, Slots) = (a.into_iter().collect(), b.into_iter().collect());
        prop_assert_eq!(a == b, a.key_text() == b.key_text());
    }
}
