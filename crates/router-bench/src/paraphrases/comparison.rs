//! Makes the same traffic with each key mode and compares the answers.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use indicatif::ProgressBar;
use intent_router::{Guard, KeyMode, Reading, Request, Routed, Router, UserContext};
use serde::Serialize;

use super::client::Client;
use super::plan::{Plan, PlannedRequest};
use crate::bench::Options;
use crate::bench::measurement::Counts;
use crate::progress;

/// The key modes compared and their names, the most exact one first.
pub const KEY_MODES: [(&str, KeyMode); 3] = [
    ("message", KeyMode::Message),
    ("normalised", KeyMode::Normalised),
    ("slots", KeyMode::Slots),
];

/// The outcome of the same traffic with each of [`KEY_MODES`].
#[derive(Debug)]
pub struct KeyModeComparison {
    pub(super) plan: Plan,
    /// In the order of [`KEY_MODES`].
    pub(super) results: Vec<KeyModeResult>,
    /// Requests whose message was kept as the key text, by guard.
    pub(super) guards: BTreeMap<&'static str, usize>,
}

/// The metrics of one key mode.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct KeyModeResult {
    /// All requests by outcome.
    pub(crate) requests: Counts,
    /// Hits in percent of all requests.
    pub(crate) hit_rate: f64,
    /// Requests that repeat a question, in any wording, by outcome.
    pub(crate) repeated: Counts,
    pub(crate) repeated_hit_rate: f64,
    /// The number of answers that differ from those without a cache.
    pub(crate) wrong: usize,
    pub(crate) database_queries: u64,
}

/// Makes the same traffic with each of `routers` and shows a progress bar.
///
/// They must have the modes of [`KEY_MODES`] in that order, each an enabled and
/// empty cache of its own, and the same source. `exact` is one more router, in
/// the mode `message`: it plans the traffic and answers without a cache, so that
/// the side stores of the routers measured stay empty until their turn.
///
/// # Errors
/// An option out of bounds, no intent to ask, the first failure of a router, or
/// a message that a router takes for another intent than planned.
pub async fn compare(
    options: Options,
    exact: &Router,
    routers: &[Arc<Router>; KEY_MODES.len()],
) -> anyhow::Result<KeyModeComparison> {
    let bar = progress::bar((2 + KEY_MODES.len()) * options.requests);
    let plan = Plan::new(options, exact, &bar).await?;
    let baseline = Baseline::of(exact, &plan, &bar).await?;
    let mut results = Vec::with_capacity(routers.len());
    let mut guards = BTreeMap::new();
    for (router, (name, _)) in routers.iter().zip(KEY_MODES) {
        bar.set_message(name);
        results.push(replay(router, &plan, &baseline, &bar).await?);
        let found = plan
            .requests()
            .iter()
            .filter_map(|request| guard(router, &plan, request));
        for guard in found {
            *guards.entry(guard.name()).or_default() += 1;
        }
    }
    bar.finish_and_clear();
    Ok(KeyModeComparison {
        plan,
        results,
        guards,
    })
}

/// Hashes of the answers to the plan's requests without a cache.
struct Baseline {
    hasher: RandomState,
    answers: Vec<u64>,
}

impl Baseline {
    /// Fetches the answer to every question of the plan once, bypassing the
    /// cache.
    ///
    /// # Errors
    /// As [`Client::ask`].
    async fn of(router: &Router, plan: &Plan, bar: &ProgressBar) -> anyhow::Result<Self> {
        bar.set_message("no cache");
        let hasher = RandomState::new();
        let client = Client::uncached(plan.population());
        let mut known = HashMap::new();
        let mut answers = Vec::with_capacity(plan.requests().len());
        for request in plan.requests() {
            let question = (request.user, request.message.as_str());
            let answer = match known.get(&question) {
                Some(answer) => *answer,
                None => {
                    let routed = client.ask(router, plan.question(request)).await?;
                    let answer = hash(&hasher, &routed);
                    known.insert(question, answer);
                    answer
                }
            };
            answers.push(answer);
            bar.inc(1);
        }
        Ok(Self { hasher, answers })
    }
}

/// Hashes an answer without its confidence and time stamp, which are those of
/// the message that it was first made for.
fn hash(hasher: &RandomState, routed: &Routed) -> u64 {
    let answer = &routed.answer;
    let data = answer.response().map(|response| response.data.to_string());
    hasher.hash_one((answer.source().as_str(), answer.intent(), data.ok()))
}

/// Makes the plan's requests with a router whose cache is empty.
///
/// # Errors
/// As [`Client::ask`].
async fn replay(
    router: &Router,
    plan: &Plan,
    baseline: &Baseline,
    bar: &ProgressBar,
) -> anyhow::Result<KeyModeResult> {
    let client = Client::cached(plan.population());
    let mut result = KeyModeResult::default();
    let mut outcomes = Vec::with_capacity(plan.requests().len());
    for (request, answer) in plan.requests().iter().zip(&baseline.answers) {
        let routed = client.ask(router, plan.question(request)).await?;
        result.database_queries += u64::from(routed.calls);
        result.wrong += usize::from(hash(&baseline.hasher, &routed) != *answer);
        outcomes.push((routed.cache.class(), request.repeats));
        bar.inc(1);
    }
    let repeated = outcomes.iter().filter(|(_, repeats)| *repeats);
    result.requests = Counts::of(outcomes.iter().map(|(outcome, _)| *outcome));
    result.hit_rate = result.requests.hit_rate();
    result.repeated = Counts::of(repeated.map(|(outcome, _)| *outcome));
    result.repeated_hit_rate = result.repeated.hit_rate();
    Ok(result)
}

/// The guard that keeps the message of a request as the key text, if one does.
fn guard(router: &Router, plan: &Plan, request: &PlannedRequest) -> Option<Guard> {
    let (user, name, message) = plan.question(request);
    let population = plan.population();
    let context = UserContext::new(&population.id(user), &population.role);
    let confidence = router.detect(&Request::new(message, context)).confidence;
    let catalogue = router.catalogue();
    let intent = catalogue.get(name)?;
    Reading::of(intent, catalogue, message, router.today(), confidence).guard()
}

#[cfg(test)]
mod tests;
