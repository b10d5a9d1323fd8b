//! The router: from a message to an answer, through detector, policy, key,
//! store and source, in that order and never back.

mod answering;
mod understand;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_core::TtlClass;
use serde_json::{Value, json};

use crate::catalogue::{Catalogue, Definition, Intent};
use crate::detect::{Detection, Detector};
use crate::error::{BuildError, RouteError};
use crate::policy::{self, Decision};
use crate::principal::{Owner, Principal};
use crate::question::{Parameters, Question};
use crate::request::Request;
use crate::response::{Answer, Bypass, CacheOutcome, Refreshed, Response, Routed, Source};
use crate::service::{Asked, CacheService};
use crate::slots::{Date, Reading};
use crate::source::{BoxFuture, LiveData};

use self::answering::Answering;
use self::understand::{Refusal, Subject};

/// The time of day, for time stamps and relative periods ("last month").
/// Ages are measured by the cache's own monotonic clock, never by this one.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The day that it is at a time, where the members are: relative periods ("last
/// month") count from it. It must answer for every time, those that no calendar
/// has included; [`Date::at_offset`] does.
pub type LocalDay = Arc<dyn Fn(SystemTime) -> Date + Send + Sync>;

/// Sees to it that a stored answer is made anew beside the requests: a call
/// that gives the future to whatever polls it, and returns at once. Under tokio
/// that is `Arc::new(|refresh| drop(tokio::spawn(refresh)))`.
///
/// A future that is dropped, before or while it is polled, makes nothing anew
/// and gives the right to do so to the next who asks. One that is kept but not
/// polled keeps that right.
pub type Spawn = Arc<dyn Fn(BoxFuture<'static, Refreshed>) + Send + Sync>;

/// Routes requests to answers. Clones share all that they are made of.
///
/// A router never changes: catalogue, detector and source belong together, and
/// a request is answered by the set that it began with. To change them while
/// requests are under way, [make the next router](Self::renewed) of this one
/// and give that to whoever asks from then on.
///
/// See the crate's documentation for an example.
#[derive(Clone)]
pub struct Router {
    catalogue: Arc<Catalogue>,
    detector: Arc<dyn Detector>,
    source: Arc<dyn LiveData>,
    cache: Arc<CacheService>,
    /// How each intent is kept, in the order of the catalogue.
    keeping: Arc<[Keeping]>,
    /// Tells its detections from those of every other router.
    detector_number: u64,
    wall_clock: WallClock,
    local_day: LocalDay,
    spawn: Option<Spawn>,
}

/// How the answers of an intent are kept.
#[derive(Clone, Copy)]
struct Keeping {
    class: TtlClass,
    definition: Definition,
    /// Whether its queries read the day.
    reads_today: bool,
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
        let keeping = |intent: &Intent| {
            let class = cache.classes().define(&intent.class)?;
            Ok(Keeping {
                class,
                definition: Definition::of(intent, &catalogue),
                reads_today: intent.reads_today(),
            })
        };
        let keeping = catalogue
            .intents()
            .iter()
            .map(keeping)
            .collect::<Result<_, BuildError>>()?;
        Ok(Self {
            catalogue,
            detector,
            source,
            cache,
            keeping,
            detector_number: DETECTORS.fetch_add(1, Ordering::Relaxed),
            wall_clock: Arc::new(SystemTime::now),
            local_day: Arc::new(|at| Date::at_offset(at, 0)),
            spawn: None,
        })
    }

    /// The next router: another catalogue, detector and source over this one's
    /// cache, with its time of day and what it makes stale answers anew with.
    /// Both may be asked at the same time, for as long as requests take.
    ///
    /// Nothing has to be invalidated. A stored answer belongs to the definition
    /// of its intent: its kind, class, key mode, slots, queries and tags. The
    /// next router finds the answers of the intents that it defines alike; those
    /// of the others it neither finds nor waits for, even if this router stores
    /// them later, and they leave as their class says. Detections are made anew.
    ///
    /// The source is asked for the same records, of the same members: its
    /// queries are the catalogue's, and count. Where it turns to another
    /// database, [invalidate everything](CacheService::invalidate) afterwards.
    ///
    /// # Errors
    /// [`BuildError::Class`], as [`Router::new`]; this router stays as it is. The
    /// classes that were new and had room stay defined.
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
        Ok(Self {
            wall_clock: Arc::clone(&self.wall_clock),
            local_day: Arc::clone(&self.local_day),
            spawn: self.spawn.clone(),
            ..next
        })
    }

    /// The same router with another source of the time of day.
    pub fn with_wall_clock(mut self, wall_clock: WallClock) -> Self {
        self.wall_clock = wall_clock;
        self
    }

    /// The same router with another calendar day at each time: that of a time
    /// zone. By default it is the day in universal time.
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

    /// The same router, which gives the making anew of stored answers to
    /// `spawn`, so that nobody waits for it: of an answer that is stale but
    /// within its class's window `stale_while_revalidate`, and of one that
    /// `early_refresh` chooses. Without it, whoever has the right to make an
    /// answer anew does so before being answered, and only the others are served
    /// the stored one.
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
    ///     // If that thread is gone, the next who asks has the right.
    ///     let _ = begun.send(refresh);
    /// }));
    /// # router
    /// # }
    /// ```
    pub fn with_spawn(mut self, spawn: Spawn) -> Self {
        self.spawn = Some(spawn);
        self
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

    /// The intent of a request: the forced one where it is known, else what
    /// the detector finds.
    pub fn detect(&self, request: &Request) -> Detection {
        let forced = request.forced_intent.as_deref();
        if let Some(intent) = forced.and_then(|name| self.catalogue.get(name)) {
            return Detection {
                intent: intent.name.clone(),
                confidence: 1.0,
            };
        }
        let message = request.message.as_str();
        let reuse = policy::reuse(request.cache_use, self.cache.is_enabled());
        if !self.detector.is_costly() || reuse.is_err() {
            return self.detector.detect(message);
        }
        let (store, class) = (&self.cache.detections, self.cache.detection_class);
        let detector = self.detector_number;
        if let Some(detection) = store.get(&Asked { detector, message }, class) {
            return detection;
        }
        let detection = self.detector.detect(message);
        let message = message.into();
        store.insert(Asked { detector, message }, detection.clone(), class, &[]);
        detection
    }

    /// The question that a request comes to, which
    /// [identifies](CacheService::question_key) its answer; `None` where there
    /// is none to be asked: no intent is found, say.
    ///
    /// # Errors
    /// [`RouteError::Conversation`], as [`Router::route`].
    pub fn question<'a>(
        &'a self,
        request: &'a Request,
    ) -> Result<Option<Question<'a>>, RouteError> {
        let principal = Principal::identify(&request.user_context);
        let today = self.today();
        let subject = self.understand(request, principal.as_ref(), today)?.ok();
        Ok(subject.map(|mut subject| self.pose(&mut subject, principal.as_ref(), today)))
    }

    /// Makes the question of a request: the one place where that is done.
    fn pose<'a>(
        &'a self,
        subject: &mut Subject<'a>,
        principal: Option<&Principal>,
        today: Date,
    ) -> Question<'a> {
        let Keeping {
            definition,
            reads_today,
            class: _,
        } = subject.keeping;
        let folded = std::mem::take(&mut subject.folded);
        let intent = subject.intent;
        let reading = Reading::after(
            std::mem::take(&mut subject.carried),
            intent,
            &self.catalogue,
            &folded,
            today,
            subject.detection.confidence,
        );
        let text = policy::key_text_of(intent, folded, &reading);
        let owner = policy::owner(intent, principal);
        let parameters = Parameters::new(&reading, reads_today.then_some(today));
        Question::of(intent, definition, owner, text, parameters)
    }

    /// Answers a request.
    ///
    /// Dropping the returned future cancels the request; others that wait for
    /// the same answer then make it themselves.
    ///
    /// # Errors
    /// [`RouteError::Key`] when the user context holds a value that no key can
    /// be made of; [`RouteError::Conversation`] when the message goes on from a
    /// conversation whose slots cannot be read; [`RouteError::Source`] when the
    /// source of records failed.
    pub async fn route(&self, request: &Request) -> Result<Routed, RouteError> {
        let principal = Principal::identify(&request.user_context);
        let principal = principal.as_ref();
        // The day is read once, so that all of the question is of one day.
        let today = self.today();
        let mut subject = match self.understand(request, principal, today)? {
            Ok(subject) => subject,
            Err(refusal) => return Ok(self.refuse(refusal)),
        };
        let question = self.pose(&mut subject, principal, today);
        let Subject {
            intent,
            keeping,
            detection,
            ..
        } = subject;
        let answering = Answering::new(self, request, question, keeping.class, &detection);
        let enabled = self.cache.is_enabled();
        match policy::decide(intent, principal, request.cache_use, enabled) {
            Decision::Bypass(why) => {
                let answer = answering.uncached().await.map_err(RouteError::Source)?;
                Ok(bypassed(answer, why))
            }
            Decision::Use(reuse) => answering.cached(reuse).await,
        }
    }

    /// The answer to a request that asks for nothing.
    fn refuse(&self, refusal: Refusal) -> Routed {
        let Refusal { detection, why } = refusal;
        let bypass = match why {
            Fallback::OtherPerson => Bypass::OtherPerson,
            Fallback::NeedsContext => Bypass::NeedsContext,
            _ => Bypass::UnknownIntent,
        };
        bypassed(self.fallback(&detection, Owner::Everyone, why, 0), bypass)
    }

    /// The intent of that name, with how its answers are kept.
    fn intent(&self, name: &str) -> Option<(&Intent, Keeping)> {
        let mut intents = self.catalogue.intents().iter().zip(&*self.keeping);
        let (intent, keeping) = intents.find(|(intent, _)| intent.name == name)?;
        Some((intent, *keeping))
    }

    /// The day from which relative periods count now.
    pub fn today(&self) -> Date {
        (self.local_day)((self.wall_clock)())
    }

    fn respond(&self, source: Source, detection: &Detection, data: Value) -> Response {
        Response {
            source,
            intent: detection.intent.clone(),
            confidence: detection.confidence,
            data,
            timestamp: timestamp((self.wall_clock)()),
        }
    }

    fn fallback(
        &self,
        detection: &Detection,
        owner: Owner,
        why: Fallback,
        calls: u32,
    ) -> Arc<Answer> {
        let data = json!({ "reason": why.reason(), "message": why.message() });
        Answer::new(
            self.respond(Source::Fallback, detection, data),
            owner,
            calls,
        )
    }
}

/// The time of day as RFC 3339 writes it. A clock that was never set, or set
/// wrong, may show a time that cannot be written: the nearest that can is.
fn timestamp(now: SystemTime) -> String {
    /// From 1970 to the end of the year 9999.
    const LONGEST: Duration = Duration::from_secs(253_402_300_799);
    let now = now.clamp(UNIX_EPOCH, UNIX_EPOCH + LONGEST);
    humantime::format_rfc3339_millis(now).to_string()
}

/// Why there is no answer from records.
#[derive(Clone, Copy)]
enum Fallback {
    UnknownIntent,
    OtherPerson,
    NeedsContext,
    Unidentified,
    NoSuchMember,
}

impl Fallback {
    fn reason(self) -> &'static str {
        match self {
            Self::UnknownIntent => "unknown_intent",
            Self::OtherPerson => "other_person",
            Self::NeedsContext => "needs_context",
            Self::Unidentified => "unidentified",
            Self::NoSuchMember => "no_such_member",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::UnknownIntent => {
                "Sorry, that was not understood. Please say it in other words, or ask for an agent."
            }
            Self::OtherPerson => {
                "Sorry, only your own records can be shown here. Others have to ask for theirs."
            }
            Self::NeedsContext => {
                "Sorry, what is this about? Please ask the whole question, such as: has my claim been approved?"
            }
            Self::Unidentified => "Please sign in first: this answer is about your own records.",
            Self::NoSuchMember => "There is no such member in our records.",
        }
    }
}

fn bypassed(answer: Arc<Answer>, why: Bypass) -> Routed {
    Routed {
        calls: answer.calls(),
        answer,
        cache: CacheOutcome::Bypass(why),
        key: None,
    }
}
