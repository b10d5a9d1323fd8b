//! The metrics of a run: each phase's, and their comparison.

use serde::Serialize;

use super::description::TrafficDescription;
use super::measurement::{Counts, OutcomeClass, Phase, Sample, course, repeated};
use super::run::Run;
use super::traffic::Traffic;
use crate::Provenance;
use crate::distribution::Distribution;

/// The number of points of the hit rate over the run.
const COURSE_POINTS: usize = 100;

/// The version of the JSON document; raised if a member changes its meaning or
/// is removed.
const SCHEMA: u32 = 1;

/// All metrics of a run. Its JSON form is the output of `router bench --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    schema: u32,
    #[serde(flatten)]
    pub(crate) provenance: Provenance,
    pub(crate) traffic: TrafficDescription,
    pub(crate) cache_off: PhaseSummary,
    pub(crate) cache_on: PhaseSummary,
    pub(crate) comparison: Comparison,
    /// The hit rate in percent in equal parts of the phase with the cache on.
    pub(crate) hit_rate_course: Vec<f64>,
}

/// The metrics of one phase.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PhaseSummary {
    pub(crate) seconds: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) database_queries: u64,
    pub(crate) requests: Counts,
    /// Hits in percent of all requests, bypasses included.
    pub(crate) hit_rate: f64,
    /// Repeated queries by outcome.
    pub(crate) repeated: Counts,
    pub(crate) repeated_hit_rate: f64,
    pub(crate) latency_us: Latency,
}

/// Latencies of a phase, overall and by outcome; `None` for an outcome that did
/// not occur.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Latency {
    pub(crate) all: Option<Distribution>,
    pub(crate) hit: Option<Distribution>,
    pub(crate) miss: Option<Distribution>,
    pub(crate) bypass: Option<Distribution>,
}

/// The phase with the cache on compared with the one with the cache off.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Comparison {
    /// Latencies with the cache off of the requests that hit in the second phase.
    pub(crate) cached_requests_off: Option<Distribution>,
    /// Latencies of those requests with the cache on.
    pub(crate) cached_requests_on: Option<Distribution>,
    /// The reduction of their median latency in percent.
    pub(crate) cached_median_reduction_percent: f64,
    /// The reduction of the median latency of all requests in percent.
    pub(crate) median_reduction_percent: f64,
    /// The number of database queries saved; negative if there were more.
    pub(crate) queries_saved: i64,
    /// The same in percent of the queries with the cache off.
    pub(crate) queries_saved_percent: f64,
}

impl Summary {
    /// Computes the metrics.
    pub fn new(provenance: Provenance, traffic: &Traffic, run: &Run) -> Self {
        Self {
            schema: SCHEMA,
            provenance,
            traffic: traffic.description(),
            cache_off: PhaseSummary::new(traffic, &run.off),
            cache_on: PhaseSummary::new(traffic, &run.on),
            comparison: Comparison::new(&run.off, &run.on),
            hit_rate_course: course(&run.on, COURSE_POINTS),
        }
    }
}

impl PhaseSummary {
    fn new(traffic: &Traffic, phase: &Phase) -> Self {
        let requests = Counts::of(phase.samples.iter().map(|sample| sample.outcome));
        let repeated = repeated(traffic, phase);
        let seconds = phase.elapsed.as_secs_f64();
        Self {
            seconds,
            requests_per_second: if seconds > 0.0 {
                requests.total as f64 / seconds
            } else {
                0.0
            },
            database_queries: queries(phase),
            requests,
            hit_rate: requests.hit_rate(),
            repeated,
            repeated_hit_rate: repeated.hit_rate(),
            latency_us: Latency::new(phase),
        }
    }
}

impl Latency {
    fn new(phase: &Phase) -> Self {
        let of = |wanted: OutcomeClass| {
            let matching = phase
                .samples
                .iter()
                .filter(|sample| sample.outcome == wanted);
            Distribution::of(matching.map(Sample::micros))
        };
        Self {
            all: Distribution::of(phase.samples.iter().map(Sample::micros)),
            hit: of(OutcomeClass::Hit),
            miss: of(OutcomeClass::Miss),
            bypass: of(OutcomeClass::Bypass),
        }
    }
}

impl Comparison {
    fn new(off: &Phase, on: &Phase) -> Self {
        let pairs = || {
            off.samples
                .iter()
                .zip(&on.samples)
                .filter(|(_, on)| on.outcome == OutcomeClass::Hit)
        };
        let cached_requests_off = Distribution::of(pairs().map(|(off, _)| off.micros()));
        let cached_requests_on = Distribution::of(pairs().map(|(_, on)| on.micros()));
        let all_off = Distribution::of(off.samples.iter().map(Sample::micros));
        let all_on = Distribution::of(on.samples.iter().map(Sample::micros));
        let (before, after) = (queries(off), queries(on));
        Self {
            cached_median_reduction_percent: median_reduction(
                cached_requests_off,
                cached_requests_on,
            ),
            median_reduction_percent: median_reduction(all_off, all_on),
            cached_requests_off,
            cached_requests_on,
            queries_saved: before.saturating_sub(after) as i64
                - after.saturating_sub(before) as i64,
            queries_saved_percent: reduction(before as f64, after as f64),
        }
    }
}

fn queries(phase: &Phase) -> u64 {
    phase
        .samples
        .iter()
        .map(|sample| u64::from(sample.queries))
        .sum()
}

/// The reduction from `before` to `after` in percent; 0 if `before` is 0.
fn reduction(before: f64, after: f64) -> f64 {
    if before > 0.0 {
        (1.0 - after / before) * 100.0
    } else {
        0.0
    }
}

fn median_reduction(before: Option<Distribution>, after: Option<Distribution>) -> f64 {
    match (before, after) {
        (Some(before), Some(after)) => reduction(before.p50, after.p50),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests;
