//! Routes messages to answers: detects the intent, decides whether and under
//! which key the answer is cached, and asks a source of records on a miss.
//!
//! Every request takes the same path: it is resolved once, to a
//! [`RequestContext`] (by a [`Detector`] and the [`CachePolicy`]); its identity
//! is looked up in the store ([`CacheService`]); on a miss the source of records
//! ([`LiveData`]) answers it. [`Router`] joins them. The intents are data: a
//! [`Catalogue`].
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use intent_router::{
//!     Ask, BoxFuture, CacheOutcome, CacheService, Catalogue, Found, KeywordDetector, LiveData,
//!     Records, Request, Router, SourceError, UserContext,
//! };
//!
//! /// Records that are made up; a real source asks a database.
//! struct Demo;
//!
//! impl LiveData for Demo {
//!     fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
//!         let data = serde_json::json!({ "asked": ask.intent.name });
//!         Box::pin(async move { Ok(Found::new(Records::new(data, vec![]), 1)) })
//!     }
//! }
//!
//! let catalogue = Arc::new(Catalogue::built_in().clone());
//! let detector = Arc::new(KeywordDetector::new(&catalogue));
//! let cache = Arc::new(CacheService::builder().build()?);
//! let router = Router::new(catalogue, detector, Arc::new(Demo), cache)?;
//!
//! let request = Request::new(
//!     "what is my claim status?",
//!     UserContext::new("BEN-000001", "beneficiary"),
//! );
//! // Any runtime will do; the library starts no task of its own.
//! let first = pollster::block_on(router.route(&request))?;
//! let second = pollster::block_on(router.route(&request))?;
//! assert!(matches!(first.cache, CacheOutcome::Miss { stored: true, .. }));
//! assert!(matches!(second.cache, CacheOutcome::Hit { .. }));
//! assert_eq!(first.answer.json(), second.answer.json());
//! # Ok(())
//! # }
//! ```

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod catalogue;
pub mod classes;
mod context;
mod deadline;
mod detect;
mod error;
mod gate;
mod identity;
mod outcome;
mod pattern;
mod phrases;
mod policy;
mod principal;
mod reference;
mod request;
mod response;
mod router;
mod service;
mod slots;
mod source;
mod tags;
mod text;
mod timer;
#[cfg(feature = "tower")]
mod tower;
mod weight;

// Types of other crates in the signatures here, so that callers need not depend
// on them.
pub use cache_core::{Classes, Freshness, ManualClock, Refusal, Reuse, TtlClass};
pub use cache_keys::{CanonicalJson, Digest};
pub use intent_model::{EncodeError, HeldOut, LinearModel, ModelError, SentenceEncoder};

pub use catalogue::{
    AnsweredBy, Catalogue, CatalogueError, CatalogueSpans, Diagnostic, Guards, HttpMethod,
    HttpSpec, Intent, KeyMode, Kind, LineColumn, LineIndex, NotFound, Phrase, QuerySpec,
    References, Severity, SlotSpec, SourceSpan, TableSpec, TagTemplate, Template, TemplateError,
    Tie, parameter_spans,
};
pub use context::RequestContext;
pub use deadline::Deadline;
pub use detect::{
    CombinedDetector, Detection, Detector, Evidence, KeywordDetector, LinearDetector,
};
pub use error::{BuildError, RouteError};
pub use gate::{ChangeGate, Coverage};
pub use identity::EntryKey;
pub use outcome::{Bypass, CacheOutcome, OutcomeClass};
pub use pattern::Pattern;
pub use policy::{CachePolicy, key_text};
pub use principal::{Conversation, Owner, Principal, UserContext};
pub use request::{CacheUse, Request};
pub use response::{Answer, Refreshed, Response, Routed, Source};
pub use router::aside::{CacheLookup, Computed, FillPermit, FillWaiter, Filled};
pub use router::kept::KeptAnswer;
pub use router::{LocalDay, Router, Spawn, WallClock};
pub use service::builder::ServiceBuilder;
pub use service::{CacheService, Capacity, Erased, Selector, SharedClock};
pub use slots::{ConversationError, Date, Guard, Reading, Slots};
pub use source::{Ask, BoxFuture, Extent, Found, LiveData, Read, Records, SourceError, source_fn};
pub use text::normalise;
pub use timer::{ManualTimer, Timer};
#[cfg(feature = "tower")]
pub use tower::layer::{CacheLayer, Cached, Question, WithCache};
