//! What the router returns: responses, stored answers, routed requests.

use std::sync::Arc;

use cache_keys::Digest;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::outcome::CacheOutcome;
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
    /// Neither: an answer without records, for example to an unknown intent or an
    /// unidentified user.
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

/// A response as JSON text.
///
/// The text is made once: a hit serialises nothing and is byte for byte the
/// first answer, in a fraction of the memory of the parsed data.
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
    /// A confidence of NaN, which JSON cannot express, becomes 0.
    pub fn new(mut response: Response, owner: Owner, calls: u32) -> Arc<Self> {
        if !response.confidence.is_finite() {
            response.confidence = 0.0;
        }
        // The response holds strings, a finite number and a `Value`, whose object
        // keys are strings, so serialising it cannot fail.
        let json = serde_json::to_string(&response).expect("a response has only string keys");
        Arc::new(Self::kept(
            response.source,
            response.intent,
            owner,
            json,
            calls,
        ))
    }

    /// An answer whose text was made before, here or in another process.
    pub(crate) fn kept(
        source: Source,
        intent: String,
        owner: Owner,
        json: String,
        calls: u32,
    ) -> Self {
        Self {
            source,
            intent: intent.into_boxed_str(),
            owner,
            digest: Digest::from_bytes(Md5::digest(&json).into()),
            json: json.into_boxed_str(),
            calls,
        }
    }

    /// Parses the response from its text, at the cost of a copy each time.
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

    /// The MD5 of the JSON text, for entity tags, computed once.
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

    /// How many database calls the answer takes without a cache, which is what a
    /// hit saves. The membership look-up counts even if it was answered from the
    /// cache.
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

/// A routed request: the answer, and what the cache did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Routed {
    /// The answer.
    pub answer: Arc<Answer>,
    /// What the cache did.
    pub cache: CacheOutcome,
    /// The cache key, when the request was cacheable.
    pub key: Option<Digest>,
    /// How many database calls this request itself made.
    pub calls: u32,
}

impl Routed {
    /// How many database calls the cache saved this request: none if the source
    /// was asked and failed.
    pub fn calls_saved(&self) -> u32 {
        if self.cache.is_stale_if_error() {
            return 0;
        }
        self.answer.calls().saturating_sub(self.calls)
    }
}

/// The result of a background refresh of a stored answer.
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
