//! Cache-aside: a caller looks an answer up and, on a miss, computes and fills it
//! itself. The source is never asked.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cache_core::{FillError, Hit, Lookup, Outcome, Permit, Refusal, Reuse, Waited, Waiter};
use cache_keys::Digest;
use serde_json::Value;

use crate::catalogue::{Intent, Kind};
use crate::context::{DetachedContext, RequestContext};
use crate::error::RouteError;
use crate::identity::EntryKey;
use crate::outcome::{Bypass, CacheOutcome};
use crate::policy::CachePolicy;
use crate::principal::Owner;
use crate::request::Request;
use crate::response::{Answer, Routed, Source};
use crate::source::{Ask, Extent, Read};
use crate::weight::StoredAnswer;

use super::Router;
use super::answering::{Answered, Answering, source_error};
use super::resolve::Refusal as Unresolved;

/// The result of a look-up whose caller computes what is missing.
#[derive(Debug)]
#[must_use = "a dropped permit is passed to a waiter"]
pub enum CacheLookup {
    /// An answer that may be served. With a permit, it is due for a refresh, by this
    /// caller; others are served the stored answer meanwhile.
    Answered(Routed, Option<FillPermit>),
    /// There is no answer, and this caller computes it.
    Missing(FillPermit),
    /// There is no answer, and another caller computes it.
    InFlight(FillWaiter),
    /// The other caller failed, for this reason, and no stored answer may be served
    /// instead.
    Failed(String),
    /// The cache is not used for this request, whose answer is not to be stored.
    Bypassed(Bypass),
}

/// An answer that a caller computed.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Computed {
    /// The `data` of the response.
    pub data: Value,
    /// The records that it depends on, such as `claim:CLM-2025-000123`; or a kind of
    /// records, such as `claim`, if it depends on all of the kind.
    pub tags: Vec<String>,
    /// A TTL of its own, which only shortens that of the class.
    pub ttl: Option<Duration>,
    /// Whether it says that there is nothing to be found. It is stored for the
    /// `negative_ttl` of the class.
    pub negative: bool,
}

impl Computed {
    /// An answer made of the records that `tags` name.
    pub fn new(data: Value, tags: Vec<String>) -> Self {
        Self {
            data,
            tags,
            ..Self::default()
        }
    }
}

/// The result of a fill.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Filled {
    /// The answer, which the waiters got.
    pub answer: Arc<Answer>,
    /// The reason why it is not stored, if it is not. [`Refusal::Shared`]: caching
    /// was switched off.
    pub stored: Result<(), Refusal>,
}

/// What a caller needs to fill the entry later.
struct Place {
    router: Router,
    intent: String,
    context: DetachedContext,
    reuse: Reuse,
}

impl Place {
    fn intent(&self) -> &Intent {
        let intent = self.router.catalogue.get(&self.intent);
        intent.expect("the context was resolved by this catalogue, which never changes")
    }

    fn answered(&self, stored: StoredAnswer, outcome: Outcome, key: Digest) -> Routed {
        Routed {
            answer: stored.answer,
            cache: CacheOutcome::of(outcome, self.reuse),
            key: Some(key),
            calls: 0,
        }
    }
}

/// The right to fill one entry, for the caller that computes its answer.
///
/// Read the records after you have it: an invalidation since then that reaches the
/// answer keeps it from being stored. Dropping the permit passes it to a caller that
/// waits.
#[must_use = "a dropped permit is passed to a waiter"]
pub struct FillPermit {
    permit: Permit<EntryKey, StoredAnswer>,
    place: Place,
}

impl fmt::Debug for FillPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FillPermit").finish_non_exhaustive()
    }
}

impl FillPermit {
    /// Calls `read` with what identifies the answer. Compute it from this and from
    /// nothing else: whoever asks the same is served the same answer.
    pub fn ask<T>(&self, read: impl FnOnce(Ask<'_>) -> T) -> T {
        let context = self.place.context.clone().attach(self.place.intent());
        read(context.ask())
    }

    /// How certain the detector was of the intent.
    pub fn confidence(&self) -> f64 {
        self.place.context.confidence()
    }

    /// Whose answer it is.
    pub fn owner(&self) -> &Owner {
        self.permit.key().owner()
    }

    /// The digest of the entry.
    pub fn key(&self) -> Digest {
        self.permit.key().digest()
    }

    /// Ends the fill with an answer: stores it, and gives it to all waiters, by the
    /// rules of [`cache_core::Permit::fill`].
    ///
    /// A tag with a kind, as in `claim:CLM-1`, says that the answer of a user was made
    /// of the user's own records of that kind. An invalidation of a record of the kind
    /// reaches it if it names the user, or nobody. An answer that is made of records of
    /// others too has the kind itself, `claim`, as a tag.
    pub fn fill(self, computed: Computed) -> Filled {
        let Self { permit, place } = self;
        let Computed {
            data,
            tags,
            ttl,
            negative,
        } = computed;
        let intent = place.intent();
        let source = match (negative, intent.kind) {
            (true, _) => Source::Fallback,
            (false, Kind::LiveData) => Source::LiveData,
            (false, Kind::KnowledgeBase) => Source::KnowledgeBase,
        };
        let owner = permit.key().owner().clone();
        let reads = reads(&place.router, intent, &owner, &tags);
        let confidence = place.context.confidence();
        let response = place.router.respond(source, &intent.name, confidence, data);
        let answer = Answer::new(response, owner, 0);
        let context = place.context.clone().attach(intent);
        let fill = Answering::new(&place.router, context).filling(Answered {
            answer: Arc::clone(&answer),
            records: tags,
            reads,
            max_age: ttl,
        });
        let stored = permit.fill(fill);
        Filled { answer, stored }
    }

    /// Ends the fill without an answer. The waiters get the reason, or a stored answer
    /// that is within the `stale_if_error` window of its class, which is returned too.
    pub fn fail(self, reason: impl Into<String>) -> Option<Routed> {
        let Self { permit, place } = self;
        let key = permit.key().digest();
        let failed: Box<dyn Error + Send + Sync> = Box::new(CallerFailed(reason.into()));
        let hit = permit.fail(failed).ok()?;
        Some(place.answered(hit.value.clone(), stood_in(&hit), key))
    }
}

/// Waits for the answer that another caller computes. May be dropped at any time.
#[must_use = "a waiter does nothing unless awaited"]
pub struct FillWaiter {
    waiter: Waiter<EntryKey, StoredAnswer>,
    key: Digest,
    place: Place,
}

impl fmt::Debug for FillWaiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FillWaiter").finish_non_exhaustive()
    }
}

impl FillWaiter {
    /// Waits until there is an answer, a failure, or the permit of a caller that gave
    /// it up: never [`CacheLookup::InFlight`].
    pub async fn wait(self) -> CacheLookup {
        let Self { waiter, key, place } = self;
        match waiter.await {
            Waited::Value(stored) | Waited::Negative(stored) => {
                CacheLookup::Answered(place.answered(stored, Outcome::Waited, key), None)
            }
            Waited::Stale(hit) => {
                let outcome = stood_in(&hit);
                CacheLookup::Answered(place.answered(hit.value, outcome, key), None)
            }
            Waited::Failed(error) => CacheLookup::Failed(reason(&error)),
            Waited::Permit(permit) => CacheLookup::Missing(FillPermit { permit, place }),
        }
    }
}

impl Router {
    /// Looks the answer to a request up, for a caller that computes what is missing.
    /// The rules are those of [`route`](Self::route): who may share an answer, when
    /// the cache is used, which stored answers are served, and that an invalidation
    /// beats a fill. The source is never asked, nor whether the user is a member.
    ///
    /// `slots`, if given, are the slots of the question, by the names that the
    /// catalogue gives those of its intent. The message is then not read for slots.
    ///
    /// # Errors
    /// [`RouteError::Key`] as [`route`](Self::route); [`RouteError::Conversation`]
    /// when a slot cannot be read.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::sync::Arc;
    /// # use intent_router::{CacheService, KeywordDetector, SourceError, source_fn};
    /// use intent_router::{CacheLookup, Catalogue, Computed, Request, Router, UserContext};
    ///
    /// let catalogue = Catalogue::parse(
    ///     r#"
    ///     [[intent]]
    ///     name = "loans"
    ///     kind = "live_data"
    ///     answered_by = "caller"
    ///     phrases = ["my loans"]
    ///     "#,
    /// )?;
    /// # let detector = Arc::new(KeywordDetector::new(&catalogue));
    /// # let source = source_fn(|_| async { Err(SourceError::Locked) });
    /// # let cache = Arc::new(CacheService::builder().build()?);
    /// # let router = Router::new(Arc::new(catalogue), detector, source, cache)?;
    /// let request = Request::new("my loans", UserContext::new("R-1", "reader"));
    /// let CacheLookup::Missing(permit) = router.look_up(&request, None)? else {
    ///     unreachable!("nothing is stored yet");
    /// };
    /// // From your own database, read now that there is a permit.
    /// let data = serde_json::json!({ "loans": ["Emma"] });
    /// permit.fill(Computed::new(data, vec!["loan:17".to_owned()]));
    ///
    /// let found = router.look_up(&request, None)?;
    /// assert!(matches!(found, CacheLookup::Answered(_, None)));
    /// # Ok(())
    /// # }
    /// ```
    pub fn look_up(
        &self,
        request: &Request,
        slots: Option<&BTreeMap<String, String>>,
    ) -> Result<CacheLookup, RouteError> {
        let context = match self.context(request, slots)? {
            Ok(context) => context,
            Err(Unresolved { why, .. }) => return Ok(CacheLookup::Bypassed(why.bypass())),
        };
        let reuse = match context.policy {
            CachePolicy::Use(reuse) => reuse,
            CachePolicy::Bypass(why) => return Ok(CacheLookup::Bypassed(why)),
        };
        let entry = self.cache.identity(&context)?;
        let key = entry.digest();
        let found = self
            .cache
            .answers
            .lookup_by(&entry, context.storage.class, reuse);
        let place = || self.place(&context, reuse);
        let permit = |permit| FillPermit {
            permit,
            place: place(),
        };
        let answered =
            |hit: Hit<StoredAnswer>, outcome: fn(Duration, Duration) -> Outcome| Routed {
                cache: CacheOutcome::of(outcome(hit.age, hit.ttl), reuse),
                answer: hit.value.answer,
                key: Some(key),
                calls: 0,
            };
        Ok(match found {
            Lookup::Hit(hit) => CacheLookup::Answered(answered(hit, fresh), None),
            Lookup::Early(hit, early) => {
                CacheLookup::Answered(answered(hit, fresh), Some(permit(early)))
            }
            Lookup::Stale(hit, due) => CacheLookup::Answered(answered(hit, stale), due.map(permit)),
            Lookup::Negative(hit) => CacheLookup::Answered(answered(hit, negative), None),
            Lookup::Miss(missing) => CacheLookup::Missing(permit(missing)),
            Lookup::InFlight(waiter) => CacheLookup::InFlight(FillWaiter {
                waiter,
                key,
                place: place(),
            }),
        })
    }

    fn place(&self, context: &RequestContext<'_>, reuse: Reuse) -> Place {
        Place {
            router: self.clone(),
            intent: context.intent.name.clone(),
            context: context.detach(),
            reuse,
        }
    }
}

/// What the answer of a caller depends on: the caller's word for it, and the records
/// that the intent's tags name.
fn reads(router: &Router, intent: &Intent, owner: &Owner, tags: &[String]) -> Vec<Read> {
    let mut reads = match owner {
        Owner::Person(_) => router.source.member_reads(),
        Owner::Everyone => Vec::new(),
    };
    for read in Read::of_templates(&intent.tags) {
        // Of a kind that is not known, all records count.
        let extent = match read.kind {
            Some(_) => Extent::Part,
            None => Extent::Whole,
        };
        reads.push(Read { extent, ..read });
    }
    reads.extend(tags.iter().map(|tag| match tag.split_once(':') {
        Some((kind, _)) => Read::new(Some(kind.to_owned()), Extent::Part),
        None => Read::new(Some(tag.clone()), Extent::Whole),
    }));
    reads
}

fn fresh(age: Duration, ttl: Duration) -> Outcome {
    Outcome::Hit { age, ttl }
}

fn stale(age: Duration, ttl: Duration) -> Outcome {
    Outcome::Stale { age, ttl }
}

fn negative(age: Duration, ttl: Duration) -> Outcome {
    Outcome::Negative { age, ttl }
}

fn stood_in(hit: &Hit<StoredAnswer>) -> Outcome {
    let (age, ttl) = (hit.age, hit.ttl);
    Outcome::StoodIn { age, ttl }
}

/// Why a caller could not compute an answer.
#[derive(Debug)]
struct CallerFailed(String);

impl fmt::Display for CallerFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the caller that computes the answer failed: {}", self.0)
    }
}

impl Error for CallerFailed {}

/// The reason of a failed fill. Of a source's error it has only the general words.
fn reason(error: &FillError) -> String {
    match error.downcast_ref::<CallerFailed>() {
        Some(CallerFailed(reason)) => reason.clone(),
        None => source_error(error).general().to_owned(),
    }
}
