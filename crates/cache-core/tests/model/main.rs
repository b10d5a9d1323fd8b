//! The cache against a naive model: the same operations must give the same answers and
//! counts, and leave consistent internal links; and against a ledger of all stored values,
//! in which every answer must be found.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hashing;
mod ledger;
mod ops;
mod oracle;
mod pair;
mod policy;
mod tally;

use ledger::Ledger;
use ops::{CLASSES, ops, policy};
use pair::Pair;
use proptest::{array::uniform3, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use tally::Tally;

fn agrees(shards: usize, policies: [policy::Policy; CLASSES], ops: &[ops::Op]) -> Tally {
    let mut pair = Pair::new(shards, policies);
    for op in ops {
        pair.apply(op);
    }
    pair.finish()
}

proptest! {
    #[test]
    fn prop_agrees_with_the_model(
        shards in 1usize..4,
        policies in uniform3(policy()),
        ops in ops(100),
    ) {
        agrees(shards, policies, &ops);
    }

    /// With a small bound evictions are not predicted, but answers are checked: each is the
    /// value stored last, within its windows, and not invalidated before the request; and
    /// the bound holds.
    #[test]
    fn prop_keeps_its_bound_and_tells_no_lies(
        capacity in 1u64..24,
        shards in 1usize..5,
        policies in uniform3(policy()),
        ops in ops(120),
    ) {
        let mut ledger = Ledger::new(capacity, shards, policies);
        for op in &ops {
            ledger.apply(op);
        }
    }
}

/// The random operations reach every outcome, or the model would not test it.
#[test]
fn every_outcome_occurs_often_in_a_thousand_cases() {
    let mut runner = TestRunner::deterministic();
    let cases = (1usize..4, uniform3(policy()), ops(100));
    let mut tally = Tally::default();
    for _ in 0..1_000 {
        let tree = cases.new_tree(&mut runner).unwrap();
        let (shards, policies, ops) = tree.current();
        tally.add(&agrees(shards, policies, &ops));
    }
    tally.assert_each_occurs(50, 10);
}
