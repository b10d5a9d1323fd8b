//! Counts how often each outcome occurred.

use std::collections::BTreeMap;

/// Each variant of each answer.
const ANSWERS: [&str; 28] = [
    "got",
    "not got",
    "hit",
    "early",
    "stale with a permit",
    "stale without a permit",
    "negative",
    "miss",
    "in in_flight",
    "waited: pending",
    "waited: value",
    "waited: negative",
    "waited: stale",
    "waited: failed",
    "waited: permit",
    "stored",
    "stored negative",
    "refused: invalidated",
    "refused: superseded",
    "refused: too large",
    "refused: too many tags",
    "refused: no negatives",
    "failed",
    "failed with a stand-in",
    "inserted where there was none",
    "replaced",
    "rejected: too large",
    "rejected: too many tags",
];

/// Corner cases of the answers: each end of a span from within, and combinations of two
/// conditions.
const CORNERS: [&str; 12] = [
    "hit at the end of its life",
    "hit at the end of a life of its own",
    "hit that might have been early",
    "early before the end of its life",
    "early for a limited age",
    "stale at the end of its window",
    "negative at the end of its life",
    "miss despite an entry",
    "failed with a fresh stand-in",
    "failed despite an unusable entry",
    "failed with a stand-in at the end of its window",
    "stuck behind one kept longer",
];

#[derive(Default)]
pub(crate) struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    pub(crate) fn count(&mut self, outcome: &'static str) {
        let known = ANSWERS.contains(&outcome) || CORNERS.contains(&outcome);
        assert!(known, "{outcome:?} is not expected");
        *self.0.entry(outcome).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (outcome, times) in &other.0 {
            *self.0.entry(outcome).or_default() += times;
        }
    }

    pub(crate) fn assert_each_occurs(&self, answers: u64, corners: u64) {
        let expected = ANSWERS.map(|outcome| (outcome, answers)).into_iter();
        let expected = expected.chain(CORNERS.map(|outcome| (outcome, corners)));
        let rare: Vec<_> = expected
            .filter(|(outcome, least)| self.0.get(outcome).is_none_or(|times| times < least))
            .collect();
        assert!(rare.is_empty(), "{rare:?} of {:#?}", self.0);
    }
}
