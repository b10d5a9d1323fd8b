//! Calibration: fits the gate to held-out examples.

use intent_model::HeldOut;
use intent_model::gate::{Gate, SIGNALS, SIGNS, Signals};
use intent_model::maths::logistic;

use crate::TrainOptions;

/// The prediction of a model for a message that it was not trained on.
pub(crate) struct Sample {
    pub(crate) signals: Signals,
    pub(crate) source: Source,
    /// Whether the best intent is the right one; false when out of scope.
    pub(crate) right: bool,
}

/// Where a held-out message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An example of an intent that the model knows.
    InScope,
    /// An example labelled as out of scope.
    LabelledOutOfScope,
    /// An example of an intent that was left out of the model's training.
    LeftOutIntent,
    /// A [synthetic](crate::synthetic) message.
    SyntheticOutOfScope,
}

/// The share of traffic out of scope that [`TrainOptions::wrong_routes`] is
/// defined for. The sources of such messages have equal parts in it, however
/// many samples each has.
const OUT_OF_SCOPE_SHARE: f64 = 0.1;

/// Fits a gate to the samples, and measures the model with it.
///
/// `labelled` is true if the training data itself has messages out of scope,
/// which [`TrainOptions::lost_answers`] depends on.
pub(crate) fn calibrate(
    samples: &[Sample],
    options: &TrainOptions,
    labelled: bool,
) -> (Gate, HeldOut) {
    let mut counts = [0_usize; 4];
    for sample in samples {
        counts[sample.source as usize] += 1;
    }
    let in_scope = counts[Source::InScope as usize];
    let out_of_scope = samples.len() - in_scope;
    let sources = counts[1..].iter().filter(|count| **count > 0).count();
    let odds = OUT_OF_SCOPE_SHARE / (1.0 - OUT_OF_SCOPE_SHARE);
    let weight = |sample: &Sample| match (sample.source, in_scope) {
        (Source::InScope, _) | (_, 0) => 1.0,
        (source, _) => odds * in_scope as f64 / (sources * counts[source as usize]) as f64,
    };
    let mut gate = fit(samples, weight);
    gate.threshold = threshold(samples, &gate, weight, options, labelled);

    let mut report = HeldOut {
        in_scope: in_scope as u32,
        out_of_scope: out_of_scope as u32,
        ..HeldOut::default()
    };
    let (mut right_ones, mut answered_right) = (0, 0);
    let (mut answered, mut wrong) = (0.0, 0.0);
    let (mut out_of_scope_weight, mut abstained) = (0.0, 0.0);
    let mut bins = [[0.0; 3]; 10];
    for sample in samples {
        let confidence = gate.probability(&sample.signals);
        let is_answered = confidence >= gate.threshold;
        let right = f64::from(u8::from(sample.right));
        if is_answered {
            answered += weight(sample);
            wrong += weight(sample) * (1.0 - right);
        }
        right_ones += usize::from(sample.right);
        answered_right += usize::from(sample.right && is_answered);
        if sample.source != Source::InScope {
            out_of_scope_weight += weight(sample);
            abstained += if is_answered { 0.0 } else { weight(sample) };
        }
        let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
        bin[0] += weight(sample) * confidence;
        bin[1] += weight(sample) * right;
        bin[2] += weight(sample);
    }
    let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
    report.accuracy = share(right_ones, in_scope);
    report.answered_right = share(answered_right, in_scope);
    if out_of_scope_weight > 0.0 {
        report.out_of_scope_recall = abstained / out_of_scope_weight;
    }
    let total: f64 = bins.iter().map(|bin| bin[2]).sum();
    if total > 0.0 {
        let gaps = bins.iter().map(|bin| (bin[0] - bin[1]).abs());
        report.calibration_error = gaps.sum::<f64>() / total;
    }
    if answered > 0.0 {
        report.wrong_routes = wrong / answered;
    }
    (gate, report)
}

/// The threshold that keeps the budget of wrong routes, without losing more
/// right answers than allowed.
///
/// Once the budget is kept, the threshold still rises while that costs no right
/// answer, halfway to the next one, but not above one half, where an answer is
/// likelier right than wrong.
fn threshold(
    samples: &[Sample],
    gate: &Gate,
    weight: impl Fn(&Sample) -> f64,
    options: &TrainOptions,
    labelled: bool,
) -> f64 {
    if options.wrong_routes >= 1.0 {
        return 0.0;
    }
    let mut sorted: Vec<(f64, &Sample)> = samples
        .iter()
        .map(|sample| (gate.probability(&sample.signals), sample))
        .collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut answered, mut wrong, mut in_scope) = (0.0, 0.0, 0.0);
    for (_, sample) in &sorted {
        answered += weight(sample);
        wrong += if sample.right { 0.0 } else { weight(sample) };
        in_scope += f64::from(u8::from(sample.source == Source::InScope));
    }
    let most_lost = options.most_lost(labelled) * in_scope;
    // The least confident are given up first, one after the other.
    let (mut lost, mut given_up, mut needed) = (0.0, 0.0, 0.0_f64);
    for (confidence, sample) in &sorted {
        let is_kept = wrong <= options.wrong_routes * answered;
        if sample.right && (is_kept || lost + 1.0 > most_lost) {
            let halfway: f64 = (given_up + confidence) / 2.0;
            return halfway.min(needed.max(0.5));
        }
        lost += f64::from(u8::from(sample.right));
        answered -= weight(sample);
        wrong -= if sample.right { 0.0 } else { weight(sample) };
        given_up = *confidence;
        if !is_kept {
            // Just above this one.
            needed = given_up + 1e-9;
        }
    }
    (given_up + 1.0) / 2.0
}

/// The penalty of each slope's square, so that few samples, or samples that a
/// signal separates perfectly, do not drive the slope to infinity.
const RIDGE: f64 = 1.0;

/// Logistic regression by Newton's method (iteratively reweighted least
/// squares) on standardised signals.
fn fit(samples: &[Sample], weight: impl Fn(&Sample) -> f64) -> Gate {
    let total: f64 = samples.iter().map(&weight).sum::<f64>().max(1.0);
    let mut means = [0.0; SIGNALS];
    let mut deviations = [0.0; SIGNALS];
    for i in 0..SIGNALS {
        let sum: f64 = samples
            .iter()
            .map(|sample| weight(sample) * sample.signals[i])
            .sum();
        means[i] = sum / total;
        let squares = samples.iter().map(|sample| {
            weight(sample) * (sample.signals[i] - means[i]) * (sample.signals[i] - means[i])
        });
        deviations[i] = (squares.sum::<f64>() / total).sqrt();
    }
    let mut used = deviations.map(|deviation| deviation > 1e-9);
    loop {
        let standard = |sample: &Sample| {
            let mut row = [1.0; SIGNALS + 1];
            for i in 0..SIGNALS {
                let distance = (sample.signals[i] - means[i]) / deviations[i];
                row[i + 1] = if used[i] { distance } else { 0.0 };
            }
            row
        };
        let rows: Vec<_> = samples
            .iter()
            .map(|sample| {
                (
                    standard(sample),
                    weight(sample),
                    f64::from(u8::from(sample.right)),
                )
            })
            .collect();
        let slopes = newton(&rows);
        // The slope with the largest value of the wrong sign is left out.
        let wrongness = |i: &usize| -slopes[i + 1] * SIGNS[*i];
        let worst = (0..SIGNALS).max_by(|a, b| wrongness(a).total_cmp(&wrongness(b)));
        if let Some(worst) = worst.filter(|worst| wrongness(worst) > 0.0) {
            used[worst] = false;
            continue;
        }
        let mut gate = Gate::open();
        gate.intercept = slopes[0];
        for i in (0..SIGNALS).filter(|i| used[*i]) {
            gate.slopes[i] = slopes[i + 1] / deviations[i];
            gate.intercept -= gate.slopes[i] * means[i];
        }
        return gate;
    }
}

/// The slopes that fit rows, each with its weight and its target value.
fn newton<const N: usize>(rows: &[([f64; N], f64, f64)]) -> [f64; N] {
    let mut slopes = [0.0; N];
    for _ in 0..25 {
        let mut gradient = [0.0; N];
        let mut hessian = [[0.0; N]; N];
        for i in 0..N {
            // The intercept has a small penalty too, for data without mistakes.
            let ridge = if i == 0 { 0.01 } else { RIDGE };
            gradient[i] = -ridge * slopes[i];
            hessian[i][i] = ridge;
        }
        for (row, weight, value) in rows {
            let score: f64 = row.iter().zip(&slopes).map(|(a, b)| a * b).sum();
            let p = logistic(score);
            for a in 0..N {
                gradient[a] += weight * (value - p) * row[a];
                for b in 0..N {
                    hessian[a][b] += weight * p * (1.0 - p) * row[a] * row[b];
                }
            }
        }
        let step = solve(hessian, gradient);
        for (slope, step) in slopes.iter_mut().zip(step) {
            *slope += step;
        }
    }
    slopes
}

/// Solves a symmetric positive definite system by elimination.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut values: [f64; N]) -> [f64; N] {
    for i in 0..N {
        let (pivot, value) = (matrix[i], values[i]);
        for below in i + 1..N {
            let factor = matrix[below][i] / pivot[i];
            for (a, b) in matrix[below].iter_mut().zip(pivot) {
                *a -= factor * b;
            }
            values[below] -= factor * value;
        }
    }
    for i in (0..N).rev() {
        let known = (i + 1..N).map(|column| matrix[i][column] * values[column]);
        values[i] = (values[i] - known.sum::<f64>()) / matrix[i][i];
    }
    values
}

#[cfg(test)]
mod tests;
