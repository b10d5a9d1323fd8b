//! One request whose intent is known, on its way through the cache to the source.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_core::{Fill, FillError, Outcome, Permit, Reuse, TtlClass};

use crate::catalogue::Kind;
use crate::detect::Detection;
use crate::error::RouteError;
use crate::policy;
use crate::principal::{Owner, Principal};
use crate::question::Question;
use crate::request::Request;
use crate::response::{Answer, CacheOutcome, Refreshed, Routed, Source};
use crate::service::EntryKey;
use crate::source::{BoxFuture, Found, Profile, Read, Records, SourceError};
use crate::weight::Kept;

use super::{Fallback, Router};

/// A value, or why the source has none: one error for all who waited for it.
type Delivered<T> = Result<T, Arc<SourceError>>;

/// An answer with what it takes to store it.
struct Answered {
    answer: Arc<Answer>,
    /// The records it was made of.
    records: Vec<String>,
    /// What was read to make it.
    reads: Vec<Read>,
}

/// One request whose intent is known.
pub(super) struct Answering<'a> {
    router: &'a Router,
    request: &'a Request,
    question: Question<'a>,
    class: TtlClass,
    detection: &'a Detection,
    /// How many database calls were made for it. An atomic only because the
    /// future must be `Send`: nobody else counts.
    calls: AtomicU32,
}

impl<'a> Answering<'a> {
    pub(super) fn new(
        router: &'a Router,
        request: &'a Request,
        question: Question<'a>,
        class: TtlClass,
        detection: &'a Detection,
    ) -> Self {
        Self {
            router,
            request,
            question,
            class,
            detection,
            calls: AtomicU32::new(0),
        }
    }

    /// The answer by way of the cache.
    pub(super) async fn cached(&self, reuse: Reuse) -> Result<Routed, RouteError> {
        let cache = &self.router.cache;
        let key = cache.question_key(&self.question)?;
        let refresher = |permit| match &self.router.spawn {
            Some(spawn) => {
                spawn(self.refresh(permit, reuse));
                None
            }
            None => Some(permit),
        };
        let fetch = cache.answers.fetch(&key, self.class).reuse(reuse);
        let fetched = fetch
            .refresher(&refresher)
            .fill(async || self.make(reuse).await)
            .await
            .map_err(|error| RouteError::Source(source_error(&error)))?;
        Ok(Routed {
            answer: fetched.value.answer,
            calls: self.calls.load(Ordering::Relaxed),
            cache: CacheOutcome::of(fetched.outcome, reuse),
            key: Some(key.digest()),
        })
    }

    /// The answer from the source, for a request that does not use the cache.
    pub(super) async fn uncached(&self) -> Delivered<Arc<Answer>> {
        Ok(self.answer(None).await?.answer)
    }

    /// Makes the answer, to be stored.
    async fn make(&self, reuse: Reuse) -> Delivered<Fill<Kept>> {
        let Answered {
            answer,
            mut records,
            reads,
        } = self.answer(Some(reuse)).await?;
        // Those that the message names, be they there or not: when they
        // appear, the answer without them must go.
        let intent = self.question.intent();
        for template in &intent.tags {
            records.extend(template.fill_from_slots(self.question.slots()));
        }
        let mut tags = policy::answer_tags(&intent.name, answer.owner(), &records, Some(&reads));
        tags.extend(self.message_tag(answer.owner()));
        let kept = Kept::new(answer, &tags);
        let fill = match kept.answer.source() {
            Source::LiveData | Source::KnowledgeBase => Fill::new(kept),
            // That there is no such member.
            Source::Fallback => Fill::negative(kept),
        };
        Ok(fill.tags(tags))
    }

    /// Makes the answer that `permit` is for while this request is served the
    /// stored one.
    fn refresh(
        &self,
        permit: Permit<EntryKey, Kept>,
        reuse: Reuse,
    ) -> BoxFuture<'static, Refreshed> {
        let router = self.router.clone();
        let request = self.request.clone();
        let detection = self.detection.clone();
        // The question stays that of the stored answer: a period such as "last
        // month" may be another by the time that this is polled.
        let question = self.question.detach();
        Box::pin(async move {
            let Some((intent, keeping)) = router.intent(&detection.intent) else {
                return Refreshed::default();
            };
            if !router.cache.is_enabled() {
                return Refreshed::default();
            }
            let question = question.about(intent);
            let answering = Answering::new(&router, &request, question, keeping.class, &detection);
            let made = answering.make(reuse).await;
            let failure = made.as_ref().err().map(Arc::clone);
            let fetched = permit.finish(made);
            let stored = Outcome::Filled(Ok(()));
            let stored = fetched.is_ok_and(|fetched| fetched.outcome == stored);
            Refreshed {
                stored,
                failure,
                calls: answering.calls.load(Ordering::Relaxed),
            }
        })
    }

    /// The answer from the source. `reuse` tells which stored profiles may be
    /// used on the way; none when the cache is bypassed.
    async fn answer(&self, reuse: Option<Reuse>) -> Delivered<Answered> {
        let owner = self.question.owner();
        match (self.question.intent().kind, owner) {
            (Kind::KnowledgeBase, _) => {
                let found = self.records().await?;
                Ok(self.found(Source::KnowledgeBase, found, 0))
            }
            (Kind::LiveData, Owner::Everyone) => Ok(self.refused(Fallback::Unidentified, 0)),
            (Kind::LiveData, Owner::Person(who)) => {
                let profile = self.profile(who, reuse).await?;
                if profile.value.is_none() {
                    return Ok(self.refused(Fallback::NoSuchMember, profile.calls));
                }
                let found = self.records().await?;
                Ok(self.found(Source::LiveData, found, profile.calls))
            }
        }
    }

    fn found(&self, source: Source, found: Found<Records>, calls_before: u32) -> Answered {
        let response = self
            .router
            .respond(source, self.detection, found.value.data);
        let owner = self.question.owner().clone();
        Answered {
            answer: Answer::new(response, owner, calls_before + found.calls),
            reads: self.reads(true, &found.value.tags),
            records: found.value.tags,
        }
    }

    fn refused(&self, why: Fallback, calls: u32) -> Answered {
        let owner = self.question.owner().clone();
        Answered {
            answer: self.router.fallback(self.detection, owner, why, calls),
            records: Vec::new(),
            reads: self.reads(false, &[]),
        }
    }

    /// What was read to make an answer: the profile of the asker, and the records
    /// if they were asked for. A source that does not say has read all records
    /// of the kinds that the intent's tags and its own name.
    fn reads(&self, records: bool, tags: &[String]) -> Vec<Read> {
        let source = &self.router.source;
        let mut reads = match self.question.owner() {
            Owner::Person(_) => source.profile_reads(),
            Owner::Everyone => Vec::new(),
        };
        if records {
            let intent = self.question.intent();
            reads.extend(source.reads(intent).unwrap_or_else(|| {
                let mut reads = Read::of_templates(&intent.tags);
                reads.extend(tags.iter().map(|tag| Read::of_record(tag)));
                reads
            }));
        }
        reads
    }

    /// The tag for the key that the message itself has, where another text's
    /// stands for it: whoever knows the message alone can name its answer.
    fn message_tag(&self, owner: &Owner) -> Option<String> {
        let message = &*self.request.message;
        if self.question.text() == message {
            return None;
        }
        let cache = &self.router.cache;
        let intent = &self.question.intent().name;
        // The key of the same request was made of another text before this.
        let key = cache.entry_key(intent, owner.clone(), message);
        key.ok().map(|key| policy::key_tag(key.digest()))
    }

    async fn records(&self) -> Delivered<Found<Records>> {
        let found = self.router.source.records(self.question.ask()).await;
        Ok(self.count(found.map_err(Arc::new)?))
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
        // Where the profile is due, the source is about to be waited for in any case,
        // or this is a refresh that no request waits for.
        let cache = &self.router.cache;
        let fetch = cache.profiles.fetch(who, cache.profile_class).reuse(reuse);
        let fetched = fetch
            .fill(async || {
                let found = look_up().await?;
                let reads = self.router.source.profile_reads();
                let mut tags = policy::person_tags(who);
                tags.extend(policy::read_tags(&reads, Some(who)));
                let is_member = found.value.is_some();
                let fill = if is_member {
                    Fill::new(found)
                } else {
                    Fill::negative(found)
                };
                Ok::<_, Arc<SourceError>>(fill.tags(tags))
            })
            .await;
        let fetched = fetched.map_err(|error| source_error(&error))?;
        Ok(fetched.value)
    }
}

/// The error of a fill, which another may have made.
fn source_error(error: &FillError) -> Arc<SourceError> {
    match error.downcast_ref::<Arc<SourceError>>() {
        Some(error) => Arc::clone(error),
        // Fills of these stores fail with nothing else.
        None => Arc::new(SourceError::Unavailable(error.to_string())),
    }
}
