//! What abstention costs and gains at each threshold.

use serde::Serialize;

use super::predictions::Prediction;

/// The shares of lost answers in the table.
const LOST: [f64; 4] = [0.01, 0.03, 0.05, 0.10];

/// The effect of a threshold on the confidence. Shares are from 0 to 1, and
/// `null` if the whole is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct TradeOff {
    /// The largest accepted share of lost right answers.
    pub(crate) lost_answers: f64,
    /// The highest threshold within it; 1 if all answers may be lost.
    pub(crate) threshold: f64,
    /// The share of messages in scope that are answered right at it.
    pub(crate) accuracy: Option<f64>,
    /// The share of messages out of scope that are left unanswered at it.
    pub(crate) oos_recall: Option<f64>,
}

/// The trade-off at 1, 3, 5 and 10 per cent of lost answers.
pub(crate) fn table(predictions: &[Prediction]) -> Vec<TradeOff> {
    let confidences = Confidences::new(predictions);
    LOST.iter().map(|lost| confidences.at(*lost)).collect()
}

/// The trade-off from 0 to 20 per cent of lost answers, in steps of half a
/// per cent.
pub(crate) fn curve(predictions: &[Prediction]) -> Vec<TradeOff> {
    let confidences = Confidences::new(predictions);
    (0..=40)
        .map(|step| confidences.at(f64::from(step) / 200.0))
        .collect()
}

/// Confidences in ascending order, to compare a threshold with.
struct Confidences {
    in_scope: usize,
    /// Messages whose best intent is right.
    right: Vec<f64>,
    /// Messages out of scope; negative infinity without a best intent.
    out_of_scope: Vec<f64>,
}

impl Confidences {
    fn new(predictions: &[Prediction]) -> Self {
        let (mut right, mut out_of_scope) = (Vec::new(), Vec::new());
        for prediction in predictions {
            match (&prediction.label, &prediction.best) {
                (Some(label), Some((best, confidence))) if label == best => {
                    right.push(*confidence);
                }
                (None, best) => {
                    out_of_scope.push(best.as_ref().map_or(f64::NEG_INFINITY, |best| best.1));
                }
                _ => {}
            }
        }
        right.sort_by(f64::total_cmp);
        out_of_scope.sort_by(f64::total_cmp);
        Self {
            in_scope: predictions.iter().filter(|v| v.label.is_some()).count(),
            right,
            out_of_scope,
        }
    }

    fn at(&self, lost_answers: f64) -> TradeOff {
        // The sum keeps rounding from turning 0.01 of 300 into 2.
        let may_go = (lost_answers * self.right.len() as f64 + 1e-9) as usize;
        let threshold = self.right.get(may_go).copied().unwrap_or(1.0);
        let below = |sorted: &[f64]| sorted.partition_point(|confidence| *confidence < threshold);
        let share = |part: usize, of: usize| (of > 0).then(|| part as f64 / of as f64);
        TradeOff {
            lost_answers,
            threshold,
            accuracy: share(self.right.len() - below(&self.right), self.in_scope),
            oos_recall: share(below(&self.out_of_scope), self.out_of_scope.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(label: Option<&str>, best: &str, confidence: f64) -> Prediction {
        Prediction {
            label: label.map(str::to_owned),
            found: None,
            confidence: 0.0,
            best: Some((best.to_owned(), confidence)),
            micros: 1.0,
        }
    }

    #[test]
    fn no_more_right_answers_are_lost_than_allowed() {
        // Right ones at 0.01, 0.02 … 1.00, with one message out of scope just
        // below each.
        let mut predictions = Vec::new();
        for i in 1..=100 {
            let confidence = f64::from(i) / 100.0;
            predictions.push(prediction(Some("a"), "a", confidence));
            predictions.push(prediction(None, "a", confidence - 0.001));
        }
        let found = table(&predictions);
        let shown: Vec<_> = found
            .iter()
            .map(|t| (t.threshold, t.accuracy, t.oos_recall))
            .collect();
        let expected = [
            (0.02, Some(0.99), Some(0.02)),
            (0.04, Some(0.97), Some(0.04)),
            (0.06, Some(0.95), Some(0.06)),
            (0.11, Some(0.90), Some(0.11)),
        ];
        assert_eq!(shown, expected);
        assert_eq!(curve(&predictions)[0].accuracy, Some(1.0));
    }

    #[test]
    fn equal_confidences_are_kept_or_given_up_together() {
        let predictions = vec![prediction(Some("a"), "a", 0.5); 10];
        assert_eq!(table(&predictions)[3].accuracy, Some(1.0));
    }

    #[test]
    fn a_share_of_nothing_is_none() {
        let nothing = table(&[])[0];
        assert_eq!((nothing.accuracy, nothing.oos_recall), (None, None));
    }
}
