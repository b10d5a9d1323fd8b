//! Exponential and logarithm with the same bits on every platform.
//!
//! The standard library calls the platform's functions, whose last bits differ
//! between platforms; a model trained with these functions has the same bytes
//! everywhere. Sums, products, quotients and square roots are exact by IEEE 754
//! already.

use std::f64::consts::{LN_2, SQRT_2};

/// *e* to the power of `x`, to about 15 digits.
pub fn exp(x: f64) -> f64 {
    if x > 700.0 {
        return exp(700.0);
    }
    if x.is_nan() || x < -700.0 {
        return 0.0;
    }
    // x = n ln 2 + r with |r| <= ln 2 / 2; then Taylor's series for r.
    let n = (x / LN_2).round();
    let r = x - n * LN_2;
    let mut sum = 1.0;
    for k in (1..=16).rev() {
        sum = 1.0 + r / f64::from(k) * sum;
    }
    // |n| <= 1010, so that the biased exponent is that of a normal number.
    sum * f64::from_bits(((n as i64 + 1023) as u64) << 52)
}

/// The natural logarithm of a positive normal number, to about 15 digits.
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > SQRT_2 {
        mantissa /= 2.0;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), whose argument is at most 0.172.
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let mut sum = 0.0;
    for k in (0..12).rev() {
        sum = sum * t * t + 1.0 / f64::from(2 * k + 1);
    }
    exponent as f64 * LN_2 + 2.0 * t * sum
}

/// The logistic function.
pub fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let e = exp(x);
        e / (1.0 + e)
    }
}

/// The logarithm of the sum of the exponentials.
pub fn log_sum_exp(numbers: &[f32]) -> f32 {
    let greatest = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = numbers.iter().map(|x| exp(f64::from(x - greatest))).sum();
    greatest + ln(sum) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        for i in -2_000..2_000 {
            let x = f64::from(i) / 100.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp({x})");
            let y = x.exp();
            assert!((ln(y) - y.ln()).abs() < 1e-14 * (1.0 + x.abs()), "ln({y})");
            let expect = 1.0 / (1.0 + (-x).exp());
            assert!((logistic(x) - expect).abs() < 1e-14, "logistic({x})");
        }
        assert_eq!(exp(f64::NAN), 0.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert!(exp(f64::INFINITY).is_finite());
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn log_sum_exp_neither_overflows_nor_vanishes() {
        assert_eq!(log_sum_exp(&[5.0]), 5.0);
        assert!((log_sum_exp(&[1.0, 1.0]) - (1.0 + 2.0_f32.ln())).abs() < 1e-6);
        assert!((log_sum_exp(&[900.0, 0.0]) - 900.0).abs() < 1e-6);
        assert!((log_sum_exp(&[-900.0, -900.0]) - (2.0_f32.ln() - 900.0)).abs() < 1e-3);
    }
}
