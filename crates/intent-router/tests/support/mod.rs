//! A source of made-up records that counts its calls, can be held, and can fail;
//! and a router over it to ask.
#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

pub(crate) mod stale;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cache_core::ManualClock;
use intent_router::{
    Ask, BoxFuture, CacheOutcome, CacheService, Catalogue, Deadline, Found, Intent, KeyMode,
    KeywordDetector, Kind, LiveData, Principal, Read, Records, Request, Routed, Router,
    ServiceBuilder, SourceError, UserContext,
};
use serde_json::json;

/// Records whose content is a version number a user, so that a test can tell
/// which state of the database an answer shows.
#[derive(Default)]
pub(crate) struct FakeSource {
    pub(crate) versions: Mutex<HashMap<String, u64>>,
    pub(crate) member_calls: AtomicU32,
    pub(crate) record_calls: AtomicU32,
    pub(crate) failing: AtomicBool,
    /// The same for look-ups of members.
    pub(crate) members_failing: AtomicBool,
    pub(crate) panicking: AtomicBool,
    /// Queries read their version at once and answer when this is false.
    pub(crate) held: AtomicBool,
    /// The same for look-ups of members.
    pub(crate) members_held: AtomicBool,
    pub(crate) forgotten: Mutex<HashSet<String>>,
    pub(crate) serial: AtomicU64,
    /// What its queries read, in addition to the records that an answer's tags name.
    pub(crate) reads: Mutex<Vec<Read>>,
    /// How long its answers may be stored.
    pub(crate) max_age: Mutex<Option<Duration>>,
    /// How long requests may take.
    pub(crate) deadline: Mutex<Option<Duration>>,
}

impl FakeSource {
    pub(crate) fn version(&self, user: &str) -> u64 {
        *self.versions.lock().unwrap().get(user).unwrap_or(&0)
    }

    pub(crate) fn write(&self, user: &str) {
        *self
            .versions
            .lock()
            .unwrap()
            .entry(user.to_owned())
            .or_default() += 1;
    }

    /// Makes a member unknown from now on.
    pub(crate) fn forget(&self, user: &str) {
        self.forgotten.lock().unwrap().insert(user.to_owned());
    }

    /// Makes a forgotten member known again.
    pub(crate) fn remember(&self, user: &str) {
        self.forgotten.lock().unwrap().remove(user);
    }

    pub(crate) fn calls(&self) -> u32 {
        self.member_calls.load(Ordering::SeqCst) + self.record_calls.load(Ordering::SeqCst)
    }
}

/// Pending as long as this is held.
struct Released<'a>(&'a AtomicBool);

impl Future for Released<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0.load(Ordering::SeqCst) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    }
}

impl LiveData for FakeSource {
    fn is_member<'a>(
        &'a self,
        who: &'a Principal,
        _: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        self.member_calls.fetch_add(1, Ordering::SeqCst);
        let id = who.id_text();
        let known = !id.starts_with("NOBODY") && !self.forgotten.lock().unwrap().contains(&*id);
        Box::pin(async move {
            Released(&self.members_held).await;
            if self.members_failing.load(Ordering::SeqCst) {
                return Err(SourceError::Unavailable("told to fail".to_owned()));
            }
            Ok(Found::new(known, 1))
        })
    }

    fn deadline(&self) -> Option<Duration> {
        *self.deadline.lock().unwrap()
    }

    fn reads(&self, _: &Intent) -> Option<Vec<Read>> {
        Some(self.reads.lock().unwrap().clone())
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        let failing = self.failing.load(Ordering::SeqCst);
        let failure = || Err(SourceError::Unavailable("told to fail".to_owned()));
        Box::pin(async move { if failing { failure() } else { Ok(()) } })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        self.record_calls.fetch_add(1, Ordering::SeqCst);
        let user = ask
            .principal
            .map_or_else(|| "everyone".to_owned(), |p| p.id_text().into_owned());
        let version = self.version(&user);
        let serial = self.serial.fetch_add(1, Ordering::SeqCst);
        let data = json!({
            "user": user,
            "role": ask.principal.map(|p| p.role_text().into_owned()),
            "version": version,
            "serial": serial,
            "message": ask.message,
        });
        let tags = match ask.intent.kind {
            Kind::LiveData => vec![format!("claim:{user}")],
            Kind::KnowledgeBase => vec![],
        };
        Box::pin(async move {
            Released(&self.held).await;
            assert!(!self.panicking.load(Ordering::SeqCst), "told to panic");
            if self.failing.load(Ordering::SeqCst) {
                return Err(SourceError::Unavailable("told to fail".to_owned()));
            }
            let records = Records::new(data, tags).with_max_age(*self.max_age.lock().unwrap());
            Ok(Found::new(records, 1))
        })
    }
}

/// A router over a fake source and a stopped clock. Its keys are made
/// of the message as it comes, so that each message has an entry of its own.
pub(crate) struct Bench {
    pub(crate) router: Router,
    pub(crate) source: Arc<FakeSource>,
    pub(crate) clock: ManualClock,
}

pub(crate) fn bench() -> Bench {
    bench_with(|builder| builder)
}

pub(crate) fn bench_with(configure: impl FnOnce(ServiceBuilder) -> ServiceBuilder) -> Bench {
    let clock = ManualClock::default();
    let source = Arc::new(FakeSource::default());
    let builder = CacheService::builder().clock(Arc::new(clock.clone()));
    let cache = Arc::new(configure(builder).build().unwrap());
    let catalogue = Arc::new(Catalogue::built_in().with_key(KeyMode::Message));
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let records: Arc<dyn LiveData> = source.clone();
    let router = Router::new(catalogue, detector, records, cache).unwrap();
    Bench {
        router,
        source,
        clock,
    }
}

/// Polls a future once.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The output of a future that never waits.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match poll_once(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future had to wait"),
    }
}

pub(crate) const CLAIM: &str = "what is my claim status?";

pub(crate) fn ask(bench: &Bench, message: &str, user: &str, role: &str) -> Routed {
    let request = Request::new(message, UserContext::new(user, role));
    now(bench.router.route(&request)).unwrap()
}

pub(crate) fn is_hit(routed: &Routed) -> bool {
    matches!(routed.cache, CacheOutcome::Hit { .. })
}

pub(crate) fn is_stored_miss(routed: &Routed) -> bool {
    matches!(routed.cache, CacheOutcome::Miss { stored: true, .. })
}
