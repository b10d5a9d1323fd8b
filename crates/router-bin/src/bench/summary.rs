//! A run's figures: each phase's, and one held against the other.

use serde::Serialize;

use super::declaration::Declaration;
use super::measure::{Counts, Distribution, Outcome, Phase, Sample, course, repeated};
use super::run::Run;
use super::traffic::Traffic;

/// How many points the course of the hit rate has.
const COURSE_POINTS: usize = 100;

/// The version of the JSON document's shape; raised when a member changes its
/// meaning or goes.
const SCHEMA: u32 = 1;

/// Where and how a run was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Facts {
    /// The program's version.
    pub(crate) version: String,
    /// When the run ended, RFC 3339 in UTC.
    pub(crate) date: String,
    /// The command that repeats it.
    pub(crate) command: String,
    /// What was asked, such as `embedded SQLite, demo data`; never a URL with
    /// a password in it.
    pub(crate) source: String,
}

impl Facts {
    /// The facts of a run that has just ended.
    pub(crate) fn now(command: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            date: humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string(),
            command: command.into(),
            source: source.into(),
        }
    }
}

/// Everything that is told of a run; `--json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    schema: u32,
    #[serde(flatten)]
    pub(crate) facts: Facts,
    pub(crate) traffic: Declaration,
    pub(crate) cache_off: PhaseSummary,
    pub(crate) cache_on: PhaseSummary,
    pub(crate) comparison: Comparison,
    /// The hit rate in percent over the run with the cache, in equal
    /// stretches of requests.
    pub(crate) hit_rate_course: Vec<f64>,
}

/// One phase's figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct PhaseSummary {
    pub(crate) seconds: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) database_queries: u64,
    pub(crate) requests: Counts,
    /// Hits in percent of all requests, bypasses included.
    pub(crate) hit_rate: f64,
    /// The same over repeated queries only.
    pub(crate) repeated: Counts,
    pub(crate) repeated_hit_rate: f64,
    pub(crate) latency_us: Latency,
}

/// Latencies of a phase, of all its requests and by outcome; `None` for an
/// outcome that did not occur.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Latency {
    pub(crate) all: Option<Distribution>,
    pub(crate) hit: Option<Distribution>,
    pub(crate) miss: Option<Distribution>,
    pub(crate) bypass: Option<Distribution>,
}

/// The phase with the cache held against the one without.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Comparison {
    /// The requests that the cache answered, as they were in each phase:
    /// pairs of the same requests.
    pub(crate) cached_requests_off: Option<Distribution>,
    pub(crate) cached_requests_on: Option<Distribution>,
    /// By how many per cent the median latency of those requests fell.
    pub(crate) cached_median_reduction_percent: f64,
    /// By how many per cent the median latency of all requests fell.
    pub(crate) median_reduction_percent: f64,
    /// How many database queries fewer; negative if there were more.
    pub(crate) queries_saved: i64,
    /// The same in per cent of those without cache.
    pub(crate) queries_saved_percent: f64,
}

impl Summary {
    /// Works the figures out.
    pub(crate) fn new(facts: Facts, traffic: &Traffic, run: &Run) -> Self {
        Self {
            schema: SCHEMA,
            facts,
            traffic: traffic.declaration(),
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
        let of = |wanted: Outcome| {
            let matching = phase
                .samples
                .iter()
                .filter(|sample| sample.outcome == wanted);
            Distribution::of(matching.map(Sample::micros))
        };
        Self {
            all: Distribution::of(phase.samples.iter().map(Sample::micros)),
            hit: of(Outcome::Hit),
            miss: of(Outcome::Miss),
            bypass: of(Outcome::Bypass),
        }
    }
}

impl Comparison {
    fn new(off: &Phase, on: &Phase) -> Self {
        let pairs = || {
            off.samples
                .iter()
                .zip(&on.samples)
                .filter(|(_, on)| on.outcome == Outcome::Hit)
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

/// By how many per cent `after` is below `before`; 0 when there was nothing.
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
