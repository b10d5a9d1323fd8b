//! The metrics of cache-aside.

use super::metric::{Metric, by_result, plain};
use crate::serve::cache_aside::Counts;

pub(super) fn counters(counts: &Counts) -> Vec<Metric> {
    let by = |name, help, counts: &[(&'static str, u64)]| Metric {
        name,
        help,
        values: by_result(counts.iter().copied()),
    };
    vec![
        by(
            "cache_aside_lookups",
            "Look-ups of /v1/cache/lookup, by result",
            &counts.looked,
        ),
        by(
            "cache_aside_permits_ended",
            "Permits of callers, by how they ended",
            &counts.ended,
        ),
        plain(
            "cache_aside_refused",
            "Look-ups that got no permit because too many are held or waited for",
            counts.no_room as f64,
        ),
        plain(
            "cache_aside_unknown_permits",
            "Fills, failures and releases without a valid permit",
            counts.unknown_permit as f64,
        ),
    ]
}

pub(super) fn gauges(counts: &Counts) -> Vec<Metric> {
    vec![plain(
        "cache_aside_permits",
        "Permits that callers hold",
        counts.open as f64,
    )]
}
