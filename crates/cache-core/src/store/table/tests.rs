//! The table against a multiset as a model.

use proptest::prelude::*;

use super::*;

impl Hashed for (u32, u32) {
    fn hash(&self) -> u32 {
        self.0
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u32),
    Remove(usize),
    Exchange(usize, u32),
    Shrink,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        // Few different hashes, so that they collide.
        6 => (0..4_u32, any::<u8>()).prop_map(|(high, low)| {
            Op::Insert(high.wrapping_sub(2) << 24 | u32::from(low & 3))
        }),
        2 => any::<u32>().prop_map(Op::Insert),
        4 => any::<usize>().prop_map(Op::Remove),
        3 => (any::<usize>(), 0..8_u32).prop_map(|(which, hash)| Op::Exchange(which, hash)),
        1 => Just(Op::Shrink),
    ]
}

proptest! {
    // Each step looks up every element.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 8))]

    /// Elements are found, and found again after they moved.
    #[test]
    fn prop_the_table_is_a_bag_of_elements(ops in prop::collection::vec(op(), 1..400)) {
        let mut table = Table::new(0);
        let mut model: Vec<((u32, u32), u32)> = Vec::new();
        let renamed = |model: &mut Vec<((u32, u32), u32)>, moves: &Moves| {
            for (_, at) in model {
                *at = moves.new_place(*at);
            }
        };
        for (n, op) in (0..).zip(ops) {
            match op {
                Op::Insert(hash) => {
                    let at = table.insert((hash, n));
                    model.push(((hash, n), at));
                }
                Op::Remove(which) if !model.is_empty() => {
                    let (element, at) = model.swap_remove(which % model.len());
                    prop_assert_eq!(table.remove(at), Some(element));
                    prop_assert_eq!(table.find(element.0, |other| *other == element), None);
                }
                Op::Exchange(which, hash) if !model.is_empty() => {
                    let which = which % model.len();
                    let (element, at) = &mut model[which];
                    let gone = std::mem::replace(element, (hash, n));
                    prop_assert_eq!(table.exchange(*at, *element), gone);
                    prop_assert_eq!(table.find(gone.0, |other| *other == gone), None);
                }
                Op::Remove(_) | Op::Exchange(..) => {}
                Op::Shrink => {
                    let moves = table.shrink();
                    renamed(&mut model, &moves);
                }
            }
            prop_assert_eq!(table.validate(), Ok(()));
            prop_assert_eq!(table.len(), model.len());
            for (element, at) in &model {
                prop_assert_eq!(table.find(element.0, |other| other == element), Some(*at));
            }
            prop_assert_eq!(table.iter().count(), model.len());
        }
    }
}

#[test]
fn an_empty_table_finds_nothing_and_takes_no_memory() {
    let table = Table::<(u32, u32)>::new(0);
    assert_eq!(table.find(7, |_| true), None);
    assert!(table.get(0).is_none() && table.get(NONE).is_none());
    assert_eq!((table.positions(), table.is_full()), (0, false));
}

#[test]
fn elements_stay_in_place_while_the_table_grows_and_memory_comes_back() {
    let mut table = Table::new(0);
    let places: Vec<_> = (0..1_000).map(|n| table.insert((9, n))).collect();
    for (n, at) in (0..).zip(&places) {
        assert_eq!(table.find(9, |element| element.1 == n), Some(*at));
    }
    assert!(table.chunks.capacity() * CHUNK <= 1_000 + 1_000 / 14);
    for at in &places[10..] {
        table.remove(*at);
    }
    assert!(table.is_sparse());
    table.shrink();
    table.validate().unwrap();
    assert_eq!((table.len(), table.chunks.capacity()), (10, 2));
}

#[test]
fn room_for_what_is_expected_is_asked_for_early_and_once() {
    let mut table = Table::new(1_000);
    let mut capacities: Vec<_> = (0..1_200)
        .map(|n| {
            table.insert((n, n));
            table.chunks.capacity()
        })
        .collect();
    capacities.dedup();
    assert_eq!(capacities[..6], [1, 2, 4, 8, 16, 125]);
    assert!(capacities.pop() < Some(150 + 150 / 14), "{capacities:?}");
}
