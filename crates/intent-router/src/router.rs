//! The router: from a message to an answer, through detector, policy, key,
//! store and source, in that order and never back.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cache_core::{Reuse, TtlClass};
use cache_keys::KeyError;
use serde_json::{Value, json};

use crate::catalogue::{Catalogue, Definition, Intent, Kind};
use crate::detect::{Detection, Detector};
use crate::error::{BuildError, RouteError};
use crate::policy::{self, Decision};
use crate::principal::{Owner, Principal};
use crate::request::Request;
use crate::response::{Answer, Bypass, CacheOutcome, Refreshed, Response, Routed, Source};
use crate::service::{Asked, CacheService, EntryKey};
use crate::slots::{Date, Reading, Slots};
use crate::source::{Ask, BoxFuture, Found, LiveData, Profile, Read, Records};
use crate::through::{Delivered, Ended, FillPermit, Look, Made, fill, look};
use crate::weight::Kept;

/// The time of day, for time stamps and relative periods ("last month").
/// Ages are measured by the cache's own monotonic clock, never by this one.
pub type WallClock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

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
    spawn: Option<Spawn>,
}

/// How the answers of an intent are kept.
#[derive(Clone, Copy)]
struct Keeping {
    class: TtlClass,
    definition: Definition,
}

/// An answer with what it takes to store it.
struct Answered {
    answer: Arc<Answer>,
    /// The records it was made of.
    records: Vec<String>,
    /// What was read to make it.
    reads: Vec<Read>,
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
            let definition = Definition::of(intent, &catalogue);
            Ok(Keeping { class, definition })
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
            spawn: self.spawn.clone(),
            ..next
        })
    }

    /// The same router with another source of the time of day.
    pub fn with_wall_clock(mut self, wall_clock: WallClock) -> Self {
        self.wall_clock = wall_clock;
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
    /// # fn block_on(_: intent_router::BoxFuture<'_, intent_router::Refreshed>) {}
    /// let (begun, due) = mpsc::channel();
    /// std::thread::spawn(move || {
    ///     for refresh in due {
    ///         block_on(refresh); // what your program polls futures with
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

    /// The identity under which this router keeps `owner`'s answer about
    /// `intent` to `text`, which is what the intent's key mode makes of a
    /// message ([`key_text`](crate::key_text)). An intent that it does not know
    /// has no answers.
    ///
    /// # Errors
    /// [`KeyError`] when the owner is one that Python could not write.
    pub fn entry_key(&self, intent: &str, owner: Owner, text: &str) -> Result<EntryKey, KeyError> {
        let known = self.intent(intent);
        let definition = known.map_or(Definition::NONE, |(_, keeping)| keeping.definition);
        let entry = self.cache.entry_key(intent, owner, text)?;
        Ok(entry.defined_by(definition))
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
        let Some((intent, keeping)) = self.intent(&detection.intent) else {
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
            keeping,
            detection: &detection,
            principal: principal.as_ref(),
            reading: OnceLock::new(),
            calls: AtomicU32::new(0),
        };
        loop {
            let enabled = self.cache.is_enabled();
            match policy::decide(intent, principal.as_ref(), request.cache_use, enabled) {
                Decision::Bypass(why) => {
                    let answered = question.answer(None).await.map_err(RouteError::Source)?;
                    return Ok(bypassed(answered.answer, why));
                }
                Decision::Use(owner, reuse) => {
                    // Ends as soon as no invalidation comes between a failure
                    // of the source and those who wait for its answer.
                    if let Some(routed) = question.cached(owner, reuse).await? {
                        return Ok(routed);
                    }
                }
            }
        }
    }

    /// The intent of that name, with how its answers are kept.
    fn intent(&self, name: &str) -> Option<(&Intent, Keeping)> {
        let mut intents = self.catalogue.intents().iter().zip(&*self.keeping);
        let (intent, keeping) = intents.find(|(intent, _)| intent.name == name)?;
        Some((intent, *keeping))
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
    keeping: Keeping,
    detection: &'a Detection,
    principal: Option<&'a Principal>,
    /// Found when first needed: a hit on a message key needs none.
    reading: OnceLock<Reading>,
    /// How many database calls were made for it. An atomic only because the
    /// future must be `Send`: nobody else counts.
    calls: AtomicU32,
}

impl Question<'_> {
    /// The answer by way of the cache; `None` if the cache is to be asked again.
    async fn cached(&self, owner: Owner, reuse: Reuse) -> Result<Option<Routed>, RouteError> {
        let cache = &self.router.cache;
        let Keeping { class, definition } = self.keeping;
        let key = cache.entry_key(&self.intent.name, owner, &self.text())?;
        let key = key.defined_by(definition);
        let digest = key.digest();
        let found = look(&cache.answers, &cache.invalidations, key, class, reuse);
        let served = match found.await {
            Look::Served(kept, outcome) => Ok((kept, outcome)),
            Look::Due(kept, outcome, permit) => match &self.router.spawn {
                Some(spawn) => {
                    spawn(self.refresh(permit, reuse));
                    Ok((kept, outcome))
                }
                None => self.fill(permit, reuse).await.served(),
            },
            Look::Missing(permit) => self.fill(permit, reuse).await.served(),
            Look::Failed(error) => Err(error),
            Look::Outdated => return Ok(None),
        };
        let (kept, outcome) = served.map_err(RouteError::Source)?;
        Ok(Some(Routed {
            answer: kept.answer,
            calls: self.calls.load(Ordering::Relaxed),
            cache: outcome,
            key: Some(digest),
        }))
    }

    /// Makes the answer that `permit` is for.
    async fn fill(&self, permit: FillPermit<EntryKey, Kept>, reuse: Reuse) -> Ended<Kept> {
        let make = async {
            let Answered {
                answer,
                mut records,
                reads,
            } = match self.answer(Some(reuse)).await {
                Ok(answered) => answered,
                Err(error) => return Made::Failed(error),
            };
            // Those that the message names, be they there or not: when they
            // appear, the answer without them must go.
            for template in &self.intent.tags {
                records.extend(template.fill_from_slots(self.slots()));
            }
            let mut tags =
                policy::answer_tags(&self.intent.name, answer.owner(), &records, Some(&reads));
            tags.extend(self.message_tag(answer.owner()));
            let kept = Kept::new(answer, &tags);
            match kept.answer.source() {
                Source::LiveData | Source::KnowledgeBase => Made::Value(kept, tags),
                // That there is no such member.
                Source::Fallback => Made::Nothing(kept, tags),
            }
        };
        fill(permit, &self.router.cache.invalidations, reuse, make).await
    }

    /// Makes the answer that `permit` is for while this request is served the
    /// stored one.
    fn refresh(
        &self,
        permit: FillPermit<EntryKey, Kept>,
        reuse: Reuse,
    ) -> BoxFuture<'static, Refreshed> {
        let router = self.router.clone();
        let request = self.request.clone();
        let detection = self.detection.clone();
        // Those that the key was made of: a period such as "last month" may
        // be another by the time that this is polled.
        let reading = self.reading.clone();
        Box::pin(async move {
            let Some((intent, keeping)) = router.intent(&detection.intent) else {
                return Refreshed::default();
            };
            if !router.cache.is_enabled() {
                return Refreshed::default();
            }
            let principal = Principal::identify(&request.user_context);
            let question = Question {
                router: &router,
                request: &request,
                intent,
                keeping,
                detection: &detection,
                principal: principal.as_ref(),
                reading,
                calls: AtomicU32::new(0),
            };
            let (stored, failure) = match question.fill(permit, reuse).await {
                Ended::Made(_, outcome) => (
                    matches!(outcome, CacheOutcome::Miss { stored: true, .. }),
                    None,
                ),
                Ended::StandIn(_, _, error) | Ended::Failed(error) => (false, Some(error)),
            };
            Refreshed {
                stored,
                failure,
                calls: question.calls.load(Ordering::Relaxed),
            }
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
        Answered {
            answer: Answer::new(response, owner, calls_before + found.calls),
            reads: self.reads(true, &found.value.tags),
            records: found.value.tags,
        }
    }

    fn refused(&self, owner: Owner, why: Fallback, calls: u32) -> Answered {
        Answered {
            answer: self.router.fallback(self.detection, owner, why, calls),
            records: Vec::new(),
            reads: self.reads(false, &[]),
        }
    }

    /// What was read to make an answer: the profile of who asks, and the records
    /// if they were asked for. A source that does not say has read all records
    /// of the kinds that the intent's tags and its own name.
    fn reads(&self, records: bool, tags: &[String]) -> Vec<Read> {
        let source = &self.router.source;
        let mut reads = match self.intent.kind {
            Kind::LiveData if self.principal.is_some() => source.profile_reads(),
            _ => Vec::new(),
        };
        if records {
            reads.extend(source.reads(self.intent).unwrap_or_else(|| {
                let mut reads = Read::of_templates(&self.intent.tags);
                reads.extend(tags.iter().map(|tag| Read::of_record(tag)));
                reads
            }));
        }
        reads
    }

    /// What of the message counts. The key is made of it and the source is given
    /// nothing else, so that messages which share a key look alike to both.
    fn text(&self) -> Cow<'_, str> {
        policy::key_text(self.intent, &self.request.message, || self.reading())
    }

    /// The tag for the key that the message itself has, where another text's
    /// stands for it: whoever knows the message alone can name its answer.
    fn message_tag(&self, owner: &Owner) -> Option<String> {
        let message = &*self.request.message;
        if self.text() == message {
            return None;
        }
        let cache = &self.router.cache;
        // The key of the same request was made of another text before this.
        let key = cache.entry_key(&self.intent.name, owner.clone(), message);
        key.ok().map(|key| policy::key_tag(key.digest()))
    }

    fn slots(&self) -> &Slots {
        self.reading().slots()
    }

    fn reading(&self) -> &Reading {
        self.reading.get_or_init(|| {
            Reading::of(
                self.intent,
                &self.router.catalogue,
                &self.request.message,
                self.router.today(),
                self.detection.confidence,
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
        let make = async {
            let found = match look_up().await {
                Ok(found) => found,
                Err(error) => return Made::Failed(error),
            };
            let reads = self.router.source.profile_reads();
            let mut tags = policy::person_tags(who);
            tags.extend(policy::read_tags(&reads, Some(who)));
            if found.value.is_some() {
                Made::Value(found, tags)
            } else {
                Made::Nothing(found, tags)
            }
        };
        let cache = &self.router.cache;
        let (class, invalidations) = (cache.profile_class, &cache.invalidations);
        let permit = loop {
            match look(&cache.profiles, invalidations, who.clone(), class, reuse).await {
                Look::Served(profile, _) => return Ok(profile),
                // Whoever comes here is about to wait for the source in any
                // case, or refreshes beside the requests.
                Look::Due(_, _, permit) | Look::Missing(permit) => break permit,
                Look::Failed(error) => return Err(error),
                Look::Outdated => {}
            }
        };
        let ended = fill(permit, invalidations, reuse, make).await;
        ended.served().map(|(profile, _)| profile)
    }
}
