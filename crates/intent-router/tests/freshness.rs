//! What the freshness policy of a class promises of answers: windows in which a
//! stale one is served, one refresh at a time, answers that there is nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_keys::CanonicalJson;
use intent_router::{
    BoxFuture, Bypass, CacheOutcome, CacheUse, Freshness, Pattern, Refreshed, Request, Reuse,
    RouteError, Routed, Selector, Source, TtlClass, UserContext,
};
use support::{Bench, CLAIM, bench, is_hit, is_stored_miss, now, poll_once};

const USER: &str = "BEN-000001";
const ROLE: &str = "beneficiary";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Fresh for 300 s; a policy to begin with.
fn ttl() -> Freshness {
    Freshness::ttl(secs(300))
}

fn policy(bench: &Bench, class: TtlClass, freshness: Freshness) {
    bench
        .router
        .cache()
        .classes()
        .set_freshness(class, freshness);
}

fn request() -> Request {
    Request::new(CLAIM, UserContext::new(USER, ROLE))
}

fn ask(bench: &Bench) -> Routed {
    now(bench.router.route(&request())).unwrap()
}

fn version(routed: &Routed) -> u64 {
    routed.answer.response().unwrap().data["version"]
        .as_u64()
        .unwrap()
}

fn reason(routed: &Routed) -> String {
    let data = routed.answer.response().unwrap().data;
    data["reason"].as_str().unwrap_or_default().to_owned()
}

/// Stale, and for how long; whether because the source failed.
fn stale(routed: &Routed) -> Option<(Duration, bool)> {
    match routed.cache {
        CacheOutcome::Stale {
            overdue, failed, ..
        } => Some((overdue, failed)),
        _ => None,
    }
}

/// Refreshes that were begun, to be driven when a test says so.
#[derive(Clone, Default)]
struct Refreshes(Arc<Mutex<Vec<BoxFuture<'static, Refreshed>>>>);

impl Refreshes {
    /// Lets the router refresh beside the requests.
    fn of(bench: &mut Bench) -> Self {
        let refreshes = Self::default();
        let begun = Arc::clone(&refreshes.0);
        let spawn = Arc::new(move |refresh| begun.lock().unwrap().push(refresh));
        bench.router = bench.router.clone().with_spawn(spawn);
        refreshes
    }

    fn take(&self) -> Vec<BoxFuture<'static, Refreshed>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The only refresh that was begun since the last look.
    fn only(&self) -> BoxFuture<'static, Refreshed> {
        let mut begun = self.take();
        assert_eq!(begun.len(), 1);
        begun.pop().unwrap()
    }
}

/// A router with windows, a refresher, and an answer of version 0 that is one
/// second past its TTL, while the database has version 1.
fn overdue(freshness: Freshness) -> (Bench, Refreshes) {
    let mut bench = bench();
    let refreshes = Refreshes::of(&mut bench);
    policy(&bench, intent_router::classes::LIVE_DATA, freshness);
    assert!(is_stored_miss(&ask(&bench)));
    bench.source.write(USER);
    bench.clock.advance(secs(301));
    (bench, refreshes)
}

fn revalidating() -> Freshness {
    ttl().with_stale_while_revalidate(secs(30))
}

fn forgiving() -> Freshness {
    ttl().with_stale_if_error(secs(60))
}

fn fail(bench: &Bench, failing: bool) {
    bench.source.failing.store(failing, Ordering::SeqCst);
}

#[test]
fn everyone_is_served_the_stale_answer_at_once_while_one_refresh_is_made() {
    let (bench, refreshes) = overdue(revalidating());
    let before = bench.source.calls();
    for _ in 0..20 {
        let routed = ask(&bench);
        assert_eq!(stale(&routed), Some((secs(1), false)));
        assert_eq!((version(&routed), routed.calls), (0, 0));
    }
    assert_eq!(bench.source.calls(), before, "nobody waits for the source");
    let refreshed = now(refreshes.only());
    assert!(refreshed.stored && refreshed.failure.is_none());
    assert_eq!(refreshed.calls, 1, "the profile is fresh");
    let after = ask(&bench);
    assert!(is_hit(&after));
    assert_eq!(version(&after), 1);
    assert!(refreshes.take().is_empty());
    let stats = bench.router.cache().stats();
    assert_eq!((stats.stale, stats.hits, stats.misses), (20, 21, 1));
}

#[test]
fn the_window_ends_when_it_says() {
    let (bench, refreshes) = overdue(revalidating());
    bench.clock.advance(secs(29));
    assert_eq!(stale(&ask(&bench)), Some((secs(30), false)));
    drop(refreshes.take());
    bench.clock.advance(Duration::from_nanos(1));
    let late = ask(&bench);
    assert!(is_stored_miss(&late));
    assert_eq!(version(&late), 1);
    assert!(refreshes.take().is_empty());
}

#[test]
fn a_refresh_that_is_dropped_leaves_the_right_to_the_next() {
    let (bench, refreshes) = overdue(revalidating());
    ask(&bench);
    drop(refreshes.only());
    // Begun, and given up while the source is asked.
    ask(&bench);
    let mut refresh = refreshes.only();
    bench.source.held.store(true, Ordering::SeqCst);
    assert!(poll_once(refresh.as_mut()).is_pending());
    drop(refresh);
    bench.source.held.store(false, Ordering::SeqCst);
    ask(&bench);
    assert!(now(refreshes.only()).stored);
    assert_eq!(version(&ask(&bench)), 1);
}

#[test]
fn one_who_wants_nothing_stale_waits_for_the_refresh_and_may_take_it_over() {
    let (bench, refreshes) = overdue(revalidating());
    ask(&bench);
    let refresh = refreshes.only();
    let mut strict = request();
    strict.cache_use = CacheUse::Allowed(Reuse::MaxAge(Duration::MAX));
    let mut waiting = pin!(bench.router.route(&strict));
    assert!(poll_once(waiting.as_mut()).is_pending());
    drop(refresh);
    let routed = now(waiting).unwrap();
    assert!(is_stored_miss(&routed));
    assert_eq!(version(&routed), 1);
}

#[test]
fn without_a_spawner_who_has_the_right_refreshes_before_the_answer() {
    let bench = bench();
    policy(&bench, intent_router::classes::LIVE_DATA, revalidating());
    ask(&bench);
    bench.source.write(USER);
    bench.clock.advance(secs(301));
    bench.source.held.store(true, Ordering::SeqCst);
    let request = request();
    let mut first = pin!(bench.router.route(&request));
    assert!(poll_once(first.as_mut()).is_pending());
    assert_eq!(version(&ask(&bench)), 0, "the others are served at once");
    bench.source.held.store(false, Ordering::SeqCst);
    assert_eq!(version(&now(first).unwrap()), 1);
    assert_eq!(version(&ask(&bench)), 1);
}

/// Whatever the selector: what it removed is not served, and what was read
/// before it is not stored.
#[test]
fn an_invalidation_during_the_refresh_wins() {
    let digest = ask(&bench()).key.unwrap();
    for selector in [
        Selector::Key(digest),
        Selector::User(CanonicalJson::string(USER)),
        Selector::Intent("claim_status".to_owned()),
        Selector::Role(CanonicalJson::string(ROLE)),
        Selector::Class("live_data".to_owned()),
        Selector::Tag("claim:BEN-000001".to_owned()),
        Selector::Pattern(Pattern::new(USER)),
        Selector::All,
    ] {
        let freshness = revalidating().with_stale_if_error(secs(600));
        let (bench, refreshes) = overdue(freshness);
        ask(&bench);
        let mut refresh = refreshes.only();
        bench.source.held.store(true, Ordering::SeqCst);
        assert!(poll_once(refresh.as_mut()).is_pending(), "reads version 1");
        bench.source.write(USER);
        let removed = bench.router.cache().invalidate(&selector);
        assert_eq!(removed, 1, "{selector:?}: a stale answer is a live one");
        bench.source.held.store(false, Ordering::SeqCst);
        let refreshed = now(refresh);
        assert!(!refreshed.stored && refreshed.calls > 0, "{selector:?}");
        // Nor does what is gone stand in for a failure.
        fail(&bench, true);
        assert!(now(bench.router.route(&request())).is_err(), "{selector:?}");
        fail(&bench, false);
        let after = ask(&bench);
        assert!(is_stored_miss(&after), "{selector:?}: {:?}", after.cache);
        assert_eq!(version(&after), 2, "{selector:?}");
    }
}

#[test]
fn switched_off_nothing_stale_is_served_and_nothing_refreshed() {
    let (bench, refreshes) = overdue(revalidating().with_stale_if_error(secs(600)));
    ask(&bench);
    let begun = refreshes.only();
    bench.router.cache().set_enabled(false);
    let calls = bench.source.calls();
    let refreshed = now(begun);
    assert!(!refreshed.stored && refreshed.failure.is_none());
    assert_eq!((refreshed.calls, bench.source.calls()), (0, calls));
    let off = ask(&bench);
    assert_eq!(off.cache, CacheOutcome::Bypass(Bypass::CachingOff));
    assert_eq!(version(&off), 1);
    fail(&bench, true);
    assert!(now(bench.router.route(&request())).is_err());
    assert!(refreshes.take().is_empty());
    fail(&bench, false);
    bench.router.cache().set_enabled(true);
    assert_eq!(stale(&ask(&bench)), Some((secs(1), false)));
    assert!(now(refreshes.only()).stored);
}

#[test]
fn nobody_else_is_ever_served_what_is_stale() {
    let (bench, refreshes) = overdue(revalidating().with_stale_if_error(secs(60)));
    for (user, role) in [(USER, "employer"), ("BEN-000002", ROLE)] {
        let other = Request::new(CLAIM, UserContext::new(user, role));
        fail(&bench, true);
        assert!(now(bench.router.route(&other)).is_err());
        fail(&bench, false);
        let routed = now(bench.router.route(&other)).unwrap();
        assert!(is_stored_miss(&routed));
        let data = routed.answer.response().unwrap().data;
        assert_eq!(data["user"], user);
        assert_eq!(data["role"], role);
    }
    assert!(refreshes.take().is_empty());
    assert_eq!(version(&ask(&bench)), 0);
}

#[test]
fn a_request_that_names_an_age_gets_nothing_stale() {
    for reuse in [
        Reuse::MaxAge(secs(1_000)),
        Reuse::MaxAge(Duration::MAX),
        Reuse::Nothing,
    ] {
        let (bench, refreshes) = overdue(revalidating().with_stale_if_error(secs(60)));
        let mut strict = request();
        strict.cache_use = CacheUse::Allowed(reuse);
        fail(&bench, true);
        assert!(now(bench.router.route(&strict)).is_err(), "{reuse:?}");
        fail(&bench, false);
        let routed = now(bench.router.route(&strict)).unwrap();
        assert_eq!(version(&routed), 1, "{reuse:?}");
        assert!(refreshes.take().is_empty());
    }
}

#[test]
fn a_failed_refresh_changes_nothing_and_the_next_tries_again() {
    let (bench, refreshes) = overdue(revalidating());
    ask(&bench);
    fail(&bench, true);
    let refreshed = now(refreshes.only());
    assert!(!refreshed.stored);
    assert!(refreshed.failure.is_some());
    assert_eq!(bench.router.cache().stats().failed_fills, 1);
    assert_eq!(version(&ask(&bench)), 0);
    fail(&bench, false);
    assert!(now(refreshes.only()).stored);
    assert_eq!(version(&ask(&bench)), 1);
}

#[test]
fn a_stale_answer_stands_in_for_a_failing_source_within_its_window() {
    let (bench, _) = overdue(forgiving());
    fail(&bench, true);
    for _ in 0..2 {
        let routed = ask(&bench);
        assert_eq!(stale(&routed), Some((secs(1), true)));
        assert_eq!(version(&routed), 0);
    }
    bench.clock.advance(secs(59));
    assert_eq!(stale(&ask(&bench)), Some((secs(60), true)));
    bench.clock.advance(Duration::from_nanos(1));
    let error = now(bench.router.route(&request())).unwrap_err();
    assert!(matches!(error, RouteError::Source(_)), "{error}");
    fail(&bench, false);
    assert_eq!(version(&ask(&bench)), 1);
}

#[test]
fn while_the_source_answers_nobody_gets_what_is_only_good_for_a_failure() {
    let (bench, refreshes) = overdue(forgiving());
    let routed = ask(&bench);
    assert!(is_stored_miss(&routed));
    assert_eq!(version(&routed), 1);
    assert!(refreshes.take().is_empty());
}

#[test]
fn all_who_waited_for_a_failed_fill_get_the_same_answer() {
    let (bench, _) = overdue(forgiving());
    let calls = bench.source.record_calls.load(Ordering::SeqCst);
    let request = request();
    bench.source.held.store(true, Ordering::SeqCst);
    let mut filler = pin!(bench.router.route(&request));
    let mut waiter = pin!(bench.router.route(&request));
    assert!(poll_once(filler.as_mut()).is_pending());
    assert!(poll_once(waiter.as_mut()).is_pending());
    fail(&bench, true);
    bench.source.held.store(false, Ordering::SeqCst);
    let (filled, waited) = (now(filler).unwrap(), now(waiter).unwrap());
    assert_eq!(stale(&filled), Some((secs(1), true)));
    assert_eq!(filled.cache, waited.cache);
    assert_eq!(filled.answer.json(), waited.answer.json());
    assert_eq!(
        bench.source.record_calls.load(Ordering::SeqCst),
        calls + 1,
        "the source is asked once"
    );
}

/// A member who is gone has no records to be shown, in whatever window.
#[test]
fn that_there_is_no_such_member_takes_the_place_of_a_stale_answer() {
    for negative_ttl in [None, Some(secs(10))] {
        let mut freshness = revalidating().with_stale_if_error(secs(600));
        freshness.negative_ttl = negative_ttl;
        let (bench, refreshes) = overdue(freshness);
        policy(
            &bench,
            intent_router::classes::USER_CONTEXT,
            Freshness::ttl(secs(1)),
        );
        bench.source.forget(USER);
        ask(&bench);
        let refreshed = now(refreshes.only());
        assert_eq!(refreshed.stored, negative_ttl.is_some());
        let after = ask(&bench);
        assert_eq!(reason(&after), "no_such_member");
        assert_eq!(is_hit(&after), negative_ttl.is_some());
        assert!(refreshes.take().is_empty());
    }
}

#[test]
fn that_there_is_no_such_member_is_kept_for_its_own_time_only() {
    let bench = bench();
    let freshness = revalidating()
        .with_stale_if_error(secs(600))
        .with_negative_ttl(secs(10));
    policy(&bench, intent_router::classes::LIVE_DATA, freshness);
    bench.source.forget(USER);
    let first = ask(&bench);
    assert!(is_stored_miss(&first));
    assert_eq!(first.answer.source(), Source::Fallback);
    bench.clock.advance(secs(10));
    let second = ask(&bench);
    assert!(is_hit(&second));
    assert_eq!(second.answer.json(), first.answer.json());
    assert_eq!(bench.source.profile_calls.load(Ordering::SeqCst), 1);
    let stats = bench.router.cache().stats();
    assert_eq!((stats.negative, stats.entries), (1, 1));
    // No window applies to it.
    bench.clock.advance(Duration::from_nanos(1));
    fail(&bench, true);
    bench.source.remember(USER);
    assert!(now(bench.router.route(&request())).is_err());
    fail(&bench, false);
    assert_eq!(ask(&bench).answer.source(), Source::LiveData);
}

#[test]
fn a_member_who_appears_is_known_after_an_invalidation() {
    let digest = ask(&bench()).key.unwrap();
    for (selector, reaches_profile) in [
        (Selector::User(CanonicalJson::string(USER)), true),
        (Selector::Role(CanonicalJson::string(ROLE)), true),
        (Selector::All, true),
        (Selector::Key(digest), false),
        (Selector::Intent("claim_status".to_owned()), false),
        (Selector::Class("live_data".to_owned()), false),
        (Selector::Pattern(Pattern::new(USER)), false),
    ] {
        let bench = bench();
        let negative = ttl().with_negative_ttl(secs(60));
        policy(&bench, intent_router::classes::LIVE_DATA, negative);
        if reaches_profile {
            policy(&bench, intent_router::classes::USER_CONTEXT, negative);
        }
        bench.source.forget(USER);
        ask(&bench);
        bench.source.remember(USER);
        assert_eq!(reason(&ask(&bench)), "no_such_member");
        assert_eq!(
            bench.router.cache().invalidate(&selector),
            1,
            "{selector:?}"
        );
        let after = ask(&bench);
        assert_eq!(after.answer.source(), Source::LiveData, "{selector:?}");
    }
}

#[test]
fn an_invalidation_of_a_record_that_was_named_reaches_what_is_kept_of_no_member() {
    let bench = bench();
    policy(
        &bench,
        intent_router::classes::LIVE_DATA,
        ttl().with_negative_ttl(secs(60)),
    );
    bench.source.forget(USER);
    let message = "what is the status of claim CLM-2025-000123?";
    let named = Request::new(message, UserContext::new(USER, ROLE));
    assert!(is_stored_miss(&now(bench.router.route(&named)).unwrap()));
    let tag = Selector::Tag("claim:CLM-2025-000123".to_owned());
    assert_eq!(bench.router.cache().invalidate(&tag), 1);
}

#[test]
fn an_unknown_member_is_looked_up_once_for_all_intents() {
    let bench = bench();
    policy(
        &bench,
        intent_router::classes::USER_CONTEXT,
        ttl().with_negative_ttl(secs(60)),
    );
    bench.source.forget(USER);
    let history = Request::new("show my payment history", UserContext::new(USER, ROLE));
    for _ in 0..2 {
        assert_eq!(reason(&ask(&bench)), "no_such_member");
        let other = now(bench.router.route(&history)).unwrap();
        assert_eq!(reason(&other), "no_such_member");
    }
    assert_eq!(bench.source.profile_calls.load(Ordering::SeqCst), 1);
    let cache = bench.router.cache();
    assert_eq!(cache.stats().entries, 0, "their class keeps none");
    cache.invalidate(&Selector::User(CanonicalJson::string(USER)));
    bench.source.remember(USER);
    assert_eq!(ask(&bench).answer.source(), Source::LiveData);
}

#[test]
fn a_profile_may_stand_in_for_a_failing_look_up() {
    let bench = bench();
    let short = Freshness::ttl(secs(1)).with_stale_if_error(secs(60));
    policy(&bench, intent_router::classes::USER_CONTEXT, short);
    ask(&bench);
    bench.clock.advance(secs(2));
    let history = Request::new("show my payment history", UserContext::new(USER, ROLE));
    bench.source.profiles_failing.store(true, Ordering::SeqCst);
    assert!(is_stored_miss(&now(bench.router.route(&history)).unwrap()));
    bench.clock.advance(secs(60));
    let contact = Request::new("show me my account details", UserContext::new(USER, ROLE));
    assert!(now(bench.router.route(&contact)).is_err());
}

#[test]
fn an_answer_near_its_end_is_made_anew_beside_its_readers() {
    let mut bench = bench();
    let refreshes = Refreshes::of(&mut bench);
    // So eager that the draw does not matter.
    let eager = ttl().with_early_refresh(1e9).unwrap();
    policy(&bench, intent_router::classes::LIVE_DATA, eager);
    // It takes a second to make.
    let request = request();
    bench.source.held.store(true, Ordering::SeqCst);
    let mut first = pin!(bench.router.route(&request));
    assert!(poll_once(first.as_mut()).is_pending());
    bench.clock.advance(secs(1));
    bench.source.held.store(false, Ordering::SeqCst);
    now(first).unwrap();
    bench.source.write(USER);
    for _ in 0..5 {
        let routed = ask(&bench);
        assert!(is_hit(&routed));
        assert_eq!(version(&routed), 0);
    }
    assert_eq!(bench.router.cache().stats().early_refreshes, 1);
    fail(&bench, true);
    assert!(!now(refreshes.only()).stored);
    fail(&bench, false);
    assert_eq!(version(&ask(&bench)), 0, "what is fresh outlasts a failure");
    assert!(now(refreshes.only()).stored);
    assert_eq!(version(&ask(&bench)), 1);
}

#[test]
fn a_period_stays_the_one_that_the_key_was_made_of() {
    use std::time::SystemTime;
    let mut bench = bench();
    let refreshes = Refreshes::of(&mut bench);
    let today = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH + secs(20_000 * 86_400)));
    let clock = Arc::clone(&today);
    let wall: intent_router::WallClock = Arc::new(move || *clock.lock().unwrap());
    let source: Arc<dyn intent_router::LiveData> = bench.source.clone();
    let catalogue = r#"
        [[intent]]
        name = "payment_history"
        kind = "live_data"
        key = "slots"
        phrases = ["payments"]
        slots = ["period"]
        [slots.period]
        kind = "period"
    "#;
    let catalogue = Arc::new(intent_router::Catalogue::parse(catalogue).unwrap());
    let detector = Arc::new(intent_router::KeywordDetector::new(&catalogue));
    let cache = Arc::clone(bench.router.cache());
    let spawned = refreshes.clone();
    bench.router = intent_router::Router::new(catalogue, detector, source, cache)
        .unwrap()
        .with_wall_clock(wall)
        .with_spawn(Arc::new(move |refresh| {
            spawned.0.lock().unwrap().push(refresh);
        }));
    policy(&bench, intent_router::classes::LIVE_DATA, revalidating());
    let request = Request::new("payments of last month", UserContext::new(USER, ROLE));
    let asked = |routed: &Routed| routed.answer.response().unwrap().data["message"].clone();
    let first = now(bench.router.route(&request)).unwrap();
    bench.clock.advance(secs(301));
    now(bench.router.route(&request)).unwrap();
    *today.lock().unwrap() += secs(40 * 86_400);
    assert!(now(refreshes.only()).stored);
    *today.lock().unwrap() -= secs(40 * 86_400);
    let refreshed = now(bench.router.route(&request)).unwrap();
    assert!(is_hit(&refreshed));
    assert_ne!(refreshed.answer.json(), first.answer.json());
    assert_eq!(asked(&refreshed), asked(&first));
}
