use std::time::Duration;

use super::Summary;
use crate::Provenance;
use crate::bench::measurement::{OutcomeClass, Phase, Sample};
use crate::bench::options::Options;
use crate::bench::run::Run;
use crate::bench::test_support::traffic;

fn phase(records: &[(u64, OutcomeClass, u32)]) -> Phase {
    Phase {
        samples: records
            .iter()
            .map(|&(micros, outcome, queries)| Sample {
                started: 0,
                latency: micros * 1_000,
                outcome,
                queries,
            })
            .collect(),
        elapsed: Duration::from_millis(500),
    }
}

fn summary(off: Phase, on: Phase) -> Summary {
    let traffic = traffic(Options {
        users: 1,
        requests: off.samples.len().max(1),
        ..Options::default()
    });
    let provenance = Provenance::now("router bench", "a source");
    Summary::new(provenance, &traffic, &Run { off, on })
}

#[test]
fn cached_requests_are_held_against_themselves() {
    use OutcomeClass::{Bypass, Hit, Miss};
    let off = phase(&[
        (900, Bypass, 3),
        (910, Bypass, 3),
        (920, Bypass, 3),
        (100, Bypass, 2),
        (200, Bypass, 2),
        (300, Bypass, 2),
    ]);
    let on = phase(&[
        (950, Miss, 3),
        (960, Miss, 3),
        (970, Miss, 3),
        (10, Hit, 0),
        (20, Hit, 0),
        (30, Hit, 0),
    ]);
    let summary = summary(off, on);
    let compared = &summary.comparison;
    // Only the last three were cached: 200 against 20.
    assert_eq!(compared.cached_requests_off.map(|d| d.p50), Some(200.0));
    assert_eq!(compared.cached_requests_on.map(|d| d.p50), Some(20.0));
    assert_eq!(compared.cached_median_reduction_percent, 90.0);
    assert_eq!(compared.queries_saved, 6);
    assert!((compared.queries_saved_percent - 600.0 / 15.0).abs() < 1e-9);
    assert_eq!(summary.cache_on.hit_rate, 50.0);
    assert_eq!(summary.cache_on.requests_per_second, 12.0);
    assert_eq!(summary.cache_off.latency_us.hit, None);
    assert_eq!(summary.cache_on.latency_us.miss.map(|d| d.max), Some(970.0));
}

#[test]
fn a_cache_that_costs_queries_is_told_so() {
    let off = phase(&[(10, OutcomeClass::Bypass, 1)]);
    let on = phase(&[(20, OutcomeClass::Miss, 3)]);
    let compared = summary(off, on).comparison;
    assert_eq!(compared.queries_saved, -2);
    assert_eq!(compared.queries_saved_percent, -200.0);
    assert_eq!(compared.median_reduction_percent, -100.0);
    assert_eq!(compared.cached_median_reduction_percent, 0.0);
}

#[test]
fn the_json_document_has_its_documented_members() {
    let off = phase(&[(10, OutcomeClass::Bypass, 1)]);
    let on = phase(&[(20, OutcomeClass::Miss, 1)]);
    let document = serde_json::to_value(summary(off, on)).expect("it has string keys only");
    for member in [
        "/schema",
        "/version",
        "/date",
        "/command",
        "/source",
        "/traffic/users",
        "/traffic/intents/0/ttl_seconds",
        "/traffic/repeated_percent",
        "/traffic/ceiling_percent",
        "/cache_off/latency_us/all/p50",
        "/cache_on/latency_us/hit",
        "/cache_on/requests/bypass",
        "/cache_on/repeated/total",
        "/cache_on/repeated_hit_rate",
        "/cache_on/database_queries",
        "/comparison/cached_requests_on",
        "/comparison/cached_median_reduction_percent",
        "/comparison/queries_saved_percent",
        "/hit_rate_course/0",
    ] {
        assert!(document.pointer(member).is_some(), "{member}");
    }
}
