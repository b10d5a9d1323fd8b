//! Probabilities and the threshold, from held-out examples.

use super::TrainOptions;
use crate::detect::linear::gate::{Gate, SIGNALS, SIGNS, Signals};
use crate::detect::linear::maths::logistic;
use crate::detect::linear::report::HeldOut;

/// What a model made of a message that it was not trained on.
pub(super) struct Judged {
    pub(super) signals: Signals,
    pub(super) origin: Origin,
    /// Whether the best intent is the right one; never when out of scope.
    pub(super) right: bool,
}

/// Where a message comes from that a model is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is an example of an intent that the model knows.
    InScope,
    /// It is labelled as having no intent.
    Labelled,
    /// It is an example of an intent that the model was trained without.
    LeftOut,
    /// It was [made](super::stranger::Strangers) to have no intent.
    Stranger,
}

/// The share of traffic that belongs to no intent, which
/// [`TrainOptions::wrong_routes`] is defined for. The kinds of such messages
/// that there are have equal parts in it, however many examples each has.
const OUT_OF_SCOPE_SHARE: f64 = 0.1;

/// The gate that fits held-out examples, and how right it makes the model.
///
/// `labelled` tells whether the training data has messages out of scope of its
/// own: [`TrainOptions::lost_answers`] depends on it.
pub(super) fn calibrate(
    judged: &[Judged],
    options: &TrainOptions,
    labelled: bool,
) -> (Gate, HeldOut) {
    let mut counts = [0_usize; 4];
    for j in judged {
        counts[j.origin as usize] += 1;
    }
    let in_scope = counts[Origin::InScope as usize];
    let out_of_scope = judged.len() - in_scope;
    let kinds = counts[1..].iter().filter(|count| **count > 0).count();
    let odds = OUT_OF_SCOPE_SHARE / (1.0 - OUT_OF_SCOPE_SHARE);
    let weight = |j: &Judged| match (j.origin, in_scope) {
        (Origin::InScope, _) | (_, 0) => 1.0,
        (origin, _) => odds * in_scope as f64 / (kinds * counts[origin as usize]) as f64,
    };
    let mut gate = fit(judged, weight);
    gate.threshold = threshold(judged, &gate, weight, options, labelled);

    let mut report = HeldOut {
        in_scope: in_scope as u32,
        out_of_scope: out_of_scope as u32,
        ..HeldOut::default()
    };
    let (mut right_ones, mut answered_right) = (0, 0);
    let (mut answered, mut wrong) = (0.0, 0.0);
    let (mut strange, mut abstained) = (0.0, 0.0);
    let mut bins = [[0.0; 3]; 10];
    for j in judged {
        let confidence = gate.probability(&j.signals);
        let is_answered = confidence >= gate.threshold;
        let right = f64::from(u8::from(j.right));
        if is_answered {
            answered += weight(j);
            wrong += weight(j) * (1.0 - right);
        }
        right_ones += usize::from(j.right);
        answered_right += usize::from(j.right && is_answered);
        if j.origin != Origin::InScope {
            strange += weight(j);
            abstained += if is_answered { 0.0 } else { weight(j) };
        }
        let bin = &mut bins[((confidence * 10.0) as usize).min(9)];
        bin[0] += weight(j) * confidence;
        bin[1] += weight(j) * right;
        bin[2] += weight(j);
    }
    let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
    report.accuracy = share(right_ones, in_scope);
    report.answered_right = share(answered_right, in_scope);
    if strange > 0.0 {
        report.out_of_scope_recall = abstained / strange;
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

/// The threshold that keeps the budget, but not one that loses more right
/// answers than is allowed.
///
/// Where the budget is kept, it goes on up while that costs no right answer,
/// and halfway to the next one; but not beyond one half, from where on an
/// answer is likelier right than wrong.
fn threshold(
    judged: &[Judged],
    gate: &Gate,
    weight: impl Fn(&Judged) -> f64,
    options: &TrainOptions,
    labelled: bool,
) -> f64 {
    if options.wrong_routes >= 1.0 {
        return 0.0;
    }
    let mut sorted: Vec<(f64, &Judged)> = judged
        .iter()
        .map(|j| (gate.probability(&j.signals), j))
        .collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut answered, mut wrong, mut in_scope) = (0.0, 0.0, 0.0);
    for (_, j) in &sorted {
        answered += weight(j);
        wrong += if j.right { 0.0 } else { weight(j) };
        in_scope += f64::from(u8::from(j.origin == Origin::InScope));
    }
    let most_lost = options.most_lost(labelled) * in_scope;
    // One after the other the least confident are given up.
    let (mut lost, mut given_up, mut needed) = (0.0, 0.0, 0.0_f64);
    for (confidence, j) in &sorted {
        let is_kept = wrong <= options.wrong_routes * answered;
        if j.right && (is_kept || lost + 1.0 > most_lost) {
            let halfway: f64 = (given_up + confidence) / 2.0;
            return halfway.min(needed.max(0.5));
        }
        lost += f64::from(u8::from(j.right));
        answered -= weight(j);
        wrong -= if j.right { 0.0 } else { weight(j) };
        given_up = *confidence;
        if !is_kept {
            // Just above this one.
            needed = given_up + 1e-9;
        }
    }
    (given_up + 1.0) / 2.0
}

/// What each slope's square costs, so that few examples, or ones that a
/// signal divides without a fault, cannot drive it to infinity.
const RIDGE: f64 = 1.0;

/// Logistic regression by Newton's method (iteratively reweighted least
/// squares) on standardised signals.
fn fit(judged: &[Judged], weight: impl Fn(&Judged) -> f64) -> Gate {
    let total: f64 = judged.iter().map(&weight).sum::<f64>().max(1.0);
    let mut means = [0.0; SIGNALS];
    let mut deviations = [0.0; SIGNALS];
    for i in 0..SIGNALS {
        let sum: f64 = judged.iter().map(|j| weight(j) * j.signals[i]).sum();
        means[i] = sum / total;
        let squares = judged
            .iter()
            .map(|j| weight(j) * (j.signals[i] - means[i]) * (j.signals[i] - means[i]));
        deviations[i] = (squares.sum::<f64>() / total).sqrt();
    }
    let mut used = deviations.map(|deviation| deviation > 1e-9);
    loop {
        let standard = |j: &Judged| {
            let mut row = [1.0; SIGNALS + 1];
            for i in 0..SIGNALS {
                let distance = (j.signals[i] - means[i]) / deviations[i];
                row[i + 1] = if used[i] { distance } else { 0.0 };
            }
            row
        };
        let rows: Vec<_> = judged
            .iter()
            .map(|j| (standard(j), weight(j), f64::from(u8::from(j.right))))
            .collect();
        let slopes = newton(&rows);
        // The one that is most wrong about its sign is left out.
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

/// The slopes that fit rows with a weight and the value that each should have.
fn newton<const N: usize>(rows: &[([f64; N], f64, f64)]) -> [f64; N] {
    let mut slopes = [0.0; N];
    for _ in 0..25 {
        let mut gradient = [0.0; N];
        let mut hessian = [[0.0; N]; N];
        for i in 0..N {
            // The intercept is held a little too, for data without a mistake.
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
