//! [`LiveData`], the trait of sources of records: the router's only access to
//! databases.

mod error;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cache_keys::CanonicalJson;
use serde_json::Value;

use crate::catalogue::{Intent, TagTemplate};
use crate::deadline::Deadline;
use crate::principal::Principal;
use crate::slots::{Date, Slots};

pub use self::error::SourceError;

/// A boxed future that can be sent between threads, as I/O traits here return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The part of a [`RequestContext`](crate::RequestContext) that a source gets.
///
/// A source whose answers depend only on the `Ask` and on its records is cached
/// correctly. If it reads a clock or anything else, that part of an answer may be
/// as old as the TTL of its class.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Ask<'a> {
    /// The intent whose queries or request answer the question.
    pub intent: &'a Intent,
    /// Who asks; `None` for knowledge-base intents, whose answers are shared.
    pub principal: Option<&'a Principal>,
    /// The slots of the message that may narrow the answer, such as a claim
    /// number; none if `doubtful`.
    pub slots: &'a Slots,
    /// The text that enters the cache key: the message, its normal form or the
    /// list of its slots, by the intent's key mode.
    pub message: &'a str,
    /// Whether the message may say more than its slots, such as "all but March
    /// 2025". The answer must then include everything that may be asked for.
    pub doubtful: bool,
    /// The day on which the question is asked, if a query of the intent reads it.
    pub today: Option<Date>,
    /// Until when the answer is wanted. It says nothing about what is asked.
    pub deadline: Deadline,
}

/// A value that a source found, with the number of calls it took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// How many database calls (or upstream requests) this took.
    pub calls: u32,
}

impl<T> Found<T> {
    /// A value that took `calls` database calls.
    pub fn new(value: T, calls: u32) -> Self {
        Self { value, calls }
    }
}

/// The records that answer a question.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Records {
    /// The answer's `data` member: an object with one member a query.
    pub data: Value,
    /// The records it was made of, such as `claim:CLM-2025-000123`; an
    /// invalidation of any of them removes the cached answer.
    pub tags: Vec<String>,
    /// How long the answer may be stored at most; zero: not at all. `None`: as long as
    /// its TTL class says, which also bounds a longer time.
    pub max_age: Option<Duration>,
}

impl Records {
    /// An answer made of the records that `tags` name.
    pub fn new(data: Value, tags: Vec<String>) -> Self {
        Self {
            data,
            tags,
            max_age: None,
        }
    }

    /// The same, to be stored for at most this time; zero: not to be stored.
    #[must_use]
    pub fn with_max_age(self, max_age: Option<Duration>) -> Self {
        Self { max_age, ..self }
    }
}

/// The records of one kind that a look-up reads, whether or not it returns them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Read {
    /// The kind of the records: `payment` of `payment:PAY-1`. `None` if the kind
    /// is not known; every invalidation by a tag then reaches the answer.
    pub kind: Option<String>,
    /// How much of them.
    pub extent: Extent,
}

/// How much of the records of a kind a look-up reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Those of the member who asks, whose record tags name the member, as
    /// `member:BEN-000001` does.
    Named,
    /// Those of the member who asks.
    Part,
    /// Any of them.
    Whole,
}

impl Read {
    /// Reading of the records of a kind.
    pub fn new(kind: Option<String>, extent: Extent) -> Self {
        Self { kind, extent }
    }

    /// Reading of all records of this one's kind.
    pub(crate) fn of_record(tag: &str) -> Self {
        let kind = tag.split_once(':').map_or(tag, |(kind, _)| kind);
        Self::new(Some(kind.to_owned()), Extent::Whole)
    }

    /// The reads assumed for a source that does not declare them: all records of
    /// the kinds that these templates name.
    pub(crate) fn of_templates(templates: &[TagTemplate]) -> Vec<Self> {
        let kinds = templates.iter().map(|template| {
            let text = template.to_string();
            let kind = text.split_once(':').map(|(kind, _)| kind.to_owned());
            Self::new(kind.filter(|kind| !kind.contains('{')), Extent::Whole)
        });
        kinds.collect()
    }
}

/// Makes a source of one function, which takes what it needs from the [`Ask`] and
/// returns a future of the records. Each call counts as one database call.
///
/// The function must return only records that belong to
/// [`Ask::principal`](Ask::principal); every identified user counts as a member.
///
/// ```
/// use std::sync::Arc;
/// use intent_router::{
///     Ask, CacheService, Catalogue, KeywordDetector, Records, Router, SourceError, source_fn,
/// };
/// use serde_json::json;
///
/// let catalogue = Arc::new(Catalogue::built_in().clone());
/// let detector = Arc::new(KeywordDetector::new(&catalogue));
/// let source = source_fn(|ask: Ask<'_>| {
///     let member = ask.principal.map(|who| who.id_text().into_owned());
///     async move {
///         let claims = json!({ "claims": [], "of": member }); // from your database
///         Ok::<_, SourceError>(Records::new(claims, vec!["claim:CLM-2025-000001".to_owned()]))
///     }
/// });
/// let cache = Arc::new(CacheService::builder().build()?);
/// let router = Router::new(catalogue, detector, source, cache)?;
/// # let _ = router;
/// # Ok::<(), intent_router::BuildError>(())
/// ```
pub fn source_fn<F, M>(load: F) -> Arc<dyn LiveData>
where
    F: Fn(Ask<'_>) -> M + Send + Sync + 'static,
    M: Future<Output = Result<Records, SourceError>> + Send + 'static,
{
    struct OfFunction<F>(F);

    impl<F, M> LiveData for OfFunction<F>
    where
        F: Fn(Ask<'_>) -> M + Send + Sync,
        M: Future<Output = Result<Records, SourceError>> + Send + 'static,
    {
        fn records<'a>(
            &'a self,
            ask: Ask<'a>,
        ) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
            let records = (self.0)(ask);
            Box::pin(async move { Ok(Found::new(records.await?, 1)) })
        }
    }

    Arc::new(OfFunction(load))
}

/// A source of records.
///
/// A source enforces ownership itself: it returns only records that belong to
/// the principal who asks.
pub trait LiveData: Send + Sync {
    /// Whether a principal is a member, with or without records.
    ///
    /// By default every identified user is a member, without a look-up.
    ///
    /// # Errors
    /// [`SourceError`] when the source could not be asked, or did not answer by the
    /// deadline.
    fn is_member<'a>(
        &'a self,
        _who: &'a Principal,
        _deadline: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(std::future::ready(Ok(Found::new(true, 0))))
    }

    /// Answers a question by the intent's queries. A member without records
    /// of the kind asked for gets an empty result, not an error.
    ///
    /// # Errors
    /// [`SourceError`] when the source could not be asked, or did not answer by
    /// [`Ask::deadline`].
    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>>;

    /// What the queries of an intent read, whether or not they return it. An
    /// invalidation of any of these records, new and deleted ones included,
    /// removes the answer. `None` if the source cannot tell: the queries are then
    /// assumed to read all records of the kinds that the intent's tags name.
    fn reads(&self, _intent: &Intent) -> Option<Vec<Read>> {
        None
    }

    /// What [`is_member`](Self::is_member) reads; every answer to a principal
    /// depends on it.
    fn member_reads(&self) -> Vec<Read> {
        Vec::new()
    }

    /// How long a request may take the source, with all its calls together. The
    /// router makes the [`Deadline`] of each request from it. By default there is
    /// none.
    fn deadline(&self) -> Option<Duration> {
        None
    }

    /// Whether the source can be asked now; for readiness probes.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot.
    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async { Ok(()) })
    }

    /// Removes what the source itself keeps of a user between questions, in every role,
    /// and returns how much that was. What is read for questions in flight is not kept.
    /// By default a source keeps nothing.
    fn forget(&self, _user: &CanonicalJson) -> usize {
        0
    }
}

/// Pointers to a source are sources.
macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<L: LiveData + ?Sized> LiveData for $pointer {
            fn is_member<'a>(
                &'a self,
                who: &'a Principal,
                deadline: Deadline,
            ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
                (**self).is_member(who, deadline)
            }

            fn records<'a>(
                &'a self,
                ask: Ask<'a>,
            ) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
                (**self).records(ask)
            }

            fn reads(&self, intent: &Intent) -> Option<Vec<Read>> {
                (**self).reads(intent)
            }

            fn member_reads(&self) -> Vec<Read> {
                (**self).member_reads()
            }

            fn deadline(&self) -> Option<Duration> {
                (**self).deadline()
            }

            fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
                (**self).ready()
            }

            fn forget(&self, user: &CanonicalJson) -> usize {
                (**self).forget(user)
            }
        }
    )+};
}

forward!(&L, Box<L>, Arc<L>);
