//! `router bench --wordings`: how often each key mode finds an answer when people
//! ask the same things in many wordings.
//!
//! [`plan`] makes the requests up, this file makes them with each kind of key,
//! and [`summary`] shows what came of it. Every answer is compared with that of a
//! router without a cache: an answer that was shared wrongly would be told.

mod plan;
mod summary;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use anyhow::{Context, ensure};
use indicatif::ProgressBar;
use intent_router::{CacheUse, Guard, KeyMode, Reading, Request, Routed, Router, UserContext};

pub(crate) use plan::{Plan, Planned};
pub(crate) use summary::{Column, Summary};

use super::measure::Counts;
use super::traffic::Population;

/// The key modes compared, from the most exact one on.
pub(crate) const KEYS: [(&str, KeyMode); 3] = [
    ("message", KeyMode::Message),
    ("normalised", KeyMode::Normalised),
    ("slots", KeyMode::Slots),
];

/// Asks as one user of the population.
pub(crate) struct Asker<'a> {
    population: &'a Population,
    cache_use: CacheUse,
}

impl<'a> Asker<'a> {
    /// Requests that use the cache as the router does by default.
    pub(crate) fn cached(population: &'a Population) -> Self {
        let cache_use = CacheUse::default();
        Self {
            population,
            cache_use,
        }
    }

    /// Requests that neither take nor store an answer.
    pub(crate) fn uncached(population: &'a Population) -> Self {
        let cache_use = CacheUse::Forbidden;
        Self {
            population,
            cache_use,
        }
    }

    /// The answer to a message.
    ///
    /// # Errors
    /// What the router fails with, and an answer of another intent than `intent`.
    pub(crate) async fn ask(
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

/// What every request is answered without a cache, as hashes that tell different
/// answers apart; the same answers are looked up once.
pub(crate) struct Truth {
    hasher: RandomState,
    answers: Vec<u64>,
}

impl Truth {
    /// Makes the plan's requests without a cache.
    ///
    /// # Errors
    /// As for [`Asker::ask`].
    pub(crate) async fn of(
        router: &Router,
        plan: &Plan,
        bar: &ProgressBar,
    ) -> anyhow::Result<Self> {
        bar.set_message("no cache");
        let hasher = RandomState::new();
        let asker = Asker::uncached(plan.population());
        let mut known = HashMap::new();
        let mut answers = Vec::with_capacity(plan.requests().len());
        for request in plan.requests() {
            let question = (request.user, request.message.as_str());
            let answer = match known.get(&question) {
                Some(answer) => *answer,
                None => {
                    let routed = asker.ask(router, plan.question(request)).await?;
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

/// All of an answer but its confidence and its time stamp: those are of the
/// message that it was first made for.
fn hash(hasher: &RandomState, routed: &Routed) -> u64 {
    let answer = &routed.answer;
    let data = answer.response().map(|response| response.data.to_string());
    hasher.hash_one((answer.source().as_str(), answer.intent(), data.ok()))
}

/// Makes the plan's requests by a router whose cache is empty.
///
/// # Errors
/// As for [`Asker::ask`].
pub(crate) async fn column(
    router: &Router,
    plan: &Plan,
    truth: &Truth,
    bar: &ProgressBar,
) -> anyhow::Result<Column> {
    let asker = Asker::cached(plan.population());
    let mut column = Column::default();
    let mut outcomes = Vec::with_capacity(plan.requests().len());
    for (request, answer) in plan.requests().iter().zip(&truth.answers) {
        let routed = asker.ask(router, plan.question(request)).await?;
        column.database_queries += u64::from(routed.calls);
        column.wrong += usize::from(hash(&truth.hasher, &routed) != *answer);
        outcomes.push((routed.cache.class(), request.repeats));
        bar.inc(1);
    }
    let repeated = outcomes.iter().filter(|(_, repeats)| *repeats);
    column.requests = Counts::of(outcomes.iter().map(|(outcome, _)| *outcome));
    column.hit_rate = column.requests.hit_rate();
    column.repeated = Counts::of(repeated.map(|(outcome, _)| *outcome));
    column.repeated_hit_rate = column.repeated.hit_rate();
    Ok(column)
}

/// Why the slots of a request do not stand for its message, if they do not.
pub(crate) fn guard(router: &Router, plan: &Plan, request: &Planned) -> Option<Guard> {
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
