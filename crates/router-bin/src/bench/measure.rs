//! What is recorded of each request, and the figures made of the records.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

pub(crate) use intent_router::OutcomeClass as Outcome;

use super::format::{as_micros, percent_of};
use super::traffic::Traffic;

/// What is known of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    /// What the cache did.
    pub(crate) outcome: Outcome,
    /// How many database queries it took.
    pub(crate) queries: u32,
}

/// The record of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Nanoseconds from the phase's beginning to the request's.
    pub(crate) started: u64,
    /// Nanoseconds from the request to its answer.
    pub(crate) latency: u64,
    /// What the cache did.
    pub(crate) outcome: Outcome,
    /// How many database queries it took.
    pub(crate) queries: u32,
}

impl Sample {
    /// The latency in microseconds.
    pub(crate) fn micros(&self) -> f64 {
        as_micros(Duration::from_nanos(self.latency))
    }
}

/// The records of one phase, in the order of the traffic.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phase {
    /// One record per request.
    pub(crate) samples: Vec<Sample>,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
}

/// Latencies in microseconds, exact: made of all samples, sorted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Distribution {
    /// How many samples.
    pub(crate) count: usize,
    /// Their arithmetic mean.
    pub(crate) mean: f64,
    /// The median, by the definition of [`percentile`].
    pub(crate) p50: f64,
    /// The 95th percentile.
    pub(crate) p95: f64,
    /// The 99th percentile.
    pub(crate) p99: f64,
    /// The largest.
    pub(crate) max: f64,
}

impl Distribution {
    /// The distribution of these latencies; `None` when there are none.
    pub(crate) fn of(latencies: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = latencies.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let max = *sorted.last()?;
        Some(Self {
            count: sorted.len(),
            mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
            p50: percentile(&sorted, 50),
            p95: percentile(&sorted, 95),
            p99: percentile(&sorted, 99),
            max,
        })
    }
}

/// The `percent`-th percentile by nearest rank: the smallest sample such that
/// at least `percent` per cent of the samples are not above it. It is always
/// one of the samples. 0 when there are none.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// How many requests the cache answered, and how many it did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// All requests.
    pub(crate) total: usize,
    /// Those answered from the cache.
    pub(crate) hit: usize,
    /// Those for which the cache had no answer.
    pub(crate) miss: usize,
    /// Those for which the cache was not asked.
    pub(crate) bypass: usize,
}

impl Counts {
    /// Counts these outcomes.
    pub(crate) fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            counts.total += 1;
            match outcome {
                Outcome::Hit => counts.hit += 1,
                Outcome::Miss => counts.miss += 1,
                Outcome::Bypass => counts.bypass += 1,
            }
        }
        counts
    }

    /// Hits in percent of all requests, bypasses included; 0 without requests.
    pub(crate) fn hit_rate(&self) -> f64 {
        percent_of(self.hit, self.total)
    }
}

/// Counts the repeated queries: the requests whose user, role and message
/// were the same as those of a request begun before, at most the class's TTL
/// earlier.
///
/// That is the definition of a question that a cache ought to answer. It
/// looks back to the last time the question was asked, the cache to the time
/// when its answer was fetched: where a run outlasts a TTL, a repeated query
/// may miss rightly.
pub(crate) fn repeated(traffic: &Traffic, phase: &Phase) -> Counts {
    let mut order: Vec<usize> = (0..phase.samples.len()).collect();
    // Workers overlap: what counts is when a request began. The sort is
    // stable, so simultaneous ones stay in the order of the traffic.
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

/// The hit rate in percent over each of `parts` equal stretches of the run;
/// fewer when there are fewer requests.
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
