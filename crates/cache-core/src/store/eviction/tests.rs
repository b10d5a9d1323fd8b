//! The policy on traffic whose best hit ratio is known.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::hash_map::DefaultHasher, hash::BuildHasherDefault};

use super::*;
use crate::{Cache, ManualClock, TtlClass};

const ENTRIES: usize = 200;

/// The same hashes in every run, so that the figures repeat.
type Store = Cache<u32, (), ManualClock, BuildHasherDefault<DefaultHasher>>;

fn store() -> Store {
    Cache::builder()
        .max_entries(ENTRIES)
        .shards(1)
        .clock(ManualClock::new())
        .hasher(BuildHasherDefault::default())
        .build()
        .unwrap()
}

/// The hit ratio of the keys in percent; missed keys are inserted.
fn hits(store: &Store, keys: impl IntoIterator<Item = u32>) -> f64 {
    let class = TtlClass::DEFAULT;
    let (mut found, mut all) = (0, 0);
    for key in keys {
        all += 1;
        match store.get(&key, class) {
            Some(()) => found += 1,
            None => {
                store.insert(key, (), class).unwrap();
            }
        }
    }
    store.validate().unwrap();
    assert!(store.weight() <= ENTRIES as u64);
    100.0 * f64::from(found) / f64::from(all)
}

/// A loop over half more keys than fit. Each kept key is a hit once a round: two thirds of
/// all at best, none under LRU.
fn round_and_round(rounds: u32) -> impl Iterator<Item = u32> {
    (0..rounds * 300).map(|n| n % 300)
}

/// Each key twice, `gap` other keys apart: half are hits at best, and frequency does not
/// help.
fn once_again(from: u32, gap: u32, number: u32) -> impl Iterator<Item = u32> {
    (from..from + number).flat_map(move |n| [n, n.saturating_sub(gap)])
}

#[test]
fn a_loop_that_does_not_fit_is_kept_in_part() {
    let store = store();
    hits(&store, round_and_round(20));
    let found = hits(&store, round_and_round(20));
    assert!(found > 60.0, "{found}");
}

#[test]
fn what_comes_back_once_is_kept_until_then() {
    let store = store();
    for gap in [2, 20, 60] {
        hits(&store, once_again(1_000_000 * gap, gap, 20_000));
        let found = hits(&store, once_again(1_000_000 * gap + 20_000, gap, 5_000));
        assert!(found > 49.0, "{found} with a gap of {gap}");
    }
}

/// The window grows for the one traffic and shrinks for the other, repeatedly.
#[test]
fn the_policy_follows_a_change_of_traffic() {
    let store = store();
    for turn in 1..4 {
        hits(&store, once_again(1_000_000 * turn, 50, 20_000));
        let found = hits(&store, once_again(1_000_000 * turn + 20_000, 50, 5_000));
        assert!(found > 49.0, "{found} at turn {turn}");
        hits(&store, round_and_round(100));
        let found = hits(&store, round_and_round(20));
        assert!(found > 60.0, "{found} at turn {turn}");
    }
}

/// A flood of keys that are requested once evicts no hot key.
#[test]
fn a_flood_leaves_what_is_asked_for() {
    let store = store();
    let flood = (0..50_000_u32).flat_map(|n| [n % 100, 1_000 + n * 2, 1_001 + n * 2]);
    hits(&store, flood);
    let found = hits(&store, 0..100);
    assert!(found > 95.0, "{found}");
}

#[test]
fn marks_keep_their_facts_apart() {
    let mut marks = Marks::new(3, false);
    assert_eq!((marks.frequency(), marks.is_main()), (3, false));
    for _ in 0..9 {
        marks.touch();
    }
    assert_eq!((marks.visits(), marks.frequency()), (3, 6));
    marks.fold_visits(true);
    assert_eq!(
        (marks.visits(), marks.count(), marks.is_main()),
        (0, 6, true)
    );
    marks.touch();
    marks.halve();
    assert_eq!(
        (marks.visits(), marks.count(), marks.is_main()),
        (1, 3, true)
    );
    for _ in 0..20 {
        marks.touch();
        marks.fold_visits(false);
    }
    assert_eq!((marks.frequency(), marks.is_main()), (History::MOST, false));
}

/// A replaced entry keeps its part and its frequency.
#[test]
fn a_replaced_entry_is_no_newcomer() {
    let store = store();
    hits(&store, (0..50).flat_map(|_| 0..50));
    hits(&store, 1_000..1_500);
    for key in 0..50 {
        store.insert(key, (), TtlClass::DEFAULT).unwrap();
    }
    hits(&store, 5_000..6_000);
    let found = hits(&store, 0..50);
    assert!(found > 95.0, "{found}");
}
