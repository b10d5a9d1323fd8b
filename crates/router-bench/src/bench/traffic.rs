//! The requests of a run, planned from a few options and a seed.

use std::collections::HashSet;
use std::time::Duration;

use intent_router::Router;

use super::description::TrafficDescription;
use super::intents::{AskedIntent, WeightedIntent, asked_intents, mix};
use super::options::{Options, TrafficError};
use super::population::Population;
use super::sampling::{SplitMix64, Weighted};
use crate::format;

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
    /// Intents without examples are left out. Those of [`MIX`](super::intents::MIX) come first, so
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

#[cfg(test)]
mod tests;
