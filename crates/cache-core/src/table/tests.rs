//! The table against a bag of elements.

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
    Grow,
    Shrink,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        // Few different hashes, at both ends, so that they meet and pass groups
        // by, the last one too.
        8 => (0..4_u32, any::<u8>()).prop_map(|(high, low)| {
            Op::Insert((high.wrapping_sub(2) << 24) | u32::from(low & 7))
        }),
        2 => any::<u32>().prop_map(Op::Insert),
        4 => any::<usize>().prop_map(Op::Remove),
        1 => Just(Op::Grow),
        1 => Just(Op::Shrink),
    ]
}

fn insert(table: &mut Table<(u32, u32)>, element: (u32, u32)) -> (u32, Option<Moves>) {
    let moves = table.is_full().then(|| table.grow());
    (table.insert(element), moves)
}

proptest! {
    /// Elements are found, and found again after they moved.
    #[test]
    fn prop_the_table_is_a_bag_of_elements(ops in prop::collection::vec(op(), 1..400)) {
        let mut table = Table::new();
        let mut model: Vec<((u32, u32), u32)> = Vec::new();
        let rename = |model: &mut Vec<((u32, u32), u32)>, moves: Moves| {
            for (_, at) in model {
                *at = moves.new_place(*at);
            }
        };
        for (n, op) in (0..).zip(ops) {
            match op {
                Op::Insert(hash) => {
                    let (at, moves) = insert(&mut table, (hash, n));
                    if let Some(moves) = moves {
                        rename(&mut model, moves);
                    }
                    model.push(((hash, n), at));
                }
                Op::Remove(which) if !model.is_empty() => {
                    let (element, at) = model.swap_remove(which % model.len());
                    prop_assert_eq!(table.remove(at), Some(element));
                    prop_assert_eq!(table.find(element.0, |other| *other == element), None);
                    prop_assert!(table.find_mut(element.0, |other| *other == element).is_none());
                }
                Op::Remove(_) => {}
                Op::Grow => rename(&mut model, table.grow()),
                Op::Shrink => rename(&mut model, table.shrink()),
            }
            prop_assert_eq!(table.validate(), Ok(()));
            prop_assert_eq!(table.len(), model.len());
            for (element, at) in &model {
                prop_assert_eq!(table.find(element.0, |other| other == element), Some(*at));
                let found = table.find_mut(element.0, |other| other == element).copied();
                prop_assert_eq!(found, Some(*element));
            }
            prop_assert_eq!(table.iter().count(), model.len());
        }
    }
}

#[test]
fn an_empty_table_finds_nothing_and_takes_no_memory() {
    let mut table = Table::<(u32, u32)>::new();
    assert_eq!(table.find(7, |_| true), None);
    assert_eq!(table.find_mut(7, |_| true), None);
    assert!(table.get(0).is_none() && table.get(NONE).is_none());
    assert_eq!((table.positions(), table.is_full()), (0, true));
}

/// A group that more elements passed by than it can count is right all the same.
#[test]
fn a_group_stays_passed_once_it_has_lost_count() {
    let mut table = Table::new();
    let places: Vec<_> = (0..600)
        .map(|n| (n, insert(&mut table, (1, n)).0))
        .collect();
    table.validate().unwrap();
    assert_eq!(table.passed[0], UNCOUNTED);
    for (n, _) in &places[20..] {
        let at = table.find(1, |element| element.1 == *n).unwrap();
        assert_eq!(table.remove(at), Some((1, *n)));
    }
    table.validate().unwrap();
    assert_eq!(table.passed[0], UNCOUNTED);
    assert_eq!(table.find(1, |element| element.1 == 599), None);
    assert!(table.find(1, |element| element.1 == 19).is_some());
}

/// Some element passed each of the groups by: a look-up goes round once.
#[test]
fn a_look_up_ends_where_every_group_was_passed_by() {
    let mut table = Table::new();
    table.grow();
    table.grow();
    assert_eq!(table.groups.len(), 2);
    let (low, high) = (1, u32::MAX);
    let insert_some = |table: &mut Table<(u32, u32)>, hash, some: std::ops::Range<u32>| {
        some.map(|n| table.insert((hash, n))).collect::<Vec<_>>()
    };
    let mine = insert_some(&mut table, low, 0..17);
    for at in &mine[..14] {
        table.remove(*at);
    }
    insert_some(&mut table, high, 100..116);
    table.validate().unwrap();
    assert!(table.passed.iter().all(|&passed| passed > 0));
    assert_eq!(table.find(low, |element| element.1 == 99), None);
    assert!(table.find_mut(high, |element| element.1 == 99).is_none());
}

#[test]
fn growth_leaves_little_room_and_memory_comes_back() {
    let mut table = Table::new();
    let mut least_full = 1.0_f64;
    for n in 0..20_000_u32 {
        // Any odd factor spreads the numbers over all hashes.
        insert(&mut table, (n.wrapping_mul(0x9E37_79B1), n));
        if n > 2_000 {
            least_full = least_full.min(table.len() as f64 / table.positions() as f64);
        }
    }
    assert!(least_full > 0.82, "{least_full}");
    for n in 10..20_000_u32 {
        let hash = n.wrapping_mul(0x9E37_79B1);
        let at = table.find(hash, |element| element.1 == n).unwrap();
        table.remove(at);
    }
    assert!(table.is_sparse());
    table.shrink();
    table.validate().unwrap();
    assert_eq!((table.len(), table.positions()), (10, 16));
}
