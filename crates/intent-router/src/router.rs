//! The router: takes a message through detector, policy, key, store and source,
//! in that order, to its answer.

mod answering;
pub(crate) mod aside;
mod fallback;
pub(crate) mod kept;
mod resolve;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::catalogue::{Catalogue, Intent, Kind};
use crate::context::StoragePolicy;
use crate::deadline::Deadline;
use crate::detect::Detector;
use crate::error::BuildError;
use crate::gate::ChangeGate;
use crate::principal::Owner;
use crate::response::{Answer, Refreshed, Response, Source};
use crate::service::CacheService;
use crate::slots::Date;
use crate::source::{BoxFuture, LiveData, Read};
use crate::timer::Timer;

use self::fallback::Fallback;

/// The time of day, for time stamps and relative periods ("last month").
/// Ages are measured by the cache's own monotonic clock, never by this one.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Maps a time to the calendar day where the members are, from which relative
/// periods ("last month") count. It must return a day for every time, even one
/// outside the calendar's range, as [`Date::at_offset`] does.
pub type LocalDay = Arc<dyn Fn(SystemTime) -> Date + Send + Sync>;

/// Spawns a background refresh of a stored answer; must not block. Under tokio:
/// `Arc::new(|refresh| drop(tokio::spawn(refresh)))`.
///
/// Dropping the future, before or while it is polled, releases its permit: the
/// next request for the answer may refresh it. A future that is kept but not
/// polled keeps the permit.
pub type Spawn = Arc<dyn Fn(BoxFuture<'static, Refreshed>) + Send + Sync>;

/// Routes requests to answers. Clones share all their parts.
///
/// A router is immutable: a request is answered by the catalogue, detector and
/// source that it started with. To change them while requests are in flight, make
/// a new router with [`renewed`](Self::renewed) and route later requests with it.
///
/// See the crate's documentation for an example.
#[derive(Clone)]
pub struct Router {
    catalogue: Arc<Catalogue>,
    detector: Arc<dyn Detector>,
    source: Arc<dyn LiveData>,
    cache: Arc<CacheService>,
    /// How the answers of each intent are stored, in the order of the catalogue.
    storage: Arc<[StoragePolicy]>,
    /// Identifies the detector in the keys of stored detections; unique in the
    /// process.
    detector_number: u64,
    wall_clock: WallClock,
    local_day: LocalDay,
    spawn: Option<Spawn>,
    timer: Option<Arc<dyn Timer>>,
    gate: Option<Arc<ChangeGate>>,
}

impl Router {
    /// A router over these parts.
    ///
    /// # Errors
    /// [`BuildError::Class`] when the catalogue names more TTL classes than a
    /// cache can hold.
    pub fn new(
        catalogue: Arc<Catalogue>,
        detector: Arc<dyn Detector>,
        source: Arc<dyn LiveData>,
        cache: Arc<CacheService>,
    ) -> Result<Self, BuildError> {
        static DETECTORS: AtomicU64 = AtomicU64::new(0);
        let storage = |intent: &Intent| {
            let class = cache.classes().define(&intent.class)?;
            Ok(StoragePolicy::new(intent, &catalogue, class))
        };
        let storage = catalogue
            .intents()
            .iter()
            .map(storage)
            .collect::<Result<_, BuildError>>()?;
        Ok(Self {
            catalogue,
            detector,
            source,
            cache,
            storage,
            detector_number: DETECTORS.fetch_add(1, Ordering::Relaxed),
            wall_clock: Arc::new(SystemTime::now),
            local_day: Arc::new(|at| Date::at_offset(at, 0)),
            spawn: None,
            timer: None,
            gate: None,
        })
    }

    /// A router with another catalogue, detector and source over the same cache,
    /// with the same clocks, timer, spawner and gate. Both routers may be used at the same
    /// time.
    ///
    /// Nothing has to be invalidated. The fingerprint of an intent's definition
    /// (its kind, class, key mode, slots, queries and tags) is part of the
    /// identity of its stored answers. The new router finds the answers of
    /// intents with the same definition. It neither finds nor waits for those of
    /// changed intents, even if this router stores them later; they expire by the
    /// TTL of their class. Detections are not shared between routers.
    ///
    /// The fingerprint covers the queries, not the database. If the source asks
    /// another database, [invalidate everything](CacheService::invalidate)
    /// afterwards.
    ///
    /// # Errors
    /// [`BuildError::Class`], as [`Router::new`]; this router is unchanged. New
    /// classes that had room stay defined.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use intent_router::{BuildError, Catalogue, KeywordDetector, LiveData, Router};
    ///
    /// /// The router of a changed catalogue, over a source with its queries.
    /// fn next(
    ///     router: &Router,
    ///     catalogue: Catalogue,
    ///     source: Arc<dyn LiveData>,
    /// ) -> Result<Router, BuildError> {
    ///     let detector = Arc::new(KeywordDetector::new(&catalogue));
    ///     router.renewed(Arc::new(catalogue), detector, source)
    /// }
    /// ```
    pub fn renewed(
        &self,
        catalogue: Arc<Catalogue>,
        detector: Arc<dyn Detector>,
        source: Arc<dyn LiveData>,
    ) -> Result<Self, BuildError> {
        let next = Self::new(catalogue, detector, source, Arc::clone(&self.cache))?;
        let next = match &self.gate {
            Some(gate) => next.with_change_gate(Arc::clone(gate)),
            None => next,
        };
        Ok(Self {
            wall_clock: Arc::clone(&self.wall_clock),
            local_day: Arc::clone(&self.local_day),
            spawn: self.spawn.clone(),
            timer: self.timer.clone(),
            ..next
        })
    }

    /// The same router with another wall clock.
    pub fn with_wall_clock(mut self, wall_clock: WallClock) -> Self {
        self.wall_clock = wall_clock;
        self
    }

    /// The same router with the calendar days of a time zone. The default is
    /// universal time.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use intent_router::{Date, Router};
    ///
    /// /// The router for members in Lusaka, two hours ahead all year.
    /// fn in_lusaka(router: Router) -> Router {
    ///     router.with_local_day(Arc::new(|at| Date::at_offset(at, 2 * 3_600)))
    /// }
    /// ```
    pub fn with_local_day(mut self, local_day: LocalDay) -> Self {
        self.local_day = local_day;
        self
    }

    /// The same router, which refreshes stored answers in the background through
    /// `spawn`: answers that are stale but within the `stale_while_revalidate`
    /// window of their class, and those that `early_refresh` chooses. Without it,
    /// the request that gets the permit refreshes the answer before it returns,
    /// and the other requests are served the stored answer.
    ///
    /// ```
    /// use std::sync::{Arc, mpsc};
    ///
    /// # fn example(router: intent_router::Router) -> intent_router::Router {
    /// let (begun, due) = mpsc::channel();
    /// std::thread::spawn(move || {
    ///     for refresh in due {
    ///         pollster::block_on(refresh); // what your program polls futures with
    ///     }
    /// });
    /// let router = router.with_spawn(Arc::new(move |refresh| {
    ///     // If that thread is gone, the next request has the permit.
    ///     let _ = begun.send(refresh);
    /// }));
    /// # router
    /// # }
    /// ```
    pub fn with_spawn(mut self, spawn: Spawn) -> Self {
        self.spawn = Some(spawn);
        self
    }

    /// The same router, which ends what it waits for at the deadline of the request:
    /// calls of the source, and the fills of other requests. Without a timer, a
    /// request takes as long as the calls that it waits for, and the source alone
    /// holds them to their deadlines.
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = Some(timer);
        self
    }

    /// The same router, which uses the cache for answers that depend on the tables of
    /// the `gate` only while it is open, unless the gate lets it
    /// [use it while closed](ChangeGate::usable_while_closed). Otherwise it asks the
    /// source and stores nothing.
    pub fn with_change_gate(mut self, gate: Arc<ChangeGate>) -> Self {
        let intents = self.catalogue.intents().iter().zip(&*self.storage);
        let gated = |(intent, storage): (&Intent, &StoragePolicy)| {
            let mut reads = match intent.kind {
                Kind::LiveData => self.source.member_reads(),
                Kind::KnowledgeBase => Vec::new(),
            };
            let declared = self.source.reads(intent);
            let is_declared = declared.is_some();
            reads.extend(declared.unwrap_or_else(|| Read::of_templates(&intent.tags)));
            let kinds = || reads.iter().map(|read| read.kind.as_deref());
            let coverage = gate.coverage();
            StoragePolicy {
                is_gated: coverage.reaches_any(kinds(), &self.catalogue),
                is_covered: is_declared && coverage.reaches_all(kinds(), &self.catalogue),
                ..*storage
            }
        };
        self.storage = intents.map(gated).collect();
        self.gate = Some(gate);
        self
    }

    /// Whether the gate keeps requests from the cache at present.
    fn is_behind(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| !gate.is_usable())
    }

    /// The deadline of a request that begins to ask the source now.
    fn deadline(&self) -> Deadline {
        let Some(allowed) = self.source.deadline() else {
            return Deadline::NEVER;
        };
        let timer = self.timer.as_ref();
        let now = timer.map_or_else(Instant::now, |timer| timer.now());
        Deadline::after(now, allowed)
    }

    /// The cache behind the router.
    pub fn cache(&self) -> &Arc<CacheService> {
        &self.cache
    }

    /// The intents that the router knows.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The source of records.
    pub fn source(&self) -> &Arc<dyn LiveData> {
        &self.source
    }

    /// The day from which relative periods count now.
    pub fn today(&self) -> Date {
        (self.local_day)((self.wall_clock)())
    }

    fn respond(&self, source: Source, intent: &str, confidence: f64, data: Value) -> Response {
        Response {
            source,
            intent: intent.to_owned(),
            confidence,
            data,
            timestamp: timestamp((self.wall_clock)()),
        }
    }

    fn fallback(
        &self,
        intent: &str,
        confidence: f64,
        owner: Owner,
        why: Fallback,
        calls: u32,
    ) -> Arc<Answer> {
        let response = self.respond(Source::Fallback, intent, confidence, why.data());
        Answer::new(response, owner, calls)
    }
}

/// The time in RFC 3339. A time outside the format's range, from a clock that is
/// set wrong, becomes the nearest time in the range.
fn timestamp(now: SystemTime) -> String {
    /// From 1970 to the end of the year 9999.
    const LONGEST: Duration = Duration::from_secs(253_402_300_799);
    let now = now.clamp(UNIX_EPOCH, UNIX_EPOCH + LONGEST);
    humantime::format_rfc3339_millis(now).to_string()
}
