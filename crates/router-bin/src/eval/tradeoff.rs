//! What abstention costs and buys at each threshold.

use serde::Serialize;

use super::judge::Verdict;

/// The shares of lost answers that are told of.
const LOST: [f64; 4] = [0.01, 0.03, 0.05, 0.10];

/// What a threshold on the confidence comes to. Shares are from 0 to 1, and
/// `null` where there is nothing to take a share of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct TradeOff {
    /// The largest share of right answers that may be given up.
    pub(crate) lost_answers: f64,
    /// The highest confidence to ask for that keeps to it; 1 where all may go.
    pub(crate) threshold: f64,
    /// The share of messages in scope that are answered rightly then.
    pub(crate) accuracy: Option<f64>,
    /// The share of messages out of scope that are left unanswered then.
    pub(crate) oos_recall: Option<f64>,
}

/// The trade-off at 1, 3, 5 and 10 lost answers in 100.
pub(crate) fn table(verdicts: &[Verdict]) -> Vec<TradeOff> {
    let judged = Judged::new(verdicts);
    LOST.iter().map(|lost| judged.at(*lost)).collect()
}

/// The trade-off from no lost answer to 20 in 100, in steps of half a one.
pub(crate) fn curve(verdicts: &[Verdict]) -> Vec<TradeOff> {
    let judged = Judged::new(verdicts);
    (0..=40)
        .map(|step| judged.at(f64::from(step) / 200.0))
        .collect()
}

/// The confidences that a threshold is compared with, in ascending order.
struct Judged {
    in_scope: usize,
    /// Of the messages whose best intent is the right one.
    right: Vec<f64>,
    /// Of the messages out of scope; 0 where no intent was named.
    out_of_scope: Vec<f64>,
}

impl Judged {
    fn new(verdicts: &[Verdict]) -> Self {
        let (mut right, mut out_of_scope) = (Vec::new(), Vec::new());
        for verdict in verdicts {
            match (&verdict.label, &verdict.best) {
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
            in_scope: verdicts.iter().filter(|v| v.label.is_some()).count(),
            right,
            out_of_scope,
        }
    }

    fn at(&self, lost_answers: f64) -> TradeOff {
        // A hundredth of 300 is 3, whatever rounding makes of the product.
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

    fn verdict(label: Option<&str>, best: &str, confidence: f64) -> Verdict {
        Verdict {
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
        let mut verdicts = Vec::new();
        for i in 1..=100 {
            let confidence = f64::from(i) / 100.0;
            verdicts.push(verdict(Some("a"), "a", confidence));
            verdicts.push(verdict(None, "a", confidence - 0.001));
        }
        let found = table(&verdicts);
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
        assert_eq!(curve(&verdicts)[0].accuracy, Some(1.0));
    }

    #[test]
    fn equal_confidences_are_kept_or_given_up_together() {
        let verdicts = vec![verdict(Some("a"), "a", 0.5); 10];
        assert_eq!(table(&verdicts)[3].accuracy, Some(1.0));
    }

    #[test]
    fn nothing_to_take_a_share_of_is_no_share() {
        let nothing = table(&[])[0];
        assert_eq!((nothing.accuracy, nothing.oos_recall), (None, None));
    }
}
