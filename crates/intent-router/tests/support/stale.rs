//! A router whose answers are stale, and refreshes that a test drives.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use intent_router::{
    BoxFuture, CacheOutcome, Freshness, Refreshed, Request, Routed, TtlClass, UserContext,
};

use super::{Bench, CLAIM, bench, is_stored_miss, now};

pub(crate) const USER: &str = "BEN-000001";
pub(crate) const ROLE: &str = "beneficiary";

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Fresh for 300 s, without windows.
pub(crate) fn ttl() -> Freshness {
    Freshness::ttl(secs(300))
}

pub(crate) fn policy(bench: &Bench, class: TtlClass, freshness: Freshness) {
    bench
        .router
        .cache()
        .classes()
        .set_freshness(class, freshness);
}

pub(crate) fn request() -> Request {
    Request::new(CLAIM, UserContext::new(USER, ROLE))
}

pub(crate) fn ask(bench: &Bench) -> Routed {
    now(bench.router.route(&request())).unwrap()
}

pub(crate) fn version(routed: &Routed) -> u64 {
    routed.answer.response().unwrap().data["version"]
        .as_u64()
        .unwrap()
}

pub(crate) fn reason(routed: &Routed) -> String {
    let data = routed.answer.response().unwrap().data;
    data["reason"].as_str().unwrap_or_default().to_owned()
}

/// For how long the answer is stale, and whether because the source failed.
pub(crate) fn stale(routed: &Routed) -> Option<(Duration, bool)> {
    match routed.cache {
        CacheOutcome::Stale {
            overdue, failed, ..
        } => Some((overdue, failed)),
        _ => None,
    }
}

/// Spawned refreshes, which a test polls.
#[derive(Clone, Default)]
pub(crate) struct Refreshes(pub(crate) Arc<Mutex<Vec<BoxFuture<'static, Refreshed>>>>);

impl Refreshes {
    /// Gives the router a spawner.
    pub(crate) fn of(bench: &mut Bench) -> Self {
        let refreshes = Self::default();
        let begun = Arc::clone(&refreshes.0);
        let spawn = Arc::new(move |refresh| begun.lock().unwrap().push(refresh));
        bench.router = bench.router.clone().with_spawn(spawn);
        refreshes
    }

    pub(crate) fn take(&self) -> Vec<BoxFuture<'static, Refreshed>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The only refresh that was begun since the last look.
    pub(crate) fn only(&self) -> BoxFuture<'static, Refreshed> {
        let mut begun = self.take();
        assert_eq!(begun.len(), 1);
        begun.pop().unwrap()
    }
}

/// A router with windows, a refresher, and an answer of version 0 that is one
/// second past its TTL, while the database has version 1.
pub(crate) fn overdue(freshness: Freshness) -> (Bench, Refreshes) {
    let mut bench = bench();
    let refreshes = Refreshes::of(&mut bench);
    policy(&bench, intent_router::classes::LIVE_DATA, freshness);
    assert!(is_stored_miss(&ask(&bench)));
    bench.source.write(USER);
    bench.clock.advance(secs(301));
    (bench, refreshes)
}

pub(crate) fn revalidating() -> Freshness {
    ttl().with_stale_while_revalidate(secs(30))
}

pub(crate) fn forgiving() -> Freshness {
    ttl().with_stale_if_error(secs(60))
}

pub(crate) fn fail(bench: &Bench, failing: bool) {
    bench.source.failing.store(failing, Ordering::SeqCst);
}
