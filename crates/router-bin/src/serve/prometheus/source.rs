//! The metrics of the source of records.

use live_data::BreakerState;

use super::metric::{Metric, plain};
use crate::setup::SourceFigures;

/// What is counted.
pub(super) fn counters(source: &SourceFigures) -> Vec<Metric> {
    let guard = &source.guard;
    let labelled = |label: &'static str, counts: &[(&str, u64)]| {
        let value =
            |(name, count): &(&str, u64)| (vec![(label, (*name).to_owned())], *count as f64);
        counts.iter().map(value).collect()
    };
    vec![
        plain(
            "database_queries",
            "Database calls made",
            source.calls as f64,
        ),
        plain(
            "source_reopenings",
            "Database connections opened again, after a failure or because the file was replaced",
            source.reopened as f64,
        ),
        plain(
            "source_waits",
            "Calls of the source that got their turns",
            guard.granted as f64,
        ),
        plain(
            "source_wait_seconds",
            "Time that these calls waited for their turns, together",
            guard.waited.as_secs_f64(),
        ),
        Metric {
            name: "source_refusals",
            help: "Calls of the source that were not made, by reason",
            values: labelled(
                "reason",
                &[
                    ("queue_full", guard.refused_full),
                    ("max_wait", guard.refused_waited),
                    ("breaker_open", guard.refused_open),
                    ("intent_breaker_open", guard.refused_intent_open),
                ],
            ),
        },
        Metric {
            name: "source_breaker_openings",
            help: "Times that a circuit breaker opened, of the source or of an intent",
            values: labelled(
                "of",
                &[("source", guard.opened), ("intent", guard.opened_intents)],
            ),
        },
    ]
}

/// How things stand.
pub(super) fn gauges(source: &SourceFigures) -> Vec<Metric> {
    let guard = &source.guard;
    let state = match guard.breaker {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen => 1.0,
        BreakerState::Open => 2.0,
    };
    vec![
        plain(
            "source_breaker_state",
            "The source's circuit breaker: 0 closed, 1 half-open, 2 open",
            state,
        ),
        plain(
            "source_open_intents",
            "Intents whose own circuit breaker is not closed",
            guard.open_intents as f64,
        ),
        plain(
            "source_limit",
            "Calls of the source that may be under way",
            guard.limit as f64,
        ),
        plain(
            "source_in_flight",
            "Calls of the source under way",
            guard.in_flight as f64,
        ),
        plain(
            "source_waiting",
            "Calls that wait for their turns",
            guard.waiting as f64,
        ),
    ]
}
