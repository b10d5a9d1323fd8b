//! Reproducible random choices: a small generator, and a weighted choice.

/// The generator SplitMix64.
///
/// Steele, Lea and Flood, *Fast splittable pseudorandom number generators*,
/// OOPSLA 2014. One word of state; the same seed gives the same traffic on
/// every machine and in every version.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator with this seed; any value is valid, 0 included.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 random bits.
    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A uniform number in `[0, 1)` with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A uniform index below `bound`; 0 for a bound of 0.
    ///
    /// It is the high half of a 128-bit product, whose bias of at most `bound` in
    /// 2^64 is too small to observe.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }
}

/// A weighted random choice among indices.
///
/// Inversion of the cumulative distribution by binary search: exact up to the
/// rounding of `f64`, 8 bytes an index. For populations too large for a table, the rejection-inversion of Hörmann and Derflinger (*Rejection-
/// inversion to generate variates from monotone discrete distributions*, ACM
/// TOMACS 6(3), 1996) needs none.
#[derive(Clone, Debug)]
pub(crate) struct Weighted {
    cumulative: Vec<f64>,
}

impl Weighted {
    /// A choice with these weights, which must be finite and not negative.
    /// `None` if their sum is 0 or infinite.
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut total = 0.0;
        let cumulative: Vec<f64> = weights
            .into_iter()
            .map(|weight| {
                total += weight;
                total
            })
            .collect();
        (total > 0.0 && total.is_finite()).then_some(Self { cumulative })
    }

    /// Zipf's law over `n` ranks: rank `k`, from 1, has weight `1 / k^skew`.
    /// With a skew of 0 all ranks have the same weight. `None` when `n` is 0.
    pub(crate) fn zipf(n: u32, skew: f64) -> Option<Self> {
        Self::new((1..=n).map(|rank| f64::from(rank).powf(-skew)))
    }

    /// Draws an index.
    pub(crate) fn sample(&self, random: &mut SplitMix64) -> usize {
        let total = self.cumulative.last().copied().unwrap_or_default();
        let point = random.unit() * total;
        // Strictly greater, so an index without weight is never drawn. If
        // rounding moves the point onto the total, the last index with weight
        // is drawn.
        let index = self.cumulative.partition_point(|&upper| upper <= point);
        if index < self.cumulative.len() {
            index
        } else {
            self.cumulative.partition_point(|&upper| upper < total)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SplitMix64, Weighted};

    /// Pearson's statistic of the sampler's draws against the exact law, which
    /// is computed here independently.
    fn chi_square(ranks: u32, skew: f64, seed: u64) -> f64 {
        let draws = 200_000;
        let sampler = Weighted::zipf(ranks, skew).expect("there are ranks");
        let mut random = SplitMix64::new(seed);
        let mut observed = vec![0.0; ranks as usize];
        for _ in 0..draws {
            observed[sampler.sample(&mut random)] += 1.0;
        }
        let harmonic: f64 = (1..=ranks).map(|k| 1.0 / f64::from(k).powf(skew)).sum();
        (1..=ranks)
            .map(|k| {
                let expected = f64::from(draws) / f64::from(k).powf(skew) / harmonic;
                (observed[k as usize - 1] - expected).powi(2) / expected
            })
            .sum()
    }

    #[test]
    fn zipf_draws_follow_the_exact_law() {
        // The 0.999 quantile of chi-square with 99 degrees of freedom.
        for (skew, seed) in [(0.0, 1), (0.8, 2), (0.99, 3), (1.0, 4), (1.5, 5)] {
            let statistic = chi_square(100, skew, seed);
            assert!(statistic < 148.23, "skew {skew}: chi-square {statistic}");
        }
    }

    #[test]
    fn a_wrong_exponent_would_be_noticed() {
        let sampler = Weighted::zipf(100, 1.0).expect("there are ranks");
        let mut random = SplitMix64::new(9);
        let first = (0..200_000)
            .filter(|_| sampler.sample(&mut random) == 0)
            .count();
        // A skew of 0.95 would give rank 1 about 35,700 draws, 1.0 about 38,550.
        assert!((38_000..39_100).contains(&first), "{first}");
    }

    #[test]
    fn generator_matches_published_vectors() {
        // The reference implementation's first outputs for seed 1234567.
        let mut random = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn an_index_without_weight_is_never_drawn() {
        let sampler = Weighted::new([0.0, 3.0, 0.0, 1.0, 0.0]).expect("there is weight");
        let mut random = SplitMix64::new(11);
        for _ in 0..10_000 {
            assert!([1, 3].contains(&sampler.sample(&mut random)));
        }
        // The seed whose first output is 0, the lowest point that can be drawn.
        let mut lowest = SplitMix64::new(0_u64.wrapping_sub(0x9e37_79b9_7f4a_7c15));
        assert_eq!(sampler.sample(&mut lowest), 1);
    }

    #[test]
    fn weights_without_a_finite_positive_sum_are_refused() {
        assert!(Weighted::zipf(0, 1.0).is_none());
        assert!(Weighted::new([0.0, 0.0]).is_none());
        assert!(Weighted::new([f64::INFINITY]).is_none());
    }

    #[test]
    fn bounds_hold() {
        let mut random = SplitMix64::new(0);
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&random.unit()));
            assert!(random.below(3) < 3);
        }
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }
}
