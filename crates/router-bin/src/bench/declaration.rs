//! What is told of the traffic: in the help, the table, the report, the JSON.

use std::fmt;

use serde::Serialize;

use super::format;
use super::traffic::{MIX, MixedIntent, Options, Population, UNLISTED_WEIGHT};

/// The traffic in words and figures, as the table, the report and the JSON
/// document state it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Declaration {
    #[serde(flatten)]
    pub(crate) options: Options,
    /// The pause between an answer and the next request.
    pub(crate) think_time_seconds: f64,
    pub(crate) population: Population,
    pub(crate) intents: Vec<MixedIntent>,
    /// How many different pairs of user and message occur.
    pub(crate) distinct_questions: usize,
    /// The share of requests whose user asked the same before.
    pub(crate) repeated_percent: f64,
    /// The hit rate that a cache without bound and expiry would reach, with
    /// one entry a message, shared by all users where the intent is shared.
    pub(crate) ceiling_percent: f64,
}

impl Declaration {
    /// The declaration as sentences.
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

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in self.sentences() {
            writeln!(f, "{sentence}")?;
        }
        Ok(())
    }
}

/// The default traffic in words, for the command's help.
pub(crate) fn help() -> String {
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
