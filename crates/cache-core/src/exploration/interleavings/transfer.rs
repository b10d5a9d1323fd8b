//! Imports against invalidations, and invalidations in slices against everything else.

use std::{iter, time::Duration};

use shuttle::thread;

use super::{CLASS, Row, check_idle, explore, join, store};
use crate::{Exported, Fill, Freshness, TagId};

/// What an import reads before an invalidation that reaches it is not served after it.
#[test]
fn nothing_imported_outlives_an_invalidation() {
    explore(|| {
        let (store, _) = store(2, 1);
        let row = Row::new();
        let writer = {
            let (store, row) = (store.clone(), row.clone());
            thread::spawn(move || (0..2).for_each(|_| row.change(&store)))
        };
        let importer = {
            let (store, row) = (store.clone(), row.clone());
            thread::spawn(move || {
                store.import(iter::once_with(|| Exported {
                    key: 1,
                    value: row.read(),
                    class: CLASS,
                    age: Duration::ZERO,
                    idle: Duration::ZERO,
                    ttl: None,
                    negative: false,
                    tags: vec![TagId::of("row")],
                }));
            })
        };
        let floor = row.floor();
        if let Some(version) = store.get(&1, CLASS) {
            assert!(
                version >= floor,
                "version {version} was served after {floor}"
            );
        }
        join([writer, importer]);
        let newest = row.floor();
        assert!(store.get(&1, CLASS).is_none_or(|version| version >= newest));
        check_idle(&store);
    });
}

/// An invalidation releases the lock between two entries. One that a read moves behind an
/// entry that is stored in the meantime is removed too.
#[test]
fn an_invalidation_in_slices_leaves_nothing() {
    explore(|| {
        let (store, _) = store(8, 1);
        let minute = Duration::from_secs(60);
        let idle = Freshness::ttl(minute).with_time_to_idle(minute);
        store.classes().set_freshness(CLASS, idle);
        for key in 1..=2 {
            let _ = store.insert(key, 0, CLASS);
        }
        let other = {
            let store = store.clone();
            thread::spawn(move || {
                let _ = store.insert(3, 1, CLASS);
                store.get(&2, CLASS);
                store.get(&1, CLASS);
            })
        };
        store.invalidate_class(CLASS);
        for key in 1..=2 {
            assert_eq!(store.get(&key, CLASS), None, "key {key}");
        }
        join([other]);
        check_idle(&store);
    });
}

/// Two invalidations at once remove each entry once, and all of them.
#[test]
fn two_invalidations_in_slices_count_each_entry_once() {
    explore(|| {
        let (store, _) = store(8, 1);
        for key in 1..=3 {
            let _ = store.insert(key, Fill::new(0).tag("row"), CLASS);
        }
        let other = {
            let store = store.clone();
            thread::spawn(move || store.invalidate_tag("row"))
        };
        let removed = store.invalidate_all();
        assert_eq!(store.len(), 0);
        assert_eq!(removed + other.join().unwrap(), 3);
        check_idle(&store);
    });
}
