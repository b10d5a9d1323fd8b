//! Answers a resolved request from the cache or the source.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use cache_core::{Fetched, Fill, FillError, Outcome, Permit, Reuse};

use crate::catalogue::{AnsweredBy, Kind};
use crate::context::RequestContext;
use crate::deadline::Deadline;
use crate::error::RouteError;
use crate::identity::EntryKey;
use crate::outcome::{Bypass, CacheOutcome};
use crate::policy::{CachePolicy, Storage};
use crate::principal::{Owner, Principal};
use crate::request::Request;
use crate::response::{Answer, Refreshed, Routed, Source};
use crate::source::{Ask, BoxFuture, Found, Read, Records, SourceError};
use crate::tags;
use crate::weight::StoredAnswer;

use super::Router;
use super::fallback::Fallback;
use super::resolve::Refusal;

impl Router {
    /// Answers a request.
    ///
    /// Dropping the returned future cancels the request; another request that
    /// waits for the same answer then fills it.
    ///
    /// # Errors
    /// [`RouteError::Key`] when the user context holds a value that cannot be
    /// part of a key; [`RouteError::Conversation`] when the message continues a
    /// conversation whose slots cannot be read; [`RouteError::Source`] when the
    /// source of records failed.
    pub async fn route(&self, request: &Request) -> Result<Routed, RouteError> {
        self.answer(request, None).await
    }

    /// Answers a question whose slots are given: its message is not read for slots,
    /// and continues no conversation. With the key mode `slots` it shares the stored
    /// answer of the messages that name these slots.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use intent_router::{Request, RouteError, Routed, Router, UserContext};
    ///
    /// async fn claim(router: &Router, number: &str) -> Result<Routed, RouteError> {
    ///     let user = UserContext::new("BEN-000001", "beneficiary");
    ///     let request = Request {
    ///         forced_intent: Some("claim_status".to_owned()),
    ///         ..Request::new("", user)
    ///     };
    ///     let slots = BTreeMap::from([("claim_number".to_owned(), number.to_owned())]);
    ///     router.route_slots(&request, &slots).await
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`route`](Self::route); [`RouteError::Conversation`] when the intent has no
    /// such slot, or the slot cannot be read from its value.
    pub async fn route_slots(
        &self,
        request: &Request,
        slots: &BTreeMap<String, String>,
    ) -> Result<Routed, RouteError> {
        self.answer(request, Some(slots)).await
    }

    async fn answer(
        &self,
        request: &Request,
        slots: Option<&BTreeMap<String, String>>,
    ) -> Result<Routed, RouteError> {
        match self.context(request, slots)? {
            Ok(context) if context.intent.answered_by == AnsweredBy::Caller => {
                let (intent, why) = (&context.intent.name, Fallback::AnsweredByCaller);
                let answer = self.fallback(intent, context.confidence, Owner::Everyone, why, 0);
                Ok(bypassed(answer, why.bypass()))
            }
            Ok(context) => Answering::new(self, context).answer().await,
            Err(Refusal { detection, why }) => {
                let (intent, confidence) = (&detection.intent, detection.confidence);
                let answer = self.fallback(intent, confidence, Owner::Everyone, why, 0);
                Ok(bypassed(answer, why.bypass()))
            }
        }
    }
}

/// A result of the source; all requests that waited share its error.
type Delivered<T> = Result<T, Arc<SourceError>>;

/// An answer of the source, and what it depends on.
pub(super) struct Answered {
    pub(super) answer: Arc<Answer>,
    /// The records it was made of.
    pub(super) records: Vec<String>,
    /// What was read to make it.
    pub(super) reads: Vec<Read>,
    /// As [`Records::max_age`].
    pub(super) max_age: Option<Duration>,
}

/// A resolved request, while it is answered.
pub(super) struct Answering<'a> {
    router: &'a Router,
    context: RequestContext<'a>,
    /// How many database calls were made for it. An atomic only because the
    /// future must be `Send`: no other thread counts.
    calls: AtomicU32,
    /// Made when the request first has to wait, as a hit needs none.
    deadline: OnceLock<Deadline>,
}

impl<'a> Answering<'a> {
    pub(super) fn new(router: &'a Router, context: RequestContext<'a>) -> Self {
        let calls = AtomicU32::new(0);
        Self {
            router,
            context,
            calls,
            deadline: OnceLock::new(),
        }
    }

    /// The one deadline of all that is done for the request.
    fn deadline(&self) -> Deadline {
        *self.deadline.get_or_init(|| self.router.deadline())
    }

    /// Ends a call of the source at the deadline, if the router has a timer.
    async fn call<T>(
        &self,
        call: impl Future<Output = Result<Found<T>, SourceError>>,
    ) -> Delivered<Found<T>> {
        let call = async { call.await.map_err(Arc::new) };
        let found = self.within(&AtomicBool::new(false), call).await?;
        self.calls.fetch_add(found.calls, Ordering::Relaxed);
        Ok(found)
    }

    /// Ends a fetch that waits for the fill of another request at the deadline, if the
    /// router has a timer. While it `fills` itself, its calls of the source end at the
    /// deadline, so that their failure is judged as any other is.
    async fn fetched<V>(
        &self,
        fills: &AtomicBool,
        fetch: impl Future<Output = Result<Fetched<V>, FillError>>,
    ) -> Delivered<Fetched<V>> {
        let fetch = async { fetch.await.map_err(|error| source_error(&error)) };
        self.within(fills, fetch).await
    }

    async fn within<T>(
        &self,
        is_exempt: &AtomicBool,
        work: impl Future<Output = Delivered<T>>,
    ) -> Delivered<T> {
        let mut work = pin!(work);
        let mut late = None;
        poll_fn(|context| {
            // The work comes first: what is ready at the deadline is in time.
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            if is_exempt.load(Ordering::Relaxed) {
                return Poll::Pending;
            }
            let deadline = self.deadline();
            let (Some(timer), Some(at)) = (&self.router.timer, deadline.at()) else {
                return Poll::Pending;
            };
            let late = late.get_or_insert_with(|| timer.sleep_until(at));
            let failure = || Err(Arc::new(deadline.error()));
            late.as_mut().poll(context).map(|()| failure())
        })
        .await
    }

    /// The answer, from the cache if the policy allows.
    async fn answer(&self) -> Result<Routed, RouteError> {
        match self.context.policy {
            CachePolicy::Use(reuse) => self.cached(reuse).await,
            CachePolicy::Bypass(why) => {
                let answered = self.ask().await.map_err(RouteError::Source)?;
                Ok(bypassed(answered.answer, why))
            }
        }
    }

    async fn cached(&self, reuse: Reuse) -> Result<Routed, RouteError> {
        let cache = &self.router.cache;
        let key = cache.identity(&self.context)?;
        let refresher = |permit| match &self.router.spawn {
            Some(spawn) => {
                spawn(self.refresh(permit));
                None
            }
            None => Some(permit),
        };
        let class = self.context.storage.class;
        let fills = AtomicBool::new(false);
        let fetch = cache
            .answers
            .fetch(&key, class)
            .reuse(reuse)
            .refresher(&refresher)
            .fill(async || {
                fills.store(true, Ordering::Relaxed);
                self.fill().await
            });
        let fetched = self.fetched(&fills, fetch).await;
        let fetched = fetched.map_err(RouteError::Source)?;
        Ok(Routed {
            answer: fetched.value.answer,
            calls: self.calls.load(Ordering::Relaxed),
            cache: CacheOutcome::of(fetched.outcome, reuse),
            key: Some(key.digest()),
        })
    }

    /// Asks the source, and says how the answer is stored.
    async fn fill(&self) -> Delivered<Fill<StoredAnswer>> {
        Ok(self.filling(self.ask().await?))
    }

    /// How an answer is stored.
    pub(super) fn filling(&self, answered: Answered) -> Fill<StoredAnswer> {
        let Answered {
            answer,
            mut records,
            reads,
            max_age,
        } = answered;
        let (intent, owner) = (self.context.intent, &self.context.owner);
        let storage = Storage::of(&answer, owner, self.router.cache.is_enabled());
        // The records that the message names, even if they do not exist: when one
        // is created, this answer must be invalidated.
        for template in &intent.tags {
            records.extend(template.fill_from_slots(self.context.slots()));
        }
        let mut tags = tags::of_answer(&intent.name, owner, &records, Some(&reads));
        tags.extend(self.message_tag());
        let stored = StoredAnswer::new(answer, tags.len());
        let fill = match storage {
            _ if max_age == Some(Duration::ZERO) => return Fill::shared(stored),
            Storage::Positive => Fill::new(stored),
            Storage::Negative => Fill::negative(stored),
            Storage::Refused => return Fill::shared(stored),
        };
        let fill = fill.tags(tags);
        match max_age {
            Some(max_age) => fill.ttl(max_age),
            None => fill,
        }
    }

    /// Fills the entry of `permit` while this request is served the stored answer.
    fn refresh(&self, permit: Permit<EntryKey, StoredAnswer>) -> BoxFuture<'static, Refreshed> {
        let router = self.router.clone();
        let name = self.context.intent.name.clone();
        // Keeps the context of the stored answer: a period such as "last month"
        // may have changed by the time this is polled.
        let context = self.context.detach();
        Box::pin(async move {
            let Some((intent, _)) = router.intent(&name) else {
                return Refreshed::default();
            };
            if !router.cache.is_enabled() {
                return Refreshed::default();
            }
            let answering = Answering::new(&router, context.attach(intent));
            let filled = answering.fill().await;
            let failure = filled.as_ref().err().map(Arc::clone);
            let fetched = permit.finish(filled);
            let stored = Outcome::Filled(Ok(()));
            Refreshed {
                stored: fetched.is_ok_and(|fetched| fetched.outcome == stored),
                failure,
                calls: answering.calls.load(Ordering::Relaxed),
            }
        })
    }

    /// Asks the source.
    async fn ask(&self) -> Delivered<Answered> {
        match (self.context.intent.kind, &self.context.owner) {
            (Kind::KnowledgeBase, _) => {
                let found = self.records().await?;
                Ok(self.found(Source::KnowledgeBase, found, 0))
            }
            (Kind::LiveData, Owner::Everyone) => Ok(self.refused(Fallback::Unidentified, 0)),
            (Kind::LiveData, Owner::Person(who)) => {
                let member = self.is_member(who).await?;
                if !member.value {
                    return Ok(self.refused(Fallback::NoSuchMember, member.calls));
                }
                let found = self.records().await?;
                Ok(self.found(Source::LiveData, found, member.calls))
            }
        }
    }

    fn found(&self, source: Source, found: Found<Records>, calls_before: u32) -> Answered {
        let Records {
            data,
            tags,
            max_age,
        } = found.value;
        let (name, confidence) = (&self.context.intent.name, self.context.confidence);
        let response = self.router.respond(source, name, confidence, data);
        let owner = self.context.owner.clone();
        Answered {
            answer: Answer::new(response, owner, calls_before + found.calls),
            reads: self.reads(Some(&tags)),
            records: tags,
            max_age,
        }
    }

    fn refused(&self, why: Fallback, calls: u32) -> Answered {
        let (name, confidence) = (&self.context.intent.name, self.context.confidence);
        let owner = self.context.owner.clone();
        Answered {
            answer: self.router.fallback(name, confidence, owner, why, calls),
            records: Vec::new(),
            reads: self.reads(None),
            max_age: None,
        }
    }

    /// What was read to make an answer: whether the user is a member, and the
    /// records with these tags if they were asked for. A source that does not
    /// declare its reads is assumed to have read all records of the kinds that
    /// the intent's tags and `tags` name.
    fn reads(&self, tags: Option<&[String]>) -> Vec<Read> {
        let source = &self.router.source;
        let mut reads = match &self.context.owner {
            Owner::Person(_) => source.member_reads(),
            Owner::Everyone => Vec::new(),
        };
        if let Some(tags) = tags {
            let intent = self.context.intent;
            reads.extend(source.reads(intent).unwrap_or_else(|| {
                let mut reads = Read::of_templates(&intent.tags);
                reads.extend(tags.iter().map(|tag| Read::of_record(tag)));
                reads
            }));
        }
        reads
    }

    /// The tag for the key of the message, if another text enters the key, so
    /// that a caller who knows only the message can invalidate its answer.
    fn message_tag(&self) -> Option<String> {
        let message = self.context.message.as_deref()?;
        let (intent, owner) = (&self.context.intent.name, &self.context.owner);
        // The key of the same user has been built before this.
        let key = self.router.cache.owner_key(intent, owner, message).ok()?;
        Some(tags::key(*key.digest()))
    }

    async fn records(&self) -> Delivered<Found<Records>> {
        let ask = Ask {
            deadline: self.deadline(),
            ..self.context.ask()
        };
        self.call(self.router.source.records(ask)).await
    }

    /// Whether the principal is a member, from the cache if the policy allows,
    /// with the calls that the look-up takes.
    async fn is_member(&self, who: &Principal) -> Delivered<Found<bool>> {
        let source = &self.router.source;
        let look_up = async || self.call(source.is_member(who, self.deadline())).await;
        let Some(reuse) = self.context.policy.reuse() else {
            return look_up().await;
        };
        // Without a refresher: the request is about to wait for the source in any
        // case, or it is a refresh itself.
        let cache = &self.router.cache;
        let fills = AtomicBool::new(false);
        let fetch = cache
            .members
            .fetch(who, cache.member_class)
            .reuse(reuse)
            .fill(async || {
                fills.store(true, Ordering::Relaxed);
                let found = look_up().await?;
                let fill = match (cache.is_enabled(), found.value) {
                    (false, _) => return Ok(Fill::shared(found)),
                    (true, true) => Fill::new(found),
                    (true, false) => Fill::negative(found),
                };
                Ok::<_, Arc<SourceError>>(fill.tags(tags::of_member(who, &source.member_reads())))
            });
        Ok(self.fetched(&fills, fetch).await?.value)
    }
}

/// An answer to a request that did not use the cache.
fn bypassed(answer: Arc<Answer>, why: Bypass) -> Routed {
    Routed {
        calls: answer.calls(),
        answer,
        cache: CacheOutcome::Bypass(why),
        key: None,
    }
}

/// The error of a fill, which may be another request's.
pub(super) fn source_error(error: &FillError) -> Arc<SourceError> {
    match error.downcast_ref::<Arc<SourceError>>() {
        Some(error) => Arc::clone(error),
        // A caller that looked the answer up failed to make it.
        None => Arc::new(SourceError::Unavailable(error.to_string())),
    }
}
