//! Declared traffic: who asks what, in which words, how often.

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use super::declaration::Declaration;
use super::format;
use super::sampler::{SplitMix64, Weighted};

/// How often each built-in intent is asked, in parts of 100.
///
/// An assumption, not a measurement: people mostly ask what became of their
/// claim and where their money is. An intent that is not listed weighs
/// [`UNLISTED_WEIGHT`].
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

/// The weight of an intent that [`MIX`] does not name.
pub(crate) const UNLISTED_WEIGHT: u32 = 1;

/// The most users and requests that a run may declare, so that its records
/// fit in memory: a planned request takes 8 bytes, a measured one 24.
const MAX_USERS: u32 = 1_000_000;
const MAX_REQUESTS: usize = 10_000_000;

/// The numbers that a run is declared by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Options {
    /// How many different users ask.
    pub(crate) users: u32,
    /// How many requests are made in each phase.
    pub(crate) requests: usize,
    /// Zipf's exponent over the users: 0 when all ask equally often.
    pub(crate) skew: f64,
    /// How many wordings of each intent are in use: its first examples.
    pub(crate) wordings: usize,
    /// What the random choices start from.
    pub(crate) seed: u64,
    /// How many requests are under way at a time.
    pub(crate) concurrency: usize,
    /// How many requests, without cache and unrecorded, warm the source up
    /// before each phase.
    pub(crate) warm_up: usize,
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
    /// # Errors
    /// The first option that is out of bounds.
    pub(crate) fn check(&self) -> Result<(), TrafficError> {
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

/// What the users are called: a prefix and a number from 1, and their role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Population {
    /// What an identifier starts with.
    pub(crate) prefix: String,
    /// How many digits the number is padded to.
    pub(crate) digits: usize,
    /// The role in which all of them ask.
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

/// An intent that the traffic may ask about, as the catalogue has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedIntent {
    /// Its name.
    pub(crate) name: String,
    /// Its example wordings; the first ones are used.
    pub(crate) examples: Vec<String>,
    /// Whether one answer serves everybody (knowledge base) or one person.
    pub(crate) shared: bool,
    /// How long its answers stay fresh.
    pub(crate) ttl: Duration,
}

/// An intent with its share of the traffic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct MixedIntent {
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
    /// Who asks.
    pub(crate) user_id: String,
    /// In which role.
    pub(crate) role: &'a str,
    /// What is meant; the router is not told, it detects.
    pub(crate) intent: &'a str,
    /// What is said.
    pub(crate) message: &'a str,
}

/// What makes two requests the same question: the user and the message. The
/// role is one for all.
pub(crate) type Question<'a> = (u32, &'a str);

/// Indices of a request's user, intent and wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Planned {
    user: u32,
    intent: u16,
    wording: u16,
}

/// A run's requests, all of them, in order; the same for the same declaration.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    options: Options,
    population: Population,
    intents: Vec<MixedIntent>,
    plan: Vec<Planned>,
}

/// Why traffic cannot be made as declared.
#[derive(Clone, Debug, PartialEq, Error)]
pub(crate) enum TrafficError {
    /// A count is zero or beyond its bound.
    #[error("{what} must be from 1 to {max}, not {given}")]
    Count {
        /// Which option.
        what: &'static str,
        /// Its upper bound.
        max: usize,
        /// What was asked for.
        given: usize,
    },
    /// The skew is no exponent.
    #[error("skew must be from 0 to 10, not {0}")]
    Skew(f64),
    /// No intent of the catalogue has an example to ask with.
    #[error("no intent of the catalogue has examples; give some to at least one")]
    NothingToAsk,
}

impl Traffic {
    /// Plans the requests: each one's user by Zipf's law, its intent by the
    /// mix, its wording with equal chances, all independent of each other.
    ///
    /// Intents without examples are left out. Those of [`MIX`] come first, so
    /// that reordering a catalogue does not change the traffic.
    ///
    /// # Errors
    /// [`TrafficError`] when an option is out of bounds or there is nothing
    /// to ask.
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
                Planned {
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

    /// The numbers it was declared by.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    /// How many requests there are.
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

    /// What the request at `index` asks, and how long an answer stays fresh.
    ///
    /// # Panics
    /// When `index` is not below [`len`](Self::len).
    pub(crate) fn question(&self, index: usize) -> (Question<'_>, Duration) {
        let planned = self.plan[index];
        let intent = &self.intents[usize::from(planned.intent)];
        let message = &intent.wordings[usize::from(planned.wording)];
        ((planned.user, message), intent.ttl)
    }

    /// What can be said of the traffic before a request is made.
    pub(crate) fn declaration(&self) -> Declaration {
        let mut questions = HashSet::new();
        let mut entries = HashSet::new();
        for (index, planned) in self.plan.iter().enumerate() {
            let ((user, message), _) = self.question(index);
            let shared = self.intents[usize::from(planned.intent)].shared;
            questions.insert((user, message));
            entries.insert(((!shared).then_some(user), message));
        }
        Declaration {
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

fn check(what: &'static str, given: usize, max: usize) -> Result<(), TrafficError> {
    if (1..=max).contains(&given) {
        Ok(())
    } else {
        Err(TrafficError::Count { what, max, given })
    }
}

/// Gives every intent that can be asked its weight, the listed ones first.
pub(crate) fn mix(asked: Vec<AskedIntent>, wordings: usize) -> Vec<MixedIntent> {
    let listed = |name: &str| MIX.iter().position(|(listed, _)| *listed == name);
    let mut asked: Vec<AskedIntent> = asked
        .into_iter()
        .filter(|intent| !intent.examples.is_empty())
        .collect();
    // Indices of intents are kept in 16 bits.
    asked.truncate(usize::from(u16::MAX));
    asked.sort_by_key(|intent| listed(&intent.name).unwrap_or(MIX.len()));
    asked
        .into_iter()
        .map(|mut intent| {
            intent.examples.truncate(wordings);
            MixedIntent {
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
