//! From a message to an answer: which intent it has, whether its answer may be
//! cached and as what, and who answers it.
//!
//! A request travels one way: [`Detector`], policy ([`decide`]), key scheme and
//! store ([`CacheService`]), and on a miss the source of records ([`LiveData`]).
//! [`Router`] joins them. What the intents are is data: a [`Catalogue`].
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use intent_router::{
//!     Ask, BoxFuture, CacheOutcome, CacheService, Catalogue, Found, KeywordDetector, LiveData,
//!     Principal, Profile, Records, Request, Router, SourceError, UserContext,
//! };
//!
//! /// Records that are made up; a real source asks a database.
//! struct Demo;
//!
//! impl LiveData for Demo {
//!     fn profile<'a>(
//!         &'a self,
//!         who: &'a Principal,
//!     ) -> BoxFuture<'a, Result<Found<Option<Profile>>, SourceError>> {
//!         let profile = Profile::new(who.id_text(), "beneficiary", "A. Member");
//!         Box::pin(async move { Ok(Found::new(Some(profile), 1)) })
//!     }
//!
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
mod detect;
mod error;
mod pattern;
mod phrases;
mod policy;
mod principal;
mod question;
mod reference;
mod request;
mod response;
mod router;
mod service;
mod slots;
mod source;
mod text;
mod weight;

// What the signatures here are made of, so that simple uses need no other crate.
pub use cache_core::{Classes, Freshness, ManualClock, Reuse, TtlClass};
pub use cache_keys::{CanonicalJson, Digest};

pub use catalogue::{
    Catalogue, CatalogueError, Guards, Intent, KeyMode, Kind, Phrase, Places as CataloguePlaces,
    Problem as CatalogueProblem, QuerySpec, References, SlotSpec, TableSpec, TagTemplate,
    TemplateError, Tie,
};
pub use detect::{
    CombinedDetector, Detection, Detector, EncodeError, Evidence, Example, ExampleError, HeldOut,
    KeywordDetector, LinearDetector, LinearModel, ModelError, Phase, Progress, SentenceEncoder,
    TrainError, TrainOptions, train,
};
pub use error::{BuildError, RouteError};
pub use pattern::Pattern;
pub use policy::{Decision, decide, key_text};
pub use principal::{Conversation, Owner, Principal, UserContext};
pub use question::Question;
pub use request::{CacheUse, Request};
pub use response::{Answer, Bypass, CacheOutcome, Refreshed, Response, Routed, Source};
pub use router::{LocalDay, Router, Spawn, WallClock};
pub use service::{CacheService, Capacity, EntryKey, Selector, ServiceBuilder, SharedClock};
pub use slots::{ConversationError, Date, Guard, Reading, Slots};
pub use source::{
    Ask, BoxFuture, Extent, Found, LiveData, Profile, Read, Records, SourceError, source_fn,
};
pub use text::normalise;
