//! The row-by-row steps between the products: layer norm and activation.

use pulp::{Arch, Simd, WithSimd};

use crate::rows::Rows;

/// Layer normalisation: each row to mean 0 and variance 1, then scaled and
/// shifted.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) scale: Vec<f32>,
    pub(super) shift: Vec<f32>,
    /// Added to the variance.
    pub(super) epsilon: f32,
}

impl Norm {
    pub(super) fn apply(&self, rows: &mut Rows) {
        let count = rows.columns() as f32;
        for row in rows.iter_mut() {
            let mean = row.iter().sum::<f32>() / count;
            let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
            let factor = 1.0 / (variance + self.epsilon).sqrt();
            for (value, (scale, shift)) in row.iter_mut().zip(self.scale.iter().zip(&self.shift)) {
                *value = (*value - mean) * factor * scale + shift;
            }
        }
    }
}

/// The Gaussian error linear unit, `x Φ(x)` (Hendrycks and Gimpel 2016).
pub(super) fn gelu(arch: Arch, rows: &mut Rows) {
    arch.dispatch(Gelu(rows.values_mut()));
}

struct Gelu<'a>(&'a mut [f32]);

impl WithSimd for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for x in self.0 {
            *x = 0.5 * *x * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

/// The error function by formula 7.1.28 of Abramowitz and Stegun, whose
/// error is below 3e-7. It has only sums and products, which the compiler vectorises;
/// `exp` would be called for each number.
#[inline(always)]
fn erf(x: f32) -> f32 {
    const COEFFICIENTS: [f32; 6] = [
        4.306_38e-5,
        2.765_672e-4,
        1.520_143e-4,
        0.009_270_527,
        0.042_282_01,
        0.070_523_08,
    ];
    // Beyond this, erf rounds to 1, and the power below would overflow.
    let size = x.abs().min(4.0);
    let mut sum = 0.0;
    for coefficient in COEFFICIENTS {
        sum = sum * size + coefficient;
    }
    let sum = sum * size + 1.0;
    let square = sum * sum;
    let fourth = square * square;
    let eighth = fourth * fourth;
    (1.0 - 1.0 / (eighth * eighth)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_the_tables() {
        for (x, expect) in [
            (0.0, 0.0),
            (0.1, 0.112_462_92),
            (0.5, 0.520_499_9),
            (1.0, 0.842_700_8),
            (2.0, 0.995_322_3),
            (3.5, 0.999_999_3),
            (9.0, 1.0),
        ] {
            for sign in [1.0, -1.0] {
                let found = erf(sign * x);
                assert!((found - sign * expect).abs() < 2e-6, "{x}: {found}");
            }
        }
    }

    #[test]
    fn the_activation_is_the_same_on_every_processor() {
        let values: Vec<_> = (-50..50_u8 as i32).map(|x| x as f32 / 10.0).collect();
        let of = |arch| {
            let mut rows = Rows::from_values(100, values.clone());
            gelu(arch, &mut rows);
            rows
        };
        let (plain, wide) = (of(Arch::Scalar), of(Arch::new()));
        for ((x, plain), wide) in values.iter().zip(plain.values()).zip(wide.values()) {
            assert!((plain - wide).abs() < 1e-6, "{x}: {plain} {wide}");
        }
        // x Φ(x) at 1, with Φ(1) = 0.841345.
        assert!((plain.values()[60] - 0.841_345).abs() < 1e-5);
    }

    #[test]
    fn a_normed_row_has_the_mean_and_variance_asked_for() {
        let norm = Norm {
            scale: vec![1.0, 1.0, 2.0, 1.0],
            shift: vec![0.0, 0.0, 0.0, 5.0],
            epsilon: 0.0,
        };
        let mut rows = Rows::from_values(4, vec![1.0, 2.0, 3.0, 4.0, 10.0, 10.0, 14.0, 14.0]);
        norm.apply(&mut rows);
        let root = 1.25_f32.sqrt();
        let expect = [
            [-1.5 / root, -0.5 / root, 1.0 / root, 5.0 + 1.5 / root],
            [-1.0, -1.0, 2.0, 6.0],
        ];
        for (found, expect) in rows.values().iter().zip(expect.as_flattened()) {
            assert!((found - expect).abs() < 1e-6, "{rows:?}");
        }
    }
}
