//! The listener is called once for each removed entry, with its cause and without a lock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock, Weak},
    time::Duration,
};

use cache_core::{Cache, Cause, Fill, Freshness, Lookup, ManualClock, Outcome, Reuse, TtlClass};
use proptest::prelude::*;

type Store = Cache<u8, u32, ManualClock>;

/// The calls of the listener: for each value, its key and cause.
type Told = Arc<Mutex<BTreeMap<u32, (u8, Cause)>>>;

/// A store whose listener reads from it, which proves that no lock is held.
fn store(max: usize) -> (Arc<Store>, ManualClock, Told) {
    let (clock, told) = (ManualClock::new(), Told::default());
    let (sink, own) = (Arc::clone(&told), Arc::new(OnceLock::<Weak<Store>>::new()));
    let itself = Arc::clone(&own);
    let cache = Cache::builder()
        .max_entries(max)
        .shards(2)
        .clock(clock.clone())
        .listener(move |key, value, cause| {
            let cache = itself.get().and_then(Weak::upgrade).unwrap();
            assert!(cache.peek(key).is_none_or(|hit| hit.value != *value));
            let before = sink.lock().unwrap().insert(*value, (*key, cause));
            assert_eq!(before, None, "{value} left twice");
        });
    let cache = Arc::new(cache.build().unwrap());
    own.set(Arc::downgrade(&cache)).unwrap();
    (cache, clock, told)
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u8, bool),
    Fill(u8, bool),
    Fetch(u8),
    Get(u8),
    Remove(u8),
    Tag(u8),
    Half,
    Class(bool),
    All,
    Advance(u8),
    Maintain,
    Resize(u8),
}

fn op() -> impl Strategy<Value = Op> {
    let key = || 0_u8..12;
    prop_oneof![
        6 => (key(), any::<bool>()).prop_map(|(key, long)| Op::Insert(key, long)),
        4 => (key(), any::<bool>()).prop_map(|(key, negative)| Op::Fill(key, negative)),
        3 => key().prop_map(Op::Fetch),
        3 => key().prop_map(Op::Get),
        2 => key().prop_map(Op::Remove),
        2 => key().prop_map(Op::Tag),
        1 => Just(Op::Half),
        1 => any::<bool>().prop_map(Op::Class),
        1 => Just(Op::All),
        4 => (0_u8..50).prop_map(Op::Advance),
        2 => Just(Op::Maintain),
        2 => (1_u8..9).prop_map(Op::Resize),
    ]
}

const TAGS: [&str; 3] = ["a", "b", "c"];

proptest! {
    #[test]
    fn prop_each_removed_entry_is_reported_once_and_counted(
        max in 1_usize..8,
        ops in prop::collection::vec(op(), 1..80),
    ) {
        let (cache, clock, told) = store(max);
        let classes = [TtlClass::DEFAULT, cache.classes().define("another").unwrap()];
        let seconds = Duration::from_secs;
        let short = Freshness::ttl(seconds(60)).with_negative_ttl(seconds(30));
        cache.classes().set_freshness(classes[0], short);
        let (mut next, mut stored) = (0, BTreeSet::new());
        for op in ops {
            next += 1;
            match op {
                Op::Insert(key, long) => {
                    let class = classes[usize::from(long)];
                    let tag = TAGS[usize::from(key) % 3];
                    match cache.insert(key, Fill::new(next).tag(tag), class) {
                        Ok(None) => {}
                        Ok(Some(old)) => {
                            let told = told.lock().unwrap();
                            prop_assert_eq!(told.get(&old), Some(&(key, Cause::Replaced)));
                        }
                        rejected => panic!("{rejected:?} of a small entry"),
                    }
                    stored.insert(next);
                }
                Op::Fill(key, negative) => {
                    let Lookup::Miss(permit) = cache.lookup(key, classes[0], Reuse::Nothing) else {
                        panic!("nothing was accepted");
                    };
                    let filled = if negative {
                        permit.fill(Fill::negative(next).tag("n"))
                    } else {
                        permit.fill(Fill::new(next).tag("f"))
                    };
                    prop_assert_eq!(filled, Ok(()));
                    stored.insert(next);
                }
                Op::Fetch(key) => {
                    let fill = || Ok::<_, std::io::Error>(Fill::new(next).tag("c"));
                    let fetched = cache.fetch(&key, classes[1]).fill_blocking(fill).unwrap();
                    if fetched.outcome == Outcome::Filled(Ok(())) {
                        stored.insert(next);
                    }
                }
                Op::Get(key) => drop(cache.get(&key, classes[0])),
                Op::Remove(key) => {
                    if let Some(value) = cache.remove(&key) {
                        let told = told.lock().unwrap();
                        prop_assert_eq!(told.get(&value), Some(&(key, Cause::Invalidated)));
                    }
                }
                Op::Tag(key) => drop(cache.invalidate_tag(TAGS[usize::from(key) % 3])),
                Op::Half => drop(cache.invalidate_if(|key, _| key % 2 == 0)),
                Op::Class(long) => drop(cache.invalidate_class(classes[usize::from(long)])),
                Op::All => drop(cache.invalidate_all()),
                Op::Advance(by) => clock.advance(seconds(by.into())),
                Op::Maintain => drop(cache.maintain(2)),
                Op::Resize(to) => {
                    cache.set_capacity(to.into()).unwrap();
                    prop_assert!(cache.weight() <= u64::from(to));
                }
            }
        }
        cache.maintain(usize::MAX);
        let told = told.lock().unwrap();
        let left: BTreeSet<_> = cache.iter().map(|(_, value)| value).collect();
        let gone: BTreeSet<_> = told.keys().copied().collect();
        prop_assert!(left.is_disjoint(&gone));
        prop_assert_eq!(left.union(&gone).copied().collect::<BTreeSet<_>>(), stored);
        let count = |cause| told.values().filter(|(_, told)| *told == cause).count() as u64;
        let stats = cache.stats();
        prop_assert_eq!(count(Cause::Expired), stats.expirations);
        prop_assert_eq!(count(Cause::Evicted), stats.evictions);
        prop_assert_eq!(count(Cause::Invalidated), stats.invalidations);
    }
}
