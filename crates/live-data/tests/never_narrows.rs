//! What a guard doubts never narrows an answer: the values of slots reach a
//! source by way of the guards' verdict only.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, UNIX_EPOCH};

use intent_router::{
    Ask, CacheService, Catalogue, KeywordDetector, Kind, LiveData, Principal, Request,
    RequestContext, Router, Slots, UserContext,
};
use live_data::{DemoOptions, SqliteOptions, SqliteSource};
use proptest::prelude::*;
use proptest::sample::select;

struct Desk {
    router: Router,
    source: Arc<SqliteSource>,
}

static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let catalogue = Catalogue::built_in();
    let demo = DemoOptions {
        members: 60,
        ..DemoOptions::default()
    };
    let source = SqliteSource::demo(catalogue, &demo, &SqliteOptions::default()).unwrap();
    let source = Arc::new(source);
    let detector = Arc::new(KeywordDetector::new(catalogue));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    let catalogue = Arc::new(catalogue.clone());
    let router = Router::new(catalogue, detector, Arc::clone(&source) as _, cache).unwrap();
    // 2025-11-15, near the end of the demo data.
    let today = UNIX_EPOCH + Duration::from_secs(1_763_164_800);
    let router = router.with_wall_clock(Arc::new(move || today));
    Desk { router, source }
});

/// The rows of an answer, each with the name of its query.
fn rows(ask: Ask<'_>) -> BTreeSet<String> {
    let found = pollster::block_on(DESK.source.records(ask)).unwrap();
    let data = found.value.data;
    let queries = data.as_object().unwrap().iter();
    let rows = queries.flat_map(|(name, rows)| {
        let rows = rows.as_array().unwrap().iter();
        rows.map(move |row| format!("{name} {row}"))
    });
    rows.collect()
}

/// Words by which a message says another thing than its slots do, some of which
/// no list has.
fn doubt() -> impl Strategy<Value = &'static str> {
    select(vec![
        "except",
        "but not",
        "other than",
        "apart from",
        "bar",
        "minus",
        "excluding",
        "without",
        "exept",
        "everything outside of",
        "not",
        "never mind",
        "leaving out",
        "skip",
        "unlike",
        "compared with",
        "sooner than",
        "around",
        "roughly",
        "early",
        "the week after",
    ])
}

fn named() -> impl Strategy<Value = &'static str> {
    select(vec![
        "March 2025",
        "2024",
        "in 2024",
        "last month",
        "CLM-2025-000001",
        "CLM-2025-000002",
        "PAY-00000001",
        "DOC-00000001",
        "TKT-000001",
        "January 2025 to March 2025",
        "Q1 2025",
        "this year",
        "yesterday",
    ])
}

fn stem() -> impl Strategy<Value = &'static str> {
    select(vec![
        "all my payments",
        "payments",
        "payment history",
        "my claims",
        "show my documents",
        "pension payments",
        "my tickets",
        "everything",
    ])
}

fn of_live_data() -> impl Strategy<Value = &'static str> {
    let intents = Catalogue::built_in().intents().iter();
    let live = intents.filter(|intent| intent.kind == Kind::LiveData && !intent.slots.is_empty());
    select(live.map(|intent| intent.name.as_str()).collect::<Vec<_>>())
}

proptest! {
    /// If a guard applies, the answer holds all that it would hold for any
    /// slots at all, so also those rows that the message leaves out.
    #[test]
    fn prop_a_doubt_never_narrows(
        intent in of_live_data(),
        stem in stem(),
        doubt in doubt(),
        what in prop::collection::vec(named(), 1..3),
        user in select(vec!["BEN-000001", "BEN-000002", "BEN-000007", "EMP-0001"]),
    ) {
        let message = format!("{stem} {doubt} {}", what.join(" and "));
        let context = UserContext::new(user, "beneficiary");
        let who = Principal::identify(&context);
        let mut request = Request::new(&*message, context);
        request.forced_intent = Some(intent.to_owned());
        let context = DESK.router.resolve(&request).unwrap().unwrap();
        prop_assert!(context.ask().doubtful, "{message:?} has {:?}", context.slots());
        let held = rows(context.ask());
        let intent = context.intent();
        let others = named_slots(intent.slots.iter().map(String::as_str));
        for slots in others.into_iter().chain([Slots::default()]) {
            let told = format!("{slots:?}");
            let narrowed = RequestContext::new(intent, who.as_ref(), slots, &*message);
            let missing: Vec<_> = rows(narrowed.ask()).difference(&held).cloned().collect();
            prop_assert!(missing.is_empty(), "{message:?} lacks {missing:?} of {told}");
        }
    }
}

/// Each of these slots alone, with values from the demo data.
fn named_slots<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Slots> {
    let values = |name: &str| match name {
        "period" => vec![
            "2025-03-01/2025-03-31",
            "2024-01-01/2024-12-31",
            "2025-10-01/2025-10-31",
            "0001-01-01/9999-12-31",
        ],
        "claim_number" => vec!["CLM-2025-000001", "CLM-2024-000001", "CLM-2025-000002"],
        "payment_number" => vec!["PAY-00000001", "PAY-00000002"],
        "document_number" => vec!["DOC-00000001", "DOC-00000003"],
        "ticket_number" => vec!["TKT-000001", "TKT-000002"],
        _ => vec![],
    };
    let slots = names.flat_map(|name| values(name).into_iter().map(move |value| (name, value)));
    slots.map(|slot| Slots::from_iter([slot])).collect()
}
