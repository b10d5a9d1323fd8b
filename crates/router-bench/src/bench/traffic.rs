//! The requests of a run, planned from a few options and a seed.

use std::collections::HashSet;
use std::time::Duration;

use intent_router::{Intent, Kind, Router, UserContext};
use serde::Serialize;
use thiserror::Error;

use super::description::TrafficDescription;
use super::sampling::{SplitMix64, Weighted};
use crate::format;

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

/// Bounds on users and requests, so that the records fit in memory: a planned
/// request takes 8 bytes, a measured one 24.
const MAX_USERS: u32 = 1_000_000;
const MAX_REQUESTS: usize = 10_000_000;

/// The parameters of the traffic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Options {
    /// The number of users.
    pub users: u32,
    /// The number of requests in each phase.
    pub requests: usize,
    /// The exponent of Zipf's law over the users; 0: all users ask equally often.
    pub skew: f64,
    /// The number of wordings per intent: its first examples.
    pub wordings: usize,
    /// The seed of the random choices.
    pub seed: u64,
    /// The number of concurrent requests.
    pub concurrency: usize,
    /// The number of unrecorded requests, with the cache off, that warm up the
    /// source before each phase.
    pub warm_up: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            users: 200,
            requests: 20_000,
            skew: 1.0,
            wordings: 3,
            seed: 1,
            concurrency: 1,
            warm_up: 2_000,
        }
    }
}

impl Options {
    /// Checks the bounds of every option.
    ///
    /// # Errors
    /// The first option that is out of bounds.
    pub fn check(&self) -> Result<(), TrafficError> {
        check("users", self.users as usize, MAX_USERS as usize)?;
        check("requests", self.requests, MAX_REQUESTS)?;
        check("phrasings", self.wordings, usize::from(u16::MAX))?;
        check("concurrency", self.concurrency, 1_024)?;
        if !(0.0..=10.0).contains(&self.skew) {
            return Err(TrafficError::Skew(self.skew));
        }
        Ok(())
    }
}

/// The identifiers of the users, a prefix and a number from 1, and their role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Population {
    /// The start of every identifier.
    pub(crate) prefix: String,
    /// The number of digits that the number is padded to.
    pub(crate) digits: usize,
    /// The role of all users.
    pub(crate) role: String,
}

impl Default for Population {
    /// The demo data's beneficiaries, `BEN-000001` and so on.
    fn default() -> Self {
        Self {
            prefix: "BEN-".into(),
            digits: 6,
            role: "beneficiary".into(),
        }
    }
}

impl Population {
    /// The identifier of the user with this index, from 0.
    pub(crate) fn id(&self, index: u32) -> String {
        let number = u64::from(index) + 1;
        format!("{}{number:0width$}", self.prefix, width = self.digits)
    }
}

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

/// One request to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) user_id: String,
    pub(crate) role: &'a str,
    /// The intent that is meant. The router is not told; it detects the intent.
    pub(crate) intent: &'a str,
    pub(crate) message: &'a str,
}

/// User and message. Two requests with the same pair ask the same question, as
/// all users have one role.
pub(crate) type Question<'a> = (u32, &'a str);

/// A planned request: indices of its user, intent and wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RequestIndices {
    user: u32,
    intent: u16,
    wording: u16,
}

/// All requests of a run, in order. The same options, population and intents
/// yield the same requests.
#[derive(Clone, Debug)]
pub struct Traffic {
    options: Options,
    population: Population,
    intents: Vec<WeightedIntent>,
    plan: Vec<RequestIndices>,
}

/// Why traffic cannot be planned.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TrafficError {
    /// A count is 0 or above its bound.
    #[error("{what} must be from 1 to {max}, not {given}")]
    Count {
        /// The option.
        what: &'static str,
        /// Its upper bound.
        max: usize,
        /// The value given.
        given: usize,
    },
    /// The skew is out of bounds.
    #[error("skew must be from 0 to 10, not {0}")]
    Skew(f64),
    /// No intent of the catalogue has an example.
    #[error("no intent of the catalogue has examples; give some to at least one")]
    NothingToAsk,
}

impl Traffic {
    /// Plans traffic over the catalogue of a router, asked by the beneficiaries
    /// of the demo data.
    ///
    /// An example that the router's detector takes for another intent is left
    /// out: the run would measure an intent that it does not state.
    ///
    /// # Errors
    /// [`TrafficError`] if an option is out of bounds or no example is left.
    pub fn for_router(options: Options, router: &Router) -> Result<Self, TrafficError> {
        Self::new(options, Population::default(), asked_intents(router))
    }

    /// Plans the requests. Each has a user drawn by Zipf's law, an intent drawn
    /// by weight and a wording drawn uniformly, independently of each other.
    ///
    /// Intents without examples are left out. Those of [`MIX`] come first, so
    /// reordering a catalogue does not change the traffic.
    ///
    /// # Errors
    /// [`TrafficError`] if an option is out of bounds or there is nothing to
    /// ask.
    pub(crate) fn new(
        options: Options,
        population: Population,
        asked: Vec<AskedIntent>,
    ) -> Result<Self, TrafficError> {
        options.check()?;
        let intents = mix(asked, options.wordings);
        let weights = intents.iter().map(|intent| f64::from(intent.weight));
        let by_intent = Weighted::new(weights).ok_or(TrafficError::NothingToAsk)?;
        let by_user =
            Weighted::zipf(options.users, options.skew).ok_or(TrafficError::NothingToAsk)?;
        let mut random = SplitMix64::new(options.seed);
        let plan = (0..options.requests)
            .map(|_| {
                let user = by_user.sample(&mut random) as u32;
                let intent = by_intent.sample(&mut random);
                let wording = random.below(intents[intent].wordings.len());
                RequestIndices {
                    user,
                    intent: intent as u16,
                    wording: wording as u16,
                }
            })
            .collect();
        Ok(Self {
            options,
            population,
            intents,
            plan,
        })
    }

    /// The options of this traffic.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// The number of requests.
    pub(crate) fn len(&self) -> usize {
        self.plan.len()
    }

    /// The request at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub(crate) fn request(&self, index: usize) -> Request<'_> {
        let planned = self.plan[index];
        let intent = &self.intents[usize::from(planned.intent)];
        Request {
            user_id: self.population.id(planned.user),
            role: &self.population.role,
            intent: &intent.name,
            message: &intent.wordings[usize::from(planned.wording)],
        }
    }

    /// The question of the request at `index`, and the TTL of its answer.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub(crate) fn question(&self, index: usize) -> (Question<'_>, Duration) {
        let planned = self.plan[index];
        let intent = &self.intents[usize::from(planned.intent)];
        let message = &intent.wordings[usize::from(planned.wording)];
        ((planned.user, message), intent.ttl)
    }

    /// The description of the traffic, all of which follows from the plan.
    pub(crate) fn description(&self) -> TrafficDescription {
        let mut questions = HashSet::new();
        let mut entries = HashSet::new();
        for (index, planned) in self.plan.iter().enumerate() {
            let ((user, message), _) = self.question(index);
            let shared = self.intents[usize::from(planned.intent)].shared;
            questions.insert((user, message));
            entries.insert(((!shared).then_some(user), message));
        }
        TrafficDescription {
            options: self.options.clone(),
            think_time_seconds: 0.0,
            population: self.population.clone(),
            intents: self.intents.clone(),
            distinct_questions: questions.len(),
            repeated_percent: format::percent_of(self.len() - questions.len(), self.len()),
            ceiling_percent: format::percent_of(self.len() - entries.len(), self.len()),
        }
    }
}

/// The intents of a router's catalogue with the examples that its detector
/// takes for them.
fn asked_intents(router: &Router) -> Vec<AskedIntent> {
    let cache = router.cache();
    let understood = |example: &str, intent: &Intent| {
        let question = intent_router::Request::new(example, UserContext::guest());
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

fn check(what: &'static str, given: usize, max: usize) -> Result<(), TrafficError> {
    if (1..=max).contains(&given) {
        Ok(())
    } else {
        Err(TrafficError::Count { what, max, given })
    }
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

#[cfg(test)]
mod tests;
