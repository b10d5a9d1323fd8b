//! The metrics of the changes of the database.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::metric::{Metric, NoLabels, plain};
use crate::changes::{ChangeFigures, LAG_BOUNDS_MS};

/// What is counted. Tables that the catalogue does not declare share a label.
pub(super) fn counters(figures: &ChangeFigures) -> Vec<Metric> {
    let changes = figures.changes.iter();
    let gaps = figures.gaps.iter();
    vec![
        Metric {
            name: "changes",
            help: "Changes of the database seen, by table",
            values: changes
                .map(|(table, count)| (vec![("table", table.clone())], *count as f64))
                .collect(),
        },
        Metric {
            name: "change_gaps",
            help: "Times that changes may have been missed, by reason",
            values: gaps
                .map(|(reason, count)| (vec![("reason", (*reason).to_owned())], *count as f64))
                .collect(),
        },
    ]
}

/// Whether changes are applied in time.
pub(super) fn live(figures: &ChangeFigures) -> Metric {
    let help = "1 while changes of the database are applied in time";
    plain("changes_live", help, f64::from(figures.live))
}

/// Writes the histogram of the lag.
pub(super) fn encode_lag(
    figures: &ChangeFigures,
    encoder: &mut DescriptorEncoder<'_>,
) -> Result<(), fmt::Error> {
    let mut encoder = encoder.encode_descriptor(
        "invalidation_lag",
        "Time from a commit, or from its notice, to the invalidation",
        Some(&Unit::Seconds),
        MetricType::Histogram,
    )?;
    let bounds = LAG_BOUNDS_MS.iter().map(|ms| *ms as f64 / 1e3);
    let buckets: Vec<_> = bounds.chain([f64::INFINITY]).zip(figures.lags).collect();
    let (sum, count) = (figures.lag_sum.as_secs_f64(), figures.lags.iter().sum());
    encoder.encode_histogram::<NoLabels>(sum, count, &buckets, None)
}
