//! Generated traces, used if no trace file is given.

use std::collections::HashMap;

use super::Trace;
use crate::workload::{Random, Zipf};

/// A set of traces on which different policies fail.
pub(crate) fn synthetic() -> Vec<Trace> {
    vec![
        numbered("zipf", zipf(0, 100_000)),
        numbered("loop", looping()),
        numbered("scans", scans()),
        numbered("shift", shift()),
    ]
}

/// Popularity that never changes.
fn zipf(seed: u64, count: usize) -> Vec<u64> {
    let law = Zipf::new(20_000, 0.9);
    let mut random = Random::new(seed);
    (0..count)
        .map(|_| u64::from(law.sample(&mut random)))
        .collect()
}

/// A cycle of a few thousand keys, on which recency alone has no hits.
fn looping() -> Vec<u64> {
    (0..100_000).map(|n| n % 5_000).collect()
}

/// Popular keys, with scans of keys in between that are seen twice, far apart.
fn scans() -> Vec<u64> {
    let mut keys = Vec::new();
    for (round, popular) in zipf(1, 100_000).chunks(10_000).enumerate() {
        let first = 1_000_000 + 4_000 * (round as u64 / 2);
        keys.extend_from_slice(popular);
        keys.extend(first..first + 4_000);
    }
    keys
}

/// Popularity that changes entirely, four times.
fn shift() -> Vec<u64> {
    let of_part = |part: u64| {
        let keys = zipf(part + 2, 25_000).into_iter();
        keys.map(move |key| key + part * 5_000)
    };
    (0..4).flat_map(of_part).collect()
}

fn numbered(name: &str, keys: Vec<u64>) -> Trace {
    let mut numbers = HashMap::new();
    let number = |key| {
        let fresh = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(key).or_insert(fresh)
    };
    Trace {
        name: name.to_owned(),
        keys: keys.into_iter().map(number).collect(),
        distinct: numbers.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_is_the_same_each_time() {
        let traces = synthetic();
        assert_eq!(traces, synthetic());
        for trace in &traces {
            let most = trace.keys.iter().max().map(|&key| key as usize + 1);
            assert_eq!(most, Some(trace.distinct), "{}", trace.name);
        }
        assert_eq!(traces[1].distinct, 5_000);
    }
}
