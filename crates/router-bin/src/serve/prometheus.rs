//! `GET /metrics`: the statistics in the OpenMetrics text format that
//! Prometheus scrapes. Labels come from the configuration only (classes) or
//! from the code (outcomes), so their number is bounded.

mod cache_aside;
mod changes;
mod metric;
mod source;

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cache_core::Stats;
use http::{StatusCode, header};
use intent_router::OutcomeClass;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use self::metric::{Metric, NoLabels, by_result, plain};
use super::app::App;
use super::metrics::{Refreshes, Snapshot};
use super::problem::Problem;
use crate::changes::ChangeFigures;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the latency buckets, in microseconds; one more holds the rest.
const BOUNDS_US: [u64; 14] = [
    25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000,
    5_000_000,
];

/// The figures of one scrape.
#[derive(Debug)]
struct Scrape {
    counters: Vec<Metric>,
    gauges: Vec<Metric>,
    latencies: Vec<LatencyHistogram>,
    changes: Option<ChangeFigures>,
}

#[derive(Debug)]
struct LatencyHistogram {
    outcome: &'static str,
    count: u64,
    sum_seconds: f64,
    buckets: Vec<(f64, u64)>,
}

fn requests(snapshot: &Snapshot) -> Metric {
    let labelled = |class: OutcomeClass| {
        let label = vec![("outcome", class.as_str().to_owned())];
        (label, snapshot.requests(class) as f64)
    };
    Metric {
        name: "requests",
        help: "Requests answered",
        values: OutcomeClass::ALL.map(labelled).into(),
    }
}

impl Scrape {
    fn of(app: &App) -> Self {
        let stats = app.cache().stats();
        let snapshot = app.metrics().snapshot();
        let enabled = f64::from(app.cache().is_enabled());
        let source = app.source();
        let mut counters = counters(app, &stats, &snapshot);
        counters.extend(source::counters(&source));
        let aside = app.cache_aside().counts();
        counters.extend(cache_aside::counters(&aside));
        let changes = app.changes().map(|changes| changes.figures());
        counters.extend(changes.iter().flat_map(changes::counters));
        let mut gauges = source::gauges(&source);
        gauges.extend(cache_aside::gauges(&aside));
        gauges.extend(changes.as_ref().map(changes::live));
        gauges.extend(vec![
            plain("cache_entries", "Live answers stored", stats.entries as f64),
            plain(
                "cache_weight",
                "Weight of the stored answers, in the unit of the capacity",
                stats.weight as f64,
            ),
            plain(
                "cache_capacity",
                "Largest weight of the stored answers",
                stats.capacity as f64,
            ),
            plain(
                "reload_failing",
                "1 if the last reload failed",
                f64::from(snapshot.reloads.is_failing),
            ),
            plain(
                "loaded_timestamp_seconds",
                "Unix time at which the current catalogue and detector were loaded",
                unix_seconds(snapshot.reloads.loaded_at),
            ),
            plain("caching_enabled", "1 while caching is on", enabled),
            plain(
                "uptime_seconds",
                "Time since the service started",
                snapshot.uptime.as_secs_f64(),
            ),
        ]);
        Self {
            counters,
            gauges,
            latencies: OutcomeClass::ALL
                .map(|class| latency(&snapshot, class))
                .into(),
            changes,
        }
    }
}

fn unix_seconds(at: SystemTime) -> f64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64()
}

fn counters(app: &App, stats: &Stats, snapshot: &Snapshot) -> Vec<Metric> {
    let by_class = |name, help, value: fn(&cache_core::ClassStats) -> u64| Metric {
        name,
        help,
        values: stats
            .classes
            .iter()
            .map(|class| (vec![("class", class.name.to_string())], value(class) as f64))
            .collect(),
    };
    vec![
        requests(snapshot),
        plain(
            "requests_failed",
            "Requests that could not be answered",
            snapshot.failed as f64,
        ),
        plain(
            "database_queries_saved",
            "Database calls saved by hits",
            snapshot.queries_saved as f64,
        ),
        plain(
            "log_lines_dropped",
            "Lines of the log that were dropped because it is not read fast enough",
            app.dropped_lines() as f64,
        ),
        plain(
            "audit_failures",
            "Entries of the audit log that could not be written",
            app.audit().failures() as f64,
        ),
        Metric {
            name: "callers_refused",
            help: "Callers that were refused, by the code of the problem",
            values: refusals(app),
        },
        Metric {
            name: "reloads",
            help: "Reloads that found a change or failed, by result",
            values: by_result([
                ("reloaded", snapshot.reloads.reloaded),
                ("failed", snapshot.reloads.failed),
            ]),
        },
        Metric {
            name: "refreshes",
            help: "Background refreshes of stored answers, by result",
            values: by_refresh_result(&snapshot.refreshes),
        },
        by_class(
            "cache_hits",
            "Lookups that found an answer, stale and negative ones included",
            |s| s.hits,
        ),
        by_class("cache_misses", "Lookups that found no answer", |s| s.misses),
        by_class("cache_stale", "Hits on an answer past its TTL", |s| s.stale),
        by_class(
            "cache_negative",
            "Hits on the stored absence of a member",
            |s| s.negative,
        ),
        by_class(
            "cache_early_refreshes",
            "Hits that refreshed an answer before the end of its TTL",
            |s| s.early_refreshes,
        ),
        by_class(
            "cache_expirations",
            "Answers removed because their TTL had passed",
            |s| s.expirations,
        ),
        by_class("cache_evictions", "Answers removed to make room", |s| {
            s.evictions
        }),
        by_class(
            "cache_invalidations",
            "Answers removed by an invalidation",
            |s| s.invalidations,
        ),
        plain(
            "cache_coalesced",
            "Lookups served by another request's fill",
            stats.coalesced as f64,
        ),
        plain(
            "cache_refused_fills",
            "Fills refused because of an invalidation since their start",
            stats.refused_fills as f64,
        ),
        plain(
            "cache_failed_fills",
            "Fills that failed at the source, whether or not a stale answer was served",
            stats.failed_fills as f64,
        ),
    ]
}

fn refusals(app: &App) -> Vec<(Vec<(&'static str, String)>, f64)> {
    let refusals = app.metrics().refusals().into_iter();
    refusals
        .map(|(code, count)| (vec![("code", code.to_owned())], count as f64))
        .collect()
}

fn by_refresh_result(refreshes: &Refreshes) -> Vec<(Vec<(&'static str, String)>, f64)> {
    by_result([
        ("stored", refreshes.stored),
        ("not_stored", refreshes.not_stored),
        ("failed", refreshes.failed),
        ("skipped", refreshes.skipped),
    ])
}

fn latency(snapshot: &Snapshot, class: OutcomeClass) -> LatencyHistogram {
    let histogram = snapshot.buckets(class, &BOUNDS_US);
    let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6);
    LatencyHistogram {
        outcome: class.as_str(),
        count: histogram.count,
        sum_seconds: histogram.sum_us as f64 / 1e6,
        buckets: bounds
            .chain([f64::INFINITY])
            .zip(histogram.buckets)
            .collect(),
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for metric in &self.counters {
            let mut encoder =
                encoder.encode_descriptor(metric.name, metric.help, None, MetricType::Counter)?;
            for (labels, value) in &metric.values {
                let mut encoder = encoder.encode_family(labels)?;
                encoder.encode_counter::<NoLabels, _, f64>(value, None)?;
            }
        }
        for metric in &self.gauges {
            let mut encoder =
                encoder.encode_descriptor(metric.name, metric.help, None, MetricType::Gauge)?;
            encoder.encode_gauge(&metric.values[0].1)?;
        }
        if let Some(figures) = &self.changes {
            changes::encode_lag(figures, &mut encoder)?;
        }
        let mut encoder = encoder.encode_descriptor(
            "request_duration",
            "Time to answer a request",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for latency in &self.latencies {
            let labels = [("outcome", latency.outcome)];
            let mut encoder = encoder.encode_family(&labels)?;
            let (sum, count) = (latency.sum_seconds, latency.count);
            encoder.encode_histogram::<NoLabels>(sum, count, &latency.buckets, None)?;
        }
        Ok(())
    }
}

/// Responds with the current metrics.
pub(crate) async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let mut registry = Registry::with_prefix("router");
    registry.register_collector(Box::new(Scrape::of(&app)));
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(|error| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            format!("the metrics could not be written: {error}"),
        )
    })?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response())
}
