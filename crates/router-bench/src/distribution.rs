//! Latency distributions with exact percentiles.

use serde::Serialize;

/// Percentiles of latencies in microseconds, computed from all samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Distribution {
    /// The number of samples.
    pub(crate) count: usize,
    /// The arithmetic mean.
    pub(crate) mean: f64,
    /// The median, as [`percentile`] defines it.
    pub(crate) p50: f64,
    /// The 95th percentile.
    pub(crate) p95: f64,
    /// The 99th percentile.
    pub(crate) p99: f64,
    /// The largest sample.
    pub(crate) max: f64,
}

impl Distribution {
    /// The distribution of these latencies; `None` without samples.
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

/// The `percent`-th percentile by nearest rank: the smallest sample that at
/// least `percent` per cent of the samples do not exceed. 0 without samples.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Distribution, percentile};

    proptest! {
        #[test]
        fn prop_percentiles_match_the_definition(
            mut samples in prop::collection::vec(0_u32..50, 1..200),
            percent in 1_usize..=100,
        ) {
            samples.sort_unstable();
            let sorted: Vec<f64> = samples.iter().copied().map(f64::from).collect();
            let not_above = |value: f64| sorted.iter().filter(|&&other| other <= value).count();
            let naive = sorted
                .iter()
                .copied()
                .find(|&value| not_above(value) * 100 >= percent * sorted.len())
                .expect("no sample exceeds the largest");
            prop_assert_eq!(percentile(&sorted, percent), naive);
        }
    }

    #[test]
    fn distributions() {
        assert_eq!(Distribution::of([]), None);
        let of_hundred = Distribution::of((1..=100).rev().map(f64::from));
        assert_eq!(
            of_hundred,
            Some(Distribution {
                count: 100,
                mean: 50.5,
                p50: 50.0,
                p95: 95.0,
                p99: 99.0,
                max: 100.0
            })
        );
        let single = Distribution::of([7.0]).expect("there is a sample");
        assert_eq!([single.p50, single.p99, single.max], [7.0; 3]);
        assert_eq!(percentile(&[], 50), 0.0);
    }
}
