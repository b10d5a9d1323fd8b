//! Export and import: the new cache answers as the old one, and ages go on.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::hash_map::DefaultHasher,
    hash::BuildHasherDefault,
    iter,
    sync::{Arc, Mutex},
    time::Duration,
};

use cache_core::{
    Cache, Cause, Exported, Fill, Freshness, Imported, Lookup, ManualClock, Reuse, TagId, TtlClass,
};
use proptest::{collection::vec, prelude::*};

const CLASS: TtlClass = TtlClass::DEFAULT;
const SECOND: Duration = Duration::from_secs(1);

/// The same hashes in both caches, and so the same jitter.
type Fixed = BuildHasherDefault<DefaultHasher>;
type Store = Cache<u8, u32, ManualClock, Fixed>;

fn store(shards: usize) -> (Store, ManualClock) {
    let clock = ManualClock::new();
    let builder = Cache::builder()
        .max_entries(1_000)
        .shards(shards)
        .clock(clock.clone())
        .hasher(Fixed::default());
    (builder.build().unwrap(), clock)
}

fn plain(key: u8, value: u32, age: Duration) -> Exported<u8, u32> {
    Exported {
        key,
        value,
        class: CLASS,
        age,
        idle: age,
        ttl: None,
        negative: false,
        tags: Vec::new(),
    }
}

/// Stores are written by oldest first.
fn oldest_first(mut entries: Vec<Exported<u8, u32>>) -> Vec<Exported<u8, u32>> {
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.age));
    entries
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u8, u32, bool, Option<u64>, Vec<u8>, usize),
    Read(u8, usize),
    Advance(u64),
    InvalidateTag(u8),
    InvalidateClass(usize),
    InvalidateOdd,
}

fn op() -> impl Strategy<Value = Op> {
    let insert = (
        0u8..12,
        any::<u32>(),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.3, 0u64..20),
        vec(0u8..4, 0..4),
        0usize..2,
    );
    prop_oneof![
        6 => insert.prop_map(|(k, v, n, t, tags, c)| Op::Insert(k, v, n, t, tags, c)),
        3 => (0u8..12, 0usize..2).prop_map(|(k, c)| Op::Read(k, c)),
        3 => (0u64..6).prop_map(Op::Advance),
        1 => (0u8..4).prop_map(Op::InvalidateTag),
        1 => (0usize..2).prop_map(Op::InvalidateClass),
        1 => Just(Op::InvalidateOdd),
    ]
}

fn policy() -> impl Strategy<Value = Freshness> {
    let seconds = |most: u64| (0..=most).prop_map(Duration::from_secs);
    (
        seconds(20),
        seconds(6),
        seconds(12),
        prop::option::of(seconds(10)),
        prop::option::weighted(0.4, seconds(10)),
        prop_oneof![Just(0.0), Just(0.5)],
    )
        .prop_map(|(ttl, revalidate, on_error, negative, idle, jitter)| {
            let mut policy = Freshness::ttl(ttl)
                .with_stale_while_revalidate(revalidate)
                .with_stale_if_error(on_error)
                .with_jitter(jitter)
                .unwrap();
            policy.negative_ttl = negative;
            policy.time_to_idle = idle;
            policy
        })
}

fn classes(store: &Store, policies: [Freshness; 2]) -> [TtlClass; 2] {
    let classes = [CLASS, store.classes().define("another").unwrap()];
    for (class, policy) in classes.into_iter().zip(policies) {
        store.classes().set_freshness(class, policy);
    }
    classes
}

/// What an operation shows.
type Shown = (&'static str, Option<u32>, Duration, Duration);

fn apply(store: &Store, clock: &ManualClock, classes: [TtlClass; 2], op: &Op) -> Shown {
    let count = |removed| ("removed", Some(removed as u32), SECOND, SECOND);
    match op {
        Op::Insert(key, value, negative, ttl, tags, class) => {
            let fill = if *negative {
                Fill::negative(*value)
            } else {
                Fill::new(*value)
            };
            let mut fill = fill.tags(tags.iter().map(|tag| format!("tag {tag}")));
            if let Some(ttl) = ttl {
                fill = fill.ttl(SECOND * u32::try_from(*ttl).unwrap());
            }
            let replaced = store.insert(*key, fill, classes[*class]);
            ("inserted", replaced.ok().flatten(), SECOND, SECOND)
        }
        Op::Read(key, class) => match store.lookup(*key, classes[*class], Reuse::Any) {
            Lookup::Hit(hit) => ("hit", Some(hit.value), hit.age, hit.ttl),
            Lookup::Stale(hit, _) => ("stale", Some(hit.value), hit.age, hit.ttl),
            Lookup::Negative(hit) => ("negative", Some(hit.value), hit.age, hit.ttl),
            Lookup::Miss(_) => ("miss", None, SECOND, SECOND),
            other => panic!("{other:?}"),
        },
        Op::Advance(seconds) => {
            clock.advance(Duration::from_secs(*seconds));
            ("advanced", None, SECOND, SECOND)
        }
        Op::InvalidateTag(tag) => count(store.invalidate_tag(&format!("tag {tag}"))),
        Op::InvalidateClass(class) => count(store.invalidate_class(classes[*class])),
        Op::InvalidateOdd => count(store.invalidate_if(|_, value| value % 2 == 1)),
    }
}

fn shown(store: &Store) -> Vec<Option<(u32, Duration, Duration)>> {
    let peek = |key| store.peek(&key).map(|hit| (hit.value, hit.age, hit.ttl));
    (0..12).map(peek).collect()
}

proptest! {
    /// The old cache, had it gone on, is the model.
    #[test]
    fn prop_an_imported_cache_answers_as_the_old_one(
        shards in (1usize..4, 1usize..4),
        policies in [policy(), policy()],
        before in vec(op(), 1..60),
        down in 0u64..6,
        in_order: bool,
        after in vec(op(), 1..40),
    ) {
        let (old, old_clock) = store(shards.0);
        let old_classes = classes(&old, policies);
        for op in &before {
            apply(&old, &old_clock, old_classes, op);
        }
        let mut entries: Vec<_> = old.export().collect();
        prop_assert_eq!(entries.len(), old.len());
        let down = Duration::from_secs(down);
        for entry in &mut entries {
            entry.age += down;
            entry.idle += down;
        }
        if in_order {
            entries = oldest_first(entries);
        }
        old_clock.advance(down);

        // The clock of the new process starts at zero.
        let (new, new_clock) = store(shards.1);
        let new_classes = classes(&new, policies);
        let imported = new.import(entries);
        prop_assert_eq!(imported.stored, old.len());
        new.validate().unwrap();
        for op in &after {
            prop_assert_eq!(shown(&new), shown(&old));
            prop_assert_eq!(new.len(), old.len());
            let expected = apply(&old, &old_clock, old_classes, op);
            prop_assert_eq!(apply(&new, &new_clock, new_classes, op), expected);
        }
        new.validate().unwrap();
    }
}

#[test]
fn what_cannot_be_served_is_left_out() {
    let (store, _) = store(1);
    let entries = [
        plain(1, 1, SECOND * 300),
        plain(2, 2, SECOND * 300 + Duration::from_nanos(1)),
        Exported {
            negative: true,
            ..plain(3, 3, SECOND)
        },
        Exported {
            ttl: Some(SECOND / 2),
            ..plain(4, 4, SECOND)
        },
        plain(5, 5, Duration::MAX),
        Exported {
            tags: (0..=1_024).map(TagId::from_bits).collect(),
            ..plain(6, 6, SECOND)
        },
    ];
    let imported = store.import(entries);
    let expected = Imported {
        stored: 1,
        left_out: 5,
    };
    assert_eq!(imported, expected);
    assert_eq!(store.iter().collect::<Vec<_>>(), [(1, 1)]);
    let stats = store.stats();
    assert_eq!((stats.rejected, stats.misses, stats.expirations), (0, 0, 0));
}

#[test]
fn of_two_entries_of_a_key_the_younger_stays() {
    let causes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&causes);
    let clock = ManualClock::new();
    let store = Cache::<u8, u32>::builder()
        .max_entries(10)
        .clock(clock)
        .listener(move |_, value, cause| told.lock().unwrap().push((*value, cause)))
        .build()
        .unwrap();
    let [old, young] = [plain(1, 1, SECOND * 9), plain(1, 2, SECOND)];
    assert_eq!(store.import([old.clone(), young.clone()]).stored, 2);
    assert_eq!(store.import([old, young]).stored, 0);
    assert_eq!(store.get(&1, CLASS), Some(2));
    assert_eq!(*causes.lock().unwrap(), [(1, Cause::Replaced)]);

    store.insert(2, 3, CLASS).unwrap();
    assert_eq!(store.import([plain(2, 4, Duration::ZERO)]).stored, 0);
    assert_eq!(store.get(&2, CLASS), Some(3));
}

#[test]
fn a_key_that_is_being_filled_is_left_out() {
    let (store, _) = store(1);
    let Lookup::Miss(permit) = store.lookup(1, CLASS, Reuse::Any) else {
        panic!("nothing is stored");
    };
    assert_eq!(store.import([plain(1, 1, SECOND)]).stored, 0);
    assert_eq!(permit.fill(2), Ok(()));
    assert_eq!(store.get(&1, CLASS), Some(2));
}

#[test]
fn an_invalidation_during_the_import_wins() {
    let (store, _) = store(2);
    let tagged = |key| Exported {
        tags: vec![TagId::of("claim:1")],
        ..plain(key, 1, SECOND)
    };
    let entries = [tagged(1), plain(2, 1, SECOND)];
    let reading = iter::once_with(|| {
        // The record changes after the import has begun.
        store.invalidate_tag("claim:1");
        tagged(3)
    });
    let imported = store.import(entries.into_iter().chain(reading).chain([tagged(4)]));
    assert_eq!((imported.stored, imported.left_out), (2, 2));
    assert_eq!(store.keys().collect::<Vec<_>>(), [2]);
    // The import has ended, and counts no more.
    assert_eq!(store.import([tagged(5)]).stored, 1);
}

#[test]
fn an_entry_behind_a_younger_one_expires_in_time_and_is_counted_right() {
    let (store, clock) = store(1);
    store.insert(1, 1, CLASS).unwrap();
    store.import([plain(2, 2, SECOND * 299)]);
    assert_eq!(store.len(), 2);
    clock.advance(SECOND * 2);
    assert_eq!(store.len(), 1);
    assert_eq!(store.get(&2, CLASS), None);
    store.validate().unwrap();
}

#[test]
fn an_export_returns_tags_in_any_number() {
    let (store, _) = store(1);
    for key in 0..100 {
        let tags = (0..1_000).map(|tag| format!("{key} {tag}"));
        store.insert(key, Fill::new(1).tags(tags), CLASS).unwrap();
    }
    let exported: Vec<_> = store.export().collect();
    assert_eq!(exported.len(), 100);
    assert!(exported.iter().all(|entry| entry.tags.len() == 1_000));
    let (other, _) = self::store(3);
    assert_eq!(other.import(exported).stored, 100);
    assert_eq!(other.invalidate_tag("7 999"), 1);
    assert!(!other.contains_key(&7));
}

#[test]
fn the_time_of_the_last_read_is_kept() {
    let idle = Freshness::ttl(SECOND * 100).with_time_to_idle(SECOND * 10);
    let (old, old_clock) = store(1);
    old.classes().set_freshness(CLASS, idle);
    old.insert(1, 1, CLASS).unwrap();
    old.insert(2, 2, CLASS).unwrap();
    old_clock.advance(SECOND * 8);
    assert_eq!(old.get(&1, CLASS), Some(1));

    let (new, clock) = store(1);
    new.classes().set_freshness(CLASS, idle);
    assert_eq!(new.import(old.export()).stored, 2);
    clock.advance(SECOND * 10);
    assert_eq!(new.keys().collect::<Vec<_>>(), [1]);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(new.len(), 0);
}

#[test]
fn an_import_that_takes_long_makes_nothing_younger() {
    let (store, clock) = store(1);
    let slow = iter::once_with(|| {
        clock.advance(SECOND * 10);
        plain(1, 1, SECOND)
    });
    store.import(slow);
    assert_eq!(store.peek(&1).unwrap().age, SECOND * 11);
}

/// Kept files hold these bits: they never change.
#[test]
fn the_bits_of_a_tag_are_the_same_in_every_process() {
    assert_eq!(
        TagId::of("claim:12").bits(),
        0x221e_95db_d798_2254_dd7e_7dca_8889_b2f9
    );
}
