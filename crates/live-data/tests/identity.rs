//! A hit is what the source would answer now: the question that identifies a
//! stored answer holds everything that the source was given.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use intent_router::{
    CacheOutcome, CacheService, CacheUse, Catalogue, CombinedDetector, Conversation, Date,
    Freshness, KeyMode, LinearDetector, ManualClock, Request, Router, Source, UserContext,
};
use live_data::{DemoOptions, SqliteOptions, SqliteSource};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

/// A catalogue whose query reads the day, and which has slots that are periods.
const DIARY: &str = r#"
    [slots.period]
    kind = "range"
    [[intent]]
    name = "due"
    kind = "live_data"
    phrases = [{ text = "due", weight = 5 }]
    slots = ["period"]
    [[intent.query]]
    name = "documents"
    sql = """
    SELECT document_number, due_on, due_on < :today AS overdue, :doubtful AS doubtful
    FROM documents WHERE member_id = :user_id AND (:period IS NULL OR due_on > substr(:period, 1, 10))
    """
"#;

/// Routers over one database that are asked at a time of day of their own.
struct World {
    routers: Vec<Router>,
    now: Arc<AtomicI64>,
}

/// The offset from universal time, in seconds, of zones that changed theirs on
/// the days of [`MOMENTS`]: summer time, and a day that was skipped.
const OFFSETS: [fn(i64) -> i64; 4] = [
    |_| 0,
    |_| 7_200,
    |now| {
        if (1_741_503_600..1_762_059_600).contains(&now) {
            -14_400
        } else {
            -18_000
        }
    },
    |now| if now < 1_762_000_000 { -36_000 } else { 50_400 },
];

fn world() -> World {
    let now = Arc::new(AtomicI64::new(0));
    let demo = DemoOptions {
        members: 40,
        ..DemoOptions::default()
    };
    let built_in = Catalogue::built_in();
    let catalogues = [
        built_in.clone(),
        built_in.with_key(KeyMode::Message),
        built_in.with_key(KeyMode::Normalised),
        Catalogue::parse(DIARY).unwrap(),
    ];
    let source = SqliteSource::demo(built_in, &demo, &SqliteOptions::default()).unwrap();
    let router = |(at, catalogue): (usize, Catalogue)| {
        let cache = CacheService::builder().clock(Arc::new(ManualClock::default()));
        let cache = Arc::new(cache.build().unwrap());
        // Answers stay while the days go by.
        for class in [
            intent_router::classes::LIVE_DATA,
            intent_router::classes::KNOWLEDGE_BASE,
        ] {
            let ttl = Duration::from_secs(86_400 * 365 * 10);
            cache.classes().set_freshness(class, Freshness::ttl(ttl));
        }
        let source = Arc::new(source.with_catalogue(&catalogue).unwrap());
        let model = LinearDetector::built_in();
        let detector = Arc::new(CombinedDetector::new(&catalogue, model));
        let clock = Arc::clone(&now);
        let router = Router::new(Arc::new(catalogue), detector, source, cache).unwrap();
        router
            .with_wall_clock(Arc::new(move || {
                let seconds = u64::try_from(clock.load(Ordering::SeqCst)).unwrap();
                UNIX_EPOCH + Duration::from_secs(seconds)
            }))
            .with_local_day(Arc::new(move |now: SystemTime| {
                let now = now.duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
                Date::from_unix_seconds(now + OFFSETS[at % OFFSETS.len()](now))
            }))
    };
    let routers = catalogues.into_iter().enumerate().map(router).collect();
    World { routers, now }
}

/// Midnights at the ends of months, quarters, years and a leap day, and changes
/// of summer time.
const MOMENTS: [i64; 10] = [
    1_709_164_800, // 2024-02-29
    1_709_251_200, // 2024-03-01
    1_735_689_600, // 2025-01-01
    1_741_503_600, // 2025-03-09T07:00, New York springs forward
    1_743_465_600, // 2025-04-01
    1_759_276_800, // 2025-10-01
    1_761_955_200, // 2025-11-01
    1_762_059_600, // 2025-11-02T05:00, New York falls back
    1_763_164_800, // 2025-11-15
    1_764_547_200, // 2025-12-01
];

fn moment() -> impl Strategy<Value = i64> {
    let around = prop_oneof![-2i64..2, -120i64..120, -40_000i64..60_000];
    (select(MOMENTS.to_vec()), around).prop_map(|(moment, by)| moment + by)
}

/// A message: what an intent is asked by, a period, a record, and words that
/// trigger a guard or confuse a detector.
fn message() -> impl Strategy<Value = String> {
    let intents = Catalogue::built_in().intents().iter();
    let examples: Vec<_> = intents.flat_map(|intent| intent.examples.clone()).collect();
    let plain = [
        "payments",
        "my payment history",
        "payment status",
        "pension payments",
        "claim status",
        "what is due",
        "documents",
        "and",
        "is it approved?",
        "my tickets",
        "paymnets",
        "",
    ];
    let stem = prop_oneof![
        select(examples),
        select(plain.to_vec()).prop_map(str::to_owned),
    ];
    let periods = [
        "",
        "today",
        "yesterday",
        "last month",
        "this month",
        "next month",
        "this year",
        "last year",
        "last quarter",
        "this week",
        "last 30 days",
        "in March 2025",
        "since last month",
        "3 days ago",
        "before this year",
        "the month before last",
        "May last year",
        "lst month",
        "up to yesterday",
    ];
    let records = [
        "",
        "",
        "",
        "CLM-2025-000001",
        "CLM-2025-000001 and CLM-2025-000002",
        "TKT-000001",
    ];
    let noise = [
        "",
        "",
        "not by cheque",
        "please",
        "except cash",
        "zxcvb",
        "only",
        "over K500",
        "!",
    ];
    (
        stem,
        select(periods.to_vec()),
        select(records.to_vec()),
        select(noise.to_vec()),
    )
        .prop_map(|(stem, period, record, noise)| {
            let parts = [&*stem, period, record, noise];
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            parts.join(" ")
        })
}

fn user() -> impl Strategy<Value = UserContext> {
    let ids = [
        "BEN-000001",
        "BEN-000002",
        "BEN-000003",
        "EMP-0001",
        "NOBODY",
    ];
    let conversations = [
        None,
        None,
        Some(("payment_history", "period", "last month")),
        Some(("payment_history", "period", "this year")),
        Some(("claim_status", "claim_number", "CLM-2025-000001")),
        Some(("due", "period", "yesterday")),
    ];
    let roles = select(vec!["beneficiary", "employer"]);
    (select(ids.to_vec()), roles, select(conversations.to_vec())).prop_map(|(id, role, before)| {
        let mut context = UserContext::new(id, role);
        context.conversation = before.map(|(intent, slot, value)| Conversation {
            intent: intent.to_owned(),
            slots: [(slot.to_owned(), value.to_owned())].into(),
        });
        context
    })
}

/// What an answer says, but for when it was made and how sure the detector was.
fn told(router: &Router, request: &Request) -> (CacheOutcome, (Source, String, Value)) {
    let routed = pollster::block_on(router.route(request)).unwrap();
    let response = routed.answer.response().unwrap();
    (
        routed.cache,
        (response.source, response.intent, response.data),
    )
}

/// The world of the property, which alone moves its clock.
static WORLD: LazyLock<World> = LazyLock::new(world);

static HITS: AtomicUsize = AtomicUsize::new(0);

proptest! {
    /// Few messages, users and moments a case, so that they meet.
    #[test]
    fn prop_a_hit_is_what_the_source_answers_now(
        router in 0..4usize,
        messages in prop::collection::vec(message(), 1..4),
        users in prop::collection::vec(user(), 1..3),
        asked in prop::collection::vec((moment(), 0..4usize, 0..3usize, any::<bool>()), 8..24),
    ) {
        let World { routers, now } = &*WORLD;
        let forced = ["payment_status", "payment_history", "technical_help", "due"][router];
        let router = &routers[router];
        for (moment, message, user, is_forced) in asked {
            now.store(moment, Ordering::SeqCst);
            let message = &messages[message % messages.len()];
            let context = users[user % users.len()].clone();
            let mut request = Request::new(&**message, context);
            request.forced_intent = is_forced.then(|| forced.to_owned());
            let (outcome, cached) = told(router, &request);
            request.cache_use = CacheUse::Forbidden;
            let (_, fresh) = told(router, &request);
            prop_assert_eq!(cached, fresh, "{:?} at {}: {:?}", message, moment, outcome);
            HITS.fetch_add(usize::from(matches!(outcome, CacheOutcome::Hit { .. })), Ordering::Relaxed);
        }
    }
}

/// The property says nothing of misses.
#[test]
fn a_repeated_question_is_a_hit_on_another_day() {
    let World { routers, now } = &world();
    let request = Request::new(
        "what is my claim status?",
        UserContext::new("BEN-000004", "beneficiary"),
    );
    now.store(MOMENTS[0], Ordering::SeqCst);
    assert!(matches!(
        told(&routers[0], &request).0,
        CacheOutcome::Miss { .. }
    ));
    now.store(MOMENTS[9], Ordering::SeqCst);
    assert!(matches!(
        told(&routers[0], &request).0,
        CacheOutcome::Hit { .. }
    ));
}
