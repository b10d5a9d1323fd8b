//! One record a request, and the counts computed from the records.

use std::collections::HashMap;
use std::time::Duration;

pub(crate) use intent_router::OutcomeClass;
use serde::Serialize;

use super::traffic::Traffic;
use crate::format::{as_micros, percent_of};

/// The result of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    /// What the cache did.
    pub(crate) outcome: OutcomeClass,
    /// The number of database queries.
    pub(crate) queries: u32,
}

/// The record of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Nanoseconds from the start of the phase to the start of the request.
    pub(crate) started: u64,
    /// Nanoseconds from the request to its answer.
    pub(crate) latency: u64,
    /// What the cache did.
    pub(crate) outcome: OutcomeClass,
    /// The number of database queries.
    pub(crate) queries: u32,
}

impl Sample {
    /// The latency in microseconds.
    pub(crate) fn micros(&self) -> f64 {
        as_micros(Duration::from_nanos(self.latency))
    }
}

/// The records of one phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phase {
    /// One record a request, in the order of the traffic.
    pub(crate) samples: Vec<Sample>,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
}

/// Requests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// All requests.
    pub(crate) total: usize,
    /// Answered from the cache.
    pub(crate) hit: usize,
    /// Looked up and not found in the cache.
    pub(crate) miss: usize,
    /// Not looked up in the cache.
    pub(crate) bypass: usize,
}

impl Counts {
    /// Counts these outcomes.
    pub(crate) fn of(outcomes: impl IntoIterator<Item = OutcomeClass>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            counts.total += 1;
            match outcome {
                OutcomeClass::Hit => counts.hit += 1,
                OutcomeClass::Miss => counts.miss += 1,
                OutcomeClass::Bypass => counts.bypass += 1,
            }
        }
        counts
    }

    /// Hits in percent of all requests, bypasses included; 0 without requests.
    pub(crate) fn hit_rate(&self) -> f64 {
        percent_of(self.hit, self.total)
    }
}

/// Counts the repeated queries: requests whose user, role and message equal
/// those of a request that started at most one TTL of the class earlier.
///
/// A cache should answer these. The TTL counts from the previous request here,
/// but from the fetch of the answer in the cache, so in a run longer than a TTL
/// a repeated query can miss.
pub(crate) fn repeated(traffic: &Traffic, phase: &Phase) -> Counts {
    let mut order: Vec<usize> = (0..phase.samples.len()).collect();
    // Workers overlap, so requests are sorted by their start. The sort is
    // stable: simultaneous requests keep the order of the traffic.
    order.sort_by_key(|&index| phase.samples[index].started);
    let mut last_asked = HashMap::new();
    let outcomes = order.into_iter().filter_map(|index| {
        let sample = &phase.samples[index];
        let (question, ttl) = traffic.question(index);
        let before: u64 = last_asked.insert(question, sample.started)?;
        let since = Duration::from_nanos(sample.started - before);
        (since <= ttl).then_some(sample.outcome)
    });
    Counts::of(outcomes)
}

/// The hit rate in percent in each of `parts` equal parts of the run; fewer
/// parts if there are fewer requests.
pub(crate) fn course(phase: &Phase, parts: usize) -> Vec<f64> {
    let length = phase.samples.len().div_ceil(parts.max(1)).max(1);
    phase
        .samples
        .chunks(length)
        .map(|part| Counts::of(part.iter().map(|sample| sample.outcome)).hit_rate())
        .collect()
}

#[cfg(test)]
mod tests;
