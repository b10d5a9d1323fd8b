//! The traffic in words and figures, for the help, the table, the report and JSON.

use std::fmt;

use serde::Serialize;

use super::intents::{MIX, UNLISTED_WEIGHT, WeightedIntent};
use super::options::Options;
use super::population::Population;
use crate::format;

/// The description of a run's traffic. Its JSON form is the member `traffic` of
/// `router bench --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TrafficDescription {
    #[serde(flatten)]
    pub(crate) options: Options,
    /// The pause between an answer and the next request; always 0.
    pub(crate) think_time_seconds: f64,
    pub(crate) population: Population,
    pub(crate) intents: Vec<WeightedIntent>,
    /// The number of distinct pairs of user and message.
    pub(crate) distinct_questions: usize,
    /// The percentage of requests that repeat an earlier one of the same user.
    pub(crate) repeated_percent: f64,
    /// The hit rate of an unbounded cache without expiry that keys by message and
    /// shares the answers of shared intents among all users.
    pub(crate) ceiling_percent: f64,
}

impl TrafficDescription {
    /// The description as sentences.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let options = &self.options;
        let population = &self.population;
        let last = options.users.saturating_sub(1);
        vec![
            format!(
                "{} requests of {} users ({} to {}, role {}), drawn by Zipf's law with skew {}; seed {}.",
                format::count(options.requests as u64),
                format::count(u64::from(options.users)),
                population.id(0),
                population.id(last),
                population.role,
                options.skew,
                options.seed,
            ),
            format!("Intents by weight: {}.", self.mix()),
            format!(
                "Wordings: the first {} of each intent's examples, equally likely.",
                options.wordings
            ),
            format!(
                "{} at a time, think time 0. Before each phase the cache is emptied and the source warmed up by the first {} requests without cache, unrecorded.",
                options.concurrency,
                format::count(options.warm_up.min(options.requests) as u64),
            ),
            format!(
                "{} different questions: {} of the requests repeat one of the same user; a cache without bound or expiry, keyed by message, would hit {}.",
                format::count(self.distinct_questions as u64),
                format::percent(self.repeated_percent),
                format::percent(self.ceiling_percent),
            ),
        ]
    }

    /// The weights, as `claim_status 24, payment_status 20`.
    fn mix(&self) -> String {
        let parts: Vec<String> = self
            .intents
            .iter()
            .map(|intent| format!("{} {}", intent.name, intent.weight))
            .collect();
        parts.join(", ")
    }
}

impl fmt::Display for TrafficDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in self.sentences() {
            writeln!(f, "{sentence}")?;
        }
        Ok(())
    }
}

/// The default traffic in words, for the help of `router bench`.
pub fn traffic_help() -> String {
    let defaults = Options::default();
    let weights: Vec<String> = MIX
        .iter()
        .map(|(name, weight)| format!("{name} {weight}"))
        .collect();
    format!(
        "Traffic: each request's user is drawn by Zipf's law over --users (default {}) with \
         exponent --skew (default {}); its intent by weight ({}; any other {}); its wording, with \
         equal chances, among the first --phrasings (default {}) examples of the intent. Think \
         time is 0. The same {} requests (--requests) are made with the cache off, then on, \
         against the same source; before each phase the cache is emptied and the source warmed \
         up by the first {} of them, without cache and unrecorded. The same --seed gives the \
         same requests. With --wordings other traffic is made, one request at a time: each \
         message in one of many wordings and spellings, some about a record or a period, once for \
         each key mode.",
        defaults.users,
        defaults.skew,
        weights.join(", "),
        UNLISTED_WEIGHT,
        defaults.wordings,
        defaults.requests,
        defaults.warm_up,
    )
}
