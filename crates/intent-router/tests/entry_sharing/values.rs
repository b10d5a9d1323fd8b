//! Values of slots share an entry exactly where they are the same, however they
//! are written.

use intent_router::Catalogue;

use crate::pairs::Pairs;

/// Ways to write one value, of which any two mean the same and none means
/// the value of another line.
const VALUES: [&[&str]; 26] = [
    &[
        "of K500",
        "of K500.00",
        "of 500 kwacha",
        "of ZMW 500",
        "OF k500,0",
    ],
    &[
        "of K5,000",
        "of K5000",
        "of 5'000.00 kwacha",
        "of K5.000,00",
    ],
    &["of K50", "of 50 ZMW"],
    &["of K500.5", "of K500,50"],
    &["of K5,000.50", "of 5.000,5 ZMW"],
    &["of $500", "of 500 USD", "of $ 500.00 USD"],
    &["of $5,000", "of USD 5000"],
    &[
        "of 14 March 2025",
        "of 2025-03-14",
        "of 14/03/2025",
        "of March 14th, 2025",
    ],
    &["of 15 March 2025", "of 15.3.2025"],
    &["of 2024-03-14", "of 14-03-2024"],
    &["of March 2025", "of 2025-03", "in 03/2025"],
    &["of April 2025", "in April of 2025"],
    &["in 2024", "of last year", "for the previous year"],
    &["in 2025", "of this year", "of the current year"],
    &[
        "of Q1 2025",
        "of the first quarter of 2025",
        "from January 2025 to March 2025",
    ],
    &["of this quarter", "in 2025-Q4"],
    &["of last week", "of 2025-W46"],
    &[
        "of this week",
        "of 2025-W47",
        "from 2025-11-17 to 23 November 2025",
    ],
    &["of today", "of 20 Nov 2025"],
    &["of yesterday", "of 19 Nov 2025", "of 1 days ago"],
    &[
        "of the last 7 days",
        "of the past seven days",
        "from 14 Nov 2025 to today",
    ],
    &["of the last 30 days"],
    &["of the next 7 days", "of the next seven days"],
    &["that are pending", "in progress", "under way"],
    &["that are settled", "that went through"],
    &[""],
];

#[test]
fn values_share_when_they_are_the_same_and_only_then() {
    let catalogue = Catalogue::parse(
        r#"
        [slots.amount]
        kind = "amount"
        currencies = { ZMW = ["K", "ZMW", "kwacha"], USD = ["$", "USD"] }
        [slots.range]
        kind = "range"
        [slots.state]
        kind = "enum"
        [slots.state.values]
        pending = ["pending", "in progress", "under way"]
        settled = ["settled", "went through"]
        [[intent]]
        name = "transactions"
        kind = "live_data"
        key = "slots"
        phrases = ["transactions"]
        slots = ["amount", "range", "state"]
        "#,
    );
    let mut pairs = Pairs::of(catalogue.unwrap());
    let written: Vec<_> = VALUES
        .iter()
        .enumerate()
        .flat_map(|(value, ways)| ways.iter().map(move |way| (value, way)))
        .collect();
    for (a, first) in &written {
        for (b, second) in &written {
            let [first, second] =
                [first, second].map(|way| format!("my transactions {way}, please"));
            let shared = pairs.share(&first, &second, None);
            assert_eq!(shared, a == b, "{first:?} and {second:?}");
        }
    }
    assert!(pairs.users > 3_000);
}
