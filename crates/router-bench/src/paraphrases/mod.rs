//! `router bench --wordings`: the hit rate of each key mode on traffic that asks
//! the same questions in many wordings.
//!
//! [`plan`] plans the requests, [`compare`] makes them with each key mode, and
//! [`ParaphraseSummary`] renders the result. Every answer is compared with the
//! answer of a router without a cache, so an answer shared wrongly is counted.

mod plan;
mod summary;

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use intent_router::{CacheUse, Guard, KeyMode, Reading, Request, Routed, Router, UserContext};

use crate::bench::Options;
use crate::bench::measurement::Counts;
use crate::bench::traffic::Population;
use crate::progress;
use plan::{Plan, PlannedRequest};
use summary::KeyModeResult;

pub use summary::ParaphraseSummary;

/// The key modes compared and their names, the most exact one first.
pub const KEY_MODES: [(&str, KeyMode); 3] = [
    ("message", KeyMode::Message),
    ("normalised", KeyMode::Normalised),
    ("slots", KeyMode::Slots),
];

/// The outcome of the same traffic with each of [`KEY_MODES`].
#[derive(Debug)]
pub struct KeyModeComparison {
    plan: Plan,
    /// In the order of [`KEY_MODES`].
    results: Vec<KeyModeResult>,
    /// Requests whose message was kept as the key text, by guard.
    guards: BTreeMap<&'static str, usize>,
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

/// Asks as a user of the population.
struct Client<'a> {
    population: &'a Population,
    cache_use: CacheUse,
}

impl<'a> Client<'a> {
    /// A client whose requests use the cache.
    fn cached(population: &'a Population) -> Self {
        Self {
            population,
            cache_use: CacheUse::default(),
        }
    }

    /// A client whose requests bypass the cache.
    fn uncached(population: &'a Population) -> Self {
        Self {
            population,
            cache_use: CacheUse::Forbidden,
        }
    }

    /// The answer to a message of a user, which must be of `intent`.
    ///
    /// # Errors
    /// A failure of the router, or an answer of another intent.
    async fn ask(
        &self,
        router: &Router,
        (user, intent, message): (u32, &str, &str),
    ) -> anyhow::Result<Routed> {
        let user = self.population.id(user);
        let context = UserContext::new(&user, &self.population.role);
        let mut request = Request::new(message, context);
        request.cache_use = self.cache_use;
        let routed = router.route(&request).await;
        let routed = routed.with_context(|| format!("{message:?} by {user} failed"))?;
        let taken_for = routed.answer.intent();
        ensure!(
            taken_for == intent,
            "{message:?} was taken for {taken_for}, not {intent}: the bench would measure something else"
        );
        Ok(routed)
    }
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
