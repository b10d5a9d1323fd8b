//! Keys, values, and the distribution of accesses.

use std::sync::Arc;

/// The type of keys.
pub(crate) type Key = [u8; 16];

/// The type of values.
pub(crate) type Value = Arc<[u8]>;

/// SplitMix64: small, fast, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly from `0..1`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Evenly from `0..end`, with a negligible bias.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        ((self.next() as u128 * end as u128) >> 64) as u64
    }

    /// Shuffles: every order is equally likely (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last as u64 + 1);
            items.swap(last, other as usize);
        }
    }
}

/// The key with this number: 16 bytes without a pattern.
pub(crate) fn key(number: u64) -> Key {
    let mut random = Random::new(number);
    let mut key = [0; 16];
    key[..8].copy_from_slice(&random.next().to_le_bytes());
    key[8..].copy_from_slice(&random.next().to_le_bytes());
    key
}

/// A value of this many bytes, in an allocation of its own.
pub(crate) fn value(bytes: usize) -> Value {
    vec![0; bytes].into()
}

/// Zipf's law: rank `r`, counted from zero, in proportion to `(r + 1)^-skew`.
pub(crate) struct Zipf {
    /// The probability of this rank or one before it.
    cumulative: Vec<f64>,
}

impl Zipf {
    pub(crate) fn new(ranks: u32, skew: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=ranks).map(|rank| {
            sum += f64::from(rank).powf(-skew);
            sum
        });
        let mut cumulative: Vec<f64> = weights.collect();
        for up_to in &mut cumulative {
            *up_to /= sum;
        }
        Self { cumulative }
    }

    pub(crate) fn sample(&self, random: &mut Random) -> u32 {
        let at = random.unit();
        let rank = self.cumulative.partition_point(|&up_to| up_to <= at);
        // Rounding may leave the last sum just below one.
        let last = self.cumulative.len().saturating_sub(1);
        u32::try_from(rank.min(last)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_draws_ranks_in_proportion() {
        let zipf = Zipf::new(1_000, 0.99);
        let mut random = Random::new(1);
        let mut counts = vec![0_u32; 1_000];
        for _ in 0..1_000_000 {
            counts[zipf.sample(&mut random) as usize] += 1;
        }
        let total: f64 = (1..=1_000).map(|rank| f64::from(rank).powf(-0.99)).sum();
        for rank in [1, 2, 3, 10, 100] {
            let expected = 1e6 * f64::from(rank).powf(-0.99) / total;
            let found = f64::from(counts[rank as usize - 1]);
            let sigmas = (found - expected).abs() / expected.sqrt();
            assert!(sigmas < 5.0, "rank {rank}: {found}, expected {expected}");
        }
        assert!(counts.iter().all(|&count| count > 0));
    }

    #[test]
    fn a_single_rank_is_always_drawn() {
        let zipf = Zipf::new(1, 0.99);
        let mut random = Random::new(2);
        assert!((0..1_000).all(|_| zipf.sample(&mut random) == 0));
    }

    #[test]
    fn shuffling_keeps_every_item_and_moves_them() {
        let mut items: Vec<u32> = (0..100).collect();
        Random::new(3).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn numbers_below_an_end_reach_all_and_nothing_else() {
        let mut random = Random::new(4);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            seen[random.below(5) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
    }
}
