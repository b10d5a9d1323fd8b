//! The intents of the traffic and their weights.

use std::time::Duration;

use intent_router::{Intent, Kind, Request, Router, UserContext};
use serde::Serialize;

/// The share of each built-in intent in the traffic, in per cent.
///
/// An assumption, not a measurement: people mostly ask about their claim and
/// their money. An intent that is not listed has [`UNLISTED_WEIGHT`].
pub(crate) const MIX: [(&str, u32); 12] = [
    ("claim_status", 24),
    ("payment_status", 20),
    ("payment_history", 10),
    ("pension_inquiry", 10),
    ("document_status", 9),
    ("account_info", 8),
    ("claim_submission", 5),
    ("technical_help", 3),
    ("employer_registration", 3),
    ("agent_request", 3),
    ("greeting", 4),
    ("goodbye", 1),
];

/// The weight of an intent that is not in [`MIX`].
pub(crate) const UNLISTED_WEIGHT: u32 = 1;

/// An intent of the catalogue that the traffic may ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedIntent {
    /// The intent's name.
    pub(crate) name: String,
    /// Wordings of its question; the first ones are used.
    pub(crate) examples: Vec<String>,
    /// Whether one answer serves all users (knowledge base).
    pub(crate) shared: bool,
    /// How long its answers stay fresh.
    pub(crate) ttl: Duration,
}

/// An intent with its weight in the traffic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct WeightedIntent {
    pub(crate) name: String,
    pub(crate) weight: u32,
    pub(crate) shared: bool,
    #[serde(rename = "ttl_seconds", serialize_with = "as_seconds")]
    pub(crate) ttl: Duration,
    pub(crate) wordings: Vec<String>,
}

fn as_seconds<S: serde::Serializer>(ttl: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(ttl.as_secs_f64())
}

/// The intents of a router's catalogue with the examples that its detector
/// takes for them.
pub(crate) fn asked_intents(router: &Router) -> Vec<AskedIntent> {
    let cache = router.cache();
    let understood = |example: &str, intent: &Intent| {
        let question = Request::new(example, UserContext::guest());
        router.detect(&question).intent == intent.name
    };
    let asked = |intent: &Intent| AskedIntent {
        name: intent.name.clone(),
        examples: intent
            .examples
            .iter()
            .filter(|example| understood(example, intent))
            .cloned()
            .collect(),
        shared: intent.kind == Kind::KnowledgeBase,
        ttl: cache.ttl_of(&intent.class),
    };
    router.catalogue().intents().iter().map(asked).collect()
}

/// Gives each intent with examples its weight; the intents of [`MIX`] come
/// first.
pub(crate) fn mix(asked: Vec<AskedIntent>, wordings: usize) -> Vec<WeightedIntent> {
    let listed = |name: &str| MIX.iter().position(|(listed, _)| *listed == name);
    let mut asked: Vec<AskedIntent> = asked
        .into_iter()
        .filter(|intent| !intent.examples.is_empty())
        .collect();
    // Indices of intents have 16 bits.
    asked.truncate(usize::from(u16::MAX));
    asked.sort_by_key(|intent| listed(&intent.name).unwrap_or(MIX.len()));
    asked
        .into_iter()
        .map(|mut intent| {
            intent.examples.truncate(wordings);
            WeightedIntent {
                weight: listed(&intent.name).map_or(UNLISTED_WEIGHT, |at| MIX[at].1),
                name: intent.name,
                shared: intent.shared,
                ttl: intent.ttl,
                wordings: intent.examples,
            }
        })
        .collect()
}
