//! Attention: each token becomes a mixture of its own sentence's tokens.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use crate::rows::Rows;

/// The mixture for each row. A row has queries, keys and values side by side, each
/// divided among the heads. No token sees another sentence.
pub(super) fn apply(arch: Arch, inputs: &Rows, spans: &[Range<usize>], heads: usize) -> Rows {
    let size = inputs.columns() / 3;
    let mut mixed = Rows::zeros(inputs.count(), size);
    for span in spans {
        arch.dispatch(Attention {
            inputs: &inputs.values()[span.start * 3 * size..span.end * 3 * size],
            mixed: &mut mixed.values_mut()[span.start * size..span.end * size],
            size,
            width: size / heads,
        });
    }
    mixed
}

/// The attention within one sentence.
struct Attention<'a> {
    inputs: &'a [f32],
    mixed: &'a mut [f32],
    size: usize,
    /// The dimensions of a head.
    width: usize,
}

impl WithSimd for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { size, width, .. } = self;
        let tokens = self.mixed.len() / size;
        let scale = 1.0 / (width as f32).sqrt();
        let (mut keys, mut scores) = (vec![0.0; width * tokens], vec![0.0; tokens]);
        for from in (0..size).step_by(width) {
            // Transposed, so that the scores of all tokens are summed together.
            for (token, row) in self.inputs.chunks_exact(3 * size).enumerate() {
                let key = &row[size + from..][..width];
                for (place, value) in keys[token..].iter_mut().step_by(tokens).zip(key) {
                    *place = *value;
                }
            }
            let queries = self.inputs.chunks_exact(3 * size);
            for (row, mixed) in queries.zip(self.mixed.chunks_exact_mut(size)) {
                scores.fill(0.0);
                let query = &row[from..][..width];
                for (value, keys) in query.iter().zip(keys.chunks_exact(tokens)) {
                    accumulate(&mut scores, value * scale, keys);
                }
                softmax(&mut scores);
                let mixed = &mut mixed[from..][..width];
                for (share, row) in scores.iter().zip(self.inputs.chunks_exact(3 * size)) {
                    accumulate(mixed, *share, &row[2 * size + from..][..width]);
                }
            }
        }
    }
}

/// Adds a multiple of `values` to `sums`.
#[inline(always)]
fn accumulate(sums: &mut [f32], factor: f32, values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

/// Softmax: turns scores into shares that sum to one.
#[inline(always)]
fn softmax(scores: &mut [f32]) {
    // Subtracting the maximum keeps powers from overflowing.
    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in &mut *scores {
        *score = (*score - greatest).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two heads of one dimension: a row is two queries, two keys, two values.
    const ROWS: [[f32; 6]; 3] = [
        [1.0, 0.0, 2.0, 9.0, 10.0, 1.0],
        [2.0, 0.0, 1.0, -9.0, 20.0, 3.0],
        [5.0, 5.0, 5.0, 5.0, 70.0, 80.0],
    ];

    #[test]
    fn tokens_are_mixed_by_score_within_their_sentence_and_head() {
        let inputs = Rows::from_values(6, ROWS.as_flattened().to_vec());
        // The share of the first token where the scores are 2 and 1, 4 and 2.
        let share = |gap: f32| 1.0 / (1.0 + (-gap).exp());
        let first = |gap: f32| share(gap) * 10.0 + (1.0 - share(gap)) * 20.0;
        let expect = [[first(1.0), 2.0], [first(2.0), 2.0], [70.0, 80.0]];
        for arch in [Arch::Scalar, Arch::new()] {
            let mixed = apply(arch, &inputs, &[0..2, 2..3], 2);
            for (found, expect) in mixed.values().iter().zip(expect.as_flattened()) {
                assert!((found - expect).abs() < 1e-4, "{mixed:?}");
            }
        }
    }

    #[test]
    fn great_scores_do_not_overflow() {
        let mut scores = [1000.0, 1000.0, -1000.0];
        softmax(&mut scores);
        assert_eq!(scores, [0.5, 0.5, 0.0]);
    }
}
