//! The calendar that relative periods follow.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use intent_router::{Catalogue, Date, KeywordDetector, LiveData, Request, Router, UserContext};
use support::{Bench, bench, now};

const CATALOGUE: &str = r#"
    [[intent]]
    name = "payment_history"
    kind = "live_data"
    key = "slots"
    phrases = ["payments"]
    slots = ["period"]
    [slots.period]
    kind = "period"
"#;

/// What "last month" is when it is two minutes to midnight, in universal time,
/// at the end of October 2025.
fn last_month(router: &Router) -> String {
    let context = UserContext::new("BEN-000001", "beneficiary");
    let routed = now(router.route(&Request::new("payments of last month", context))).unwrap();
    let data = routed.answer.response().unwrap().data;
    data["message"].as_str().unwrap().to_owned()
}

#[test]
fn relative_periods_follow_the_local_day_of_this_router_and_of_the_next() {
    let Bench { router, source, .. } = bench();
    let catalogue = Arc::new(Catalogue::parse(CATALOGUE).unwrap());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let source: Arc<dyn LiveData> = source;
    let router = router
        .renewed(catalogue.clone(), detector.clone(), source.clone())
        .unwrap();
    let late = UNIX_EPOCH + Duration::from_secs(1_761_955_080);
    let universal = router.with_wall_clock(Arc::new(move || late));
    assert_eq!(universal.today(), Date::new(2025, 10, 31).unwrap());
    assert_eq!(last_month(&universal), "period=2025-09");

    let lusaka = universal.with_local_day(Arc::new(|at| Date::at_offset(at, 2 * 3_600)));
    assert_eq!(lusaka.today(), Date::new(2025, 11, 1).unwrap());
    assert_eq!(last_month(&lusaka), "period=2025-10");

    let next = lusaka.renewed(catalogue, detector, source).unwrap();
    assert_eq!(next.today(), lusaka.today());
    assert_eq!(last_month(&next), "period=2025-10");
}

#[test]
fn a_second_before_1970_is_of_the_day_before() {
    for (nanos, offset, day) in [
        (0, 0, (1970, 1, 1)),
        (1, 0, (1969, 12, 31)),
        (1, 1, (1970, 1, 1)),
        (1_000_000_000, 0, (1969, 12, 31)),
        (1_000_000_000, 1, (1970, 1, 1)),
        (1_000_000_001, 1, (1969, 12, 31)),
    ] {
        let (year, month, date) = day;
        let at = Date::at_offset(UNIX_EPOCH - Duration::from_nanos(nanos), offset);
        assert_eq!(Some(at), Date::new(year, month, date), "{nanos} {offset}");
    }
}
