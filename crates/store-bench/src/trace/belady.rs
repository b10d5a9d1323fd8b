//! The offline optimum: evicts the key whose next use is the farthest away.
//!
//! L. A. Belady, "A study of replacement algorithms for a virtual-storage
//! computer", IBM Systems Journal 5(2), 1966. A missed key need not be
//! stored: some caches refuse new keys, and this is a bound for all of them.

use std::collections::{BTreeSet, HashMap};

/// The most hits that a cache with room for `capacity` entries can have on these keys.
pub(crate) fn most_hits(keys: &[u32], capacity: usize) -> usize {
    let nexts = next_uses(keys);
    // Each resident key as the position of its next use, which is unique.
    let mut resident = BTreeSet::new();
    let mut hits = 0;
    for (place, next) in nexts.into_iter().enumerate() {
        hits += usize::from(resident.remove(&place));
        // A key that is never used again is not stored.
        if let Some(next) = next {
            resident.insert(next);
            if resident.len() > capacity {
                resident.pop_last();
            }
        }
    }
    hits
}

/// For each position, the next position with the same key.
fn next_uses(keys: &[u32]) -> Vec<Option<usize>> {
    let mut nexts = vec![None; keys.len()];
    let mut seen = HashMap::new();
    for (place, key) in keys.iter().enumerate().rev() {
        nexts[place] = seen.insert(key, place);
    }
    nexts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tries every choice: on a miss, to leave the key out, or to store it in
    /// place of any other.
    fn by_trying(keys: &[u32], capacity: usize, resident: &[u32]) -> usize {
        let Some((key, rest)) = keys.split_first() else {
            return 0;
        };
        if resident.contains(key) {
            return 1 + by_trying(rest, capacity, resident);
        }
        let mut best = by_trying(rest, capacity, resident);
        let with = |others: Vec<u32>| by_trying(rest, capacity, &[&others[..], &[*key]].concat());
        if resident.len() < capacity {
            return best.max(with(resident.to_vec()));
        }
        for leaving in 0..resident.len() {
            let mut others = resident.to_vec();
            others.remove(leaving);
            best = best.max(with(others));
        }
        best
    }

    #[test]
    fn a_known_sequence_has_its_known_hits() {
        // The sequence of the textbooks: nine faults, so eleven hits, where
        // every missed key must be stored. Leaving some out adds one.
        let keys = [7, 0, 1, 2, 0, 3, 0, 4, 2, 3, 0, 3, 2, 1, 2, 0, 1, 7, 0, 1];
        assert_eq!(most_hits(&keys, 3), 12);
        assert_eq!(most_hits(&keys, 0), 0);
        assert_eq!(most_hits(&keys, 6), 20 - 6);
        // Leaving the second key out keeps the first.
        assert_eq!(most_hits(&[1, 2, 1], 1), 1);
        assert_eq!(most_hits(&[], 1), 0);
    }

    proptest! {
        #[test]
        fn prop_no_choice_of_who_leaves_hits_more(
            keys in prop::collection::vec(0_u32..5, 0..10),
            capacity in 0_usize..4,
        ) {
            prop_assert_eq!(most_hits(&keys, capacity), by_trying(&keys, capacity, &[]));
        }
    }
}
