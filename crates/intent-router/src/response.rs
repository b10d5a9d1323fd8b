//! What the router answers, and how it came by it.

use std::sync::Arc;
use std::time::Duration;

use cache_core::{Outcome, Reuse};
use cache_keys::Digest;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::principal::Owner;
use crate::source::SourceError;

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A person's own records.
    LiveData,
    /// Articles that are the same for everybody.
    KnowledgeBase,
    /// Neither: the question was not understood, or whose it is is not known.
    Fallback,
}

impl Source {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LiveData => "live_data",
            Self::KnowledgeBase => "knowledge_base",
            Self::Fallback => "fallback",
        }
    }
}

/// The response to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// Where the answer came from.
    pub source: Source,
    /// The intent that was answered, or `unknown`.
    pub intent: String,
    /// How certain the detector was, from 0 to 1; 1 for a forced intent.
    pub confidence: f64,
    /// The answer itself.
    pub data: Value,
    /// When the answer was made: RFC 3339, UTC, milliseconds.
    pub timestamp: String,
}

/// A response as it is stored: as its text alone, made once, so that a hit
/// costs no serialisation, is byte for byte what was answered first, and takes
/// a fraction of the memory of the parsed data.
#[derive(Debug)]
pub struct Answer {
    source: Source,
    intent: Box<str>,
    owner: Owner,
    json: Box<str>,
    digest: Digest,
    calls: u32,
}

impl Answer {
    /// An answer of `owner` that takes `calls` database calls without a cache.
    ///
    /// A confidence that is not a number, which JSON cannot tell, becomes 0.
    pub fn new(mut response: Response, owner: Owner, calls: u32) -> Arc<Self> {
        if !response.confidence.is_finite() {
            response.confidence = 0.0;
        }
        // The response holds strings, a finite number and a `Value`, whose
        // object keys are strings: there is nothing that cannot be written.
        let json = serde_json::to_string(&response).expect("a response has only string keys");
        Arc::new(Self {
            source: response.source,
            intent: response.intent.into_boxed_str(),
            owner,
            digest: Digest::from_bytes(Md5::digest(&json).into()),
            json: json.into_boxed_str(),
            calls,
        })
    }

    /// The response, parsed anew from its text: a copy to be had, not to be
    /// asked for at every hit.
    ///
    /// # Errors
    /// When the data is nested deeper than 128 levels, which cannot be parsed.
    pub fn response(&self) -> serde_json::Result<Response> {
        serde_json::from_str(&self.json)
    }

    /// The response as JSON text.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The MD5 of the JSON text, for entity tags: made once, so that a hit need
    /// not look through the text.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Where the answer came from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// The intent that was answered, or `unknown`.
    pub fn intent(&self) -> &str {
        &self.intent
    }

    /// Whose answer it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// How many database calls it takes without a cache, and so how many a hit
    /// saves. The look-up of a profile counts even where a stored one was used.
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// The readable scope that invalidation patterns match: `intent/user/role`.
    pub fn scope(&self) -> String {
        format!(
            "{}/{}/{}",
            self.intent,
            self.owner.id_text(),
            self.owner.role_text()
        )
    }
}

/// Why a request did not use the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Bypass {
    /// Caching is switched off.
    CachingOff,
    /// A question about somebody's records, and nobody is identified.
    Unidentified,
    /// No intent was found.
    UnknownIntent,
    /// The request asked for it (`Cache-Control: no-store`).
    NoStore,
    /// The message asks for another person's records.
    OtherPerson,
    /// The message goes on from one that is not known.
    NeedsContext,
}

impl Bypass {
    /// A short name for headers and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CachingOff => "caching-off",
            Self::Unidentified => "unidentified",
            Self::UnknownIntent => "unknown-intent",
            Self::NoStore => "no-store",
            Self::OtherPerson => "other-person",
            Self::NeedsContext => "needs-context",
        }
    }
}

/// What the cache did for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheOutcome {
    /// The cache was not asked.
    Bypass(Bypass),
    /// The stored answer was served.
    Hit {
        /// Time since it was stored.
        age: Duration,
        /// Time until it expires.
        remaining: Duration,
    },
    /// A stored answer was served that is older than the TTL of its class, but
    /// within one of the windows of the class.
    Stale {
        /// Time since it was stored.
        age: Duration,
        /// Time since it was fresh for the last time.
        overdue: Duration,
        /// Whether it stands in for an answer of the source, which was asked
        /// and failed. If not, the source was not asked; somebody makes the
        /// answer anew.
        failed: bool,
    },
    /// The source was asked.
    Miss {
        /// Whether the answer was stored.
        stored: bool,
        /// Whether the request limited which stored answers it accepts
        /// (`Cache-Control: no-cache` or `max-age`), be there one or not.
        requested: bool,
    },
    /// The source was being asked by another request, whose answer was shared.
    Collapsed,
}

impl CacheOutcome {
    /// What it was for a request that accepted this much of what is stored.
    pub(crate) fn of(outcome: Outcome, reuse: Reuse) -> Self {
        let hit = |age: Duration, ttl: Duration| Self::Hit {
            age,
            remaining: ttl.saturating_sub(age),
        };
        let stale = |age: Duration, ttl: Duration, failed| Self::Stale {
            age,
            overdue: age.saturating_sub(ttl),
            failed,
        };
        match outcome {
            Outcome::Hit { age, ttl } | Outcome::Negative { age, ttl } => hit(age, ttl),
            Outcome::Stale { age, ttl } => stale(age, ttl, false),
            Outcome::StoodIn { age, ttl } if age > ttl => stale(age, ttl, true),
            Outcome::StoodIn { age, ttl } => hit(age, ttl),
            Outcome::Waited => Self::Collapsed,
            other => Self::Miss {
                stored: other == Outcome::Filled(Ok(())),
                requested: reuse != Reuse::Any,
            },
        }
    }
}

/// A routed request: the answer, and how the cache was involved.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Routed {
    /// The answer.
    pub answer: Arc<Answer>,
    /// What the cache did.
    pub cache: CacheOutcome,
    /// The cache key, when the request was cacheable.
    pub key: Option<Digest>,
    /// How many database calls this request itself made. It saved the rest of
    /// those that its [answer takes](Answer::calls).
    pub calls: u32,
}

/// What came of making a stored answer anew while those who asked for it were
/// served the stored one.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Refreshed {
    /// Whether a newer answer was stored.
    pub stored: bool,
    /// Why there is no newer answer: the source failed.
    pub failure: Option<Arc<SourceError>>,
    /// How many database calls it took. No [`Routed`] counts them.
    pub calls: u32,
}
