//! A detector's verdict on each labelled message.

use std::time::Instant;

use intent_router::{Detection, Detector};
use intent_train::Example;

use crate::bench::format::as_micros;

/// One message, what it is, and what the detector took it for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Its label; `None` for a message that is in the scope of no intent.
    pub(crate) label: Option<String>,
    /// The intent found; `None` where the detector abstained.
    pub(crate) found: Option<String>,
    /// How sure the detector said to be, from 0 to 1.
    pub(crate) confidence: f64,
    /// The best intent with its confidence, even where the detector abstained;
    /// the same as found where that is not known.
    pub(crate) best: Option<(String, f64)>,
    /// How long it took, in microseconds.
    pub(crate) micros: f64,
}

impl Verdict {
    /// Whether the message was taken for what it is: its intent found, or
    /// nothing found where there is nothing to find.
    pub(crate) fn is_right(&self) -> bool {
        self.label == self.found
    }
}

/// Asks the detector about each example, one after the other, and calls `done`
/// after each. What is timed is the detector alone, not `best`, which names the
/// best intent even where the detector abstains.
pub(crate) fn judge(
    detector: &dyn Detector,
    best: Option<&dyn Detector>,
    examples: &[Example],
    mut done: impl FnMut(),
) -> Vec<Verdict> {
    let verdict = |example: &Example| {
        let begun = Instant::now();
        let Detection { intent, confidence } = detector.detect(&example.text);
        let micros = as_micros(begun.elapsed());
        done();
        let found = (intent != Detection::UNKNOWN).then_some(intent);
        let best = match best.map(|best| best.detect(&example.text)) {
            Some(best) => {
                (best.intent != Detection::UNKNOWN).then_some((best.intent, best.confidence))
            }
            None => found.clone().map(|found| (found, confidence)),
        };
        Verdict {
            label: (!example.is_out_of_scope()).then(|| example.intent.clone()),
            found,
            confidence,
            best,
            micros,
        }
    };
    examples.iter().map(verdict).collect()
}
