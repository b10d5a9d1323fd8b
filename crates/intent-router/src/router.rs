//! The router: from a message to an answer, through detector, policy, key,
//! store and source, in that order and never back.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_core::{Reuse, TtlClass};
use serde_json::{Value, json};

use crate::catalogue::{Catalogue, Intent, Kind};
use crate::detect::{Detection, Detector};
use crate::error::{BuildError, RouteError};
use crate::policy::{self, Decision};
use crate::principal::{Owner, Principal};
use crate::request::Request;
use crate::response::{Answer, Bypass, CacheOutcome, Response, Routed, Source};
use crate::service::{CacheService, Delivered};
use crate::slots::{Date, Slots};
use crate::source::{Ask, Found, LiveData, Profile, Records};
use crate::through::{Made, through};
use crate::weight::Kept;

/// The time of day, for time stamps and relative periods ("last month").
/// Ages are measured by the cache's own monotonic clock, never by this one.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Routes requests to answers.
///
/// See the crate's documentation for an example.
pub struct Router {
    catalogue: Arc<Catalogue>,
    detector: Arc<dyn Detector>,
    source: Arc<dyn LiveData>,
    cache: Arc<CacheService>,
    /// The TTL class of each intent, in the order of the catalogue.
    classes: Vec<TtlClass>,
    wall_clock: WallClock,
}

/// An answer with what it takes to store it.
struct Answered {
    answer: Arc<Answer>,
    /// The records it was made of; `None` when it must not be stored.
    records: Option<Vec<String>>,
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
        let define = |intent: &Intent| cache.classes().define(&intent.class);
        let classes = catalogue
            .intents()
            .iter()
            .map(define)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            catalogue,
            detector,
            source,
            cache,
            classes,
            wall_clock: Arc::new(SystemTime::now),
        })
    }

    /// The same router with another source of the time of day.
    pub fn with_wall_clock(mut self, wall_clock: WallClock) -> Self {
        self.wall_clock = wall_clock;
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
        let class = self.cache.detection_class;
        if let Some(detection) = self.cache.detections.get(message, class) {
            return detection;
        }
        let detection = self.detector.detect(message);
        let store = &self.cache.detections;
        store.insert(message.into(), detection.clone(), class, &[]);
        detection
    }

    /// Answers a request.
    ///
    /// Dropping the returned future cancels the request; others that wait for
    /// the same answer then make it themselves.
    ///
    /// # Errors
    /// [`RouteError::Key`] when the user context holds a value that no key can
    /// be made of; [`RouteError::Source`] when the source of records failed.
    pub async fn route(&self, request: &Request) -> Result<Routed, RouteError> {
        let detection = self.detect(request);
        let Some((intent, class)) = self.intent(&detection.intent) else {
            let unknown = Detection {
                intent: Detection::UNKNOWN.to_owned(),
                ..detection
            };
            let answer = self.fallback(&unknown, Owner::Everyone, Fallback::UnknownIntent, 0);
            return Ok(bypassed(answer, Bypass::UnknownIntent));
        };
        let principal = Principal::identify(&request.user_context);
        let question = Question {
            router: self,
            request,
            intent,
            class,
            detection: &detection,
            principal: principal.as_ref(),
            slots: OnceLock::new(),
            calls: AtomicU32::new(0),
        };
        let enabled = self.cache.is_enabled();
        match policy::decide(intent, principal.as_ref(), request.cache_use, enabled) {
            Decision::Bypass(why) => {
                let answered = question.answer(None).await.map_err(RouteError::Source)?;
                Ok(bypassed(answered.answer, why))
            }
            Decision::Use(owner, reuse) => question.cached(owner, reuse).await,
        }
    }

    /// The intent of that name, with its TTL class.
    fn intent(&self, name: &str) -> Option<(&Intent, TtlClass)> {
        let mut intents = self.catalogue.intents().iter().zip(&self.classes);
        let (intent, class) = intents.find(|(intent, _)| intent.name == name)?;
        Some((intent, *class))
    }

    /// The day, in universal time, from which relative periods count.
    fn today(&self) -> Date {
        let now = (self.wall_clock)();
        let seconds = match now.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
        };
        Date::from_unix_seconds(seconds)
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
    Unidentified,
    NoSuchMember,
}

impl Fallback {
    fn reason(self) -> &'static str {
        match self {
            Self::UnknownIntent => "unknown_intent",
            Self::Unidentified => "unidentified",
            Self::NoSuchMember => "no_such_member",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::UnknownIntent => {
                "Sorry, that was not understood. Please say it in other words, or ask for an agent."
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

/// One request whose intent is known.
struct Question<'a> {
    router: &'a Router,
    request: &'a Request,
    intent: &'a Intent,
    class: TtlClass,
    detection: &'a Detection,
    principal: Option<&'a Principal>,
    /// Found when first needed: a hit on a message key needs none.
    slots: OnceLock<Slots>,
    /// How many database calls were made for it. An atomic only because the
    /// future must be `Send`: nobody else counts.
    calls: AtomicU32,
}

impl Question<'_> {
    /// The answer by way of the cache.
    async fn cached(&self, owner: Owner, reuse: Reuse) -> Result<Routed, RouteError> {
        let router = self.router;
        let intent = self.intent.name.as_str();
        let key = router.cache.entry_key(intent, owner, &self.text())?;
        let digest = key.digest();
        let make = || async {
            match self.answer(Some(reuse)).await {
                Ok(Answered { answer, records }) => {
                    let tags = records
                        .map(|records| policy::answer_tags(intent, answer.owner(), &records));
                    Made {
                        value: Ok(Kept::new(answer, tags.as_deref().unwrap_or_default())),
                        store: tags,
                    }
                }
                Err(error) => Made {
                    value: Err(error),
                    store: None,
                },
            }
        };
        let (value, cache) = through(&router.cache.answers, key, self.class, reuse, make).await;
        Ok(Routed {
            answer: value.map_err(RouteError::Source)?.answer,
            calls: self.calls.load(Ordering::Relaxed),
            cache,
            key: Some(digest),
        })
    }

    /// The answer from the source. `reuse` tells which stored profiles may be
    /// used on the way; none when the cache is bypassed.
    async fn answer(&self, reuse: Option<Reuse>) -> Delivered<Answered> {
        match self.intent.kind {
            Kind::KnowledgeBase => {
                let found = self.records(None).await?;
                Ok(self.found(Source::KnowledgeBase, Owner::Everyone, found, 0))
            }
            Kind::LiveData => {
                let Some(who) = self.principal else {
                    return Ok(self.refused(Owner::Everyone, Fallback::Unidentified, 0));
                };
                let owner = Owner::Person(who.clone());
                let profile = self.profile(who, reuse).await?;
                if profile.value.is_none() {
                    return Ok(self.refused(owner, Fallback::NoSuchMember, profile.calls));
                }
                let found = self.records(Some(who)).await?;
                Ok(self.found(Source::LiveData, owner, found, profile.calls))
            }
        }
    }

    fn found(
        &self,
        source: Source,
        owner: Owner,
        found: Found<Records>,
        calls_before: u32,
    ) -> Answered {
        let response = self
            .router
            .respond(source, self.detection, found.value.data);
        let mut records = found.value.tags;
        for template in &self.intent.tags {
            records.extend(template.fill_from_slots(self.slots()));
        }
        Answered {
            answer: Answer::new(response, owner, calls_before + found.calls),
            records: Some(records),
        }
    }

    fn refused(&self, owner: Owner, why: Fallback, calls: u32) -> Answered {
        Answered {
            answer: self.router.fallback(self.detection, owner, why, calls),
            records: None,
        }
    }

    /// What of the message counts. The key is made of it and the source is given
    /// nothing else, so that messages which share a key look alike to both.
    fn text(&self) -> Cow<'_, str> {
        policy::key_text(self.intent, &self.request.message, || self.slots())
    }

    fn slots(&self) -> &Slots {
        self.slots.get_or_init(|| {
            let today = self.router.today();
            Slots::find(
                self.intent,
                &self.router.catalogue,
                &self.request.message,
                today,
            )
        })
    }

    async fn records(&self, who: Option<&Principal>) -> Delivered<Found<Records>> {
        let text = self.text();
        let ask = Ask::new(self.intent, who, self.slots(), &text);
        let found = self.router.source.records(ask).await.map_err(Arc::new)?;
        Ok(self.count(found))
    }

    fn count<T>(&self, found: Found<T>) -> Found<T> {
        self.calls.fetch_add(found.calls, Ordering::Relaxed);
        found
    }

    /// Who the principal is, from the cache where it may be used, with the
    /// calls that it takes to look that up.
    async fn profile(
        &self,
        who: &Principal,
        reuse: Option<Reuse>,
    ) -> Delivered<Found<Option<Arc<Profile>>>> {
        let look_up = || async {
            let found = self.router.source.profile(who).await.map_err(Arc::new)?;
            let found = self.count(found);
            Ok(Found::new(found.value.map(Arc::new), found.calls))
        };
        let Some(reuse) = reuse else {
            return look_up().await;
        };
        let make = || async {
            let value: Delivered<Found<_>> = look_up().await;
            let known = value.as_ref().is_ok_and(|found| found.value.is_some());
            Made {
                value,
                store: known.then(|| policy::person_tags(who)),
            }
        };
        let cache = &self.router.cache;
        let class = cache.profile_class;
        let (profile, _) = through(&cache.profiles, who.clone(), class, reuse, make).await;
        profile
    }
}
