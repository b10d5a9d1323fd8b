//! A clock with wide bounds: the difference must never be visible.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use cache_core::{Cache, Clock, Freshness, Lookup, ManualClock, Moment, Reuse, TtlClass};
use proptest::prelude::*;

const CLASS: TtlClass = TtlClass::DEFAULT;
const TTL: u64 = 100;

/// A clock whose bounds may be this far before and after the present.
#[derive(Clone)]
struct Rough {
    exact: ManualClock,
    before: Arc<AtomicU64>,
    behind: Arc<AtomicU64>,
}

impl Clock for Rough {
    fn now(&self) -> Moment {
        self.exact.now()
    }

    fn bounds(&self) -> (Moment, Moment) {
        let now = self.now().as_nanos();
        let before = self.before.load(Ordering::Relaxed);
        let behind = self.behind.load(Ordering::Relaxed);
        (
            Moment::from_nanos(now.saturating_sub(before)),
            Moment::from_nanos(now + behind),
        )
    }
}

proptest! {
    /// A filled entry, dated exactly, is a hit exactly as long as its TTL, however wide the
    /// bounds are.
    #[test]
    fn prop_what_is_found_is_as_fresh_as_promised(
        before in 0..2 * TTL,
        behind in 0..2 * TTL,
        start in 0..2 * TTL,
        age in 0..3 * TTL,
        by_lookup in any::<bool>(),
    ) {
        let clock = Rough {
            exact: ManualClock::new(),
            before: Arc::new(AtomicU64::new(before)),
            behind: Arc::new(AtomicU64::new(behind)),
        };
        let cache = Cache::<u32, u32>::builder()
            .max_entries(8)
            .clock(clock.clone())
            .build()
            .unwrap();
        cache.classes().set_freshness(CLASS, Freshness::ttl(Duration::from_nanos(TTL)));
        clock.exact.advance(Duration::from_nanos(start));
        let Lookup::Miss(permit) = cache.lookup(1, CLASS, Reuse::Any) else {
            unreachable!("the cache is empty");
        };
        permit.fill(1).unwrap();
        clock.exact.advance(Duration::from_nanos(age));
        let found = if by_lookup {
            matches!(cache.lookup(1, CLASS, Reuse::Any), Lookup::Hit(_))
        } else {
            cache.get(&1, CLASS).is_some()
        };
        prop_assert_eq!(found, age <= TTL);
        let stats = cache.stats();
        prop_assert_eq!((stats.hits, stats.misses), (u64::from(found), 2 - u64::from(found)));
        cache.validate().unwrap();
    }

    /// An inserted entry, dated by the earlier bound, is never a hit longer than that.
    #[test]
    fn prop_what_is_inserted_is_dated_too_early_rather_than_too_late(
        before in 0..TTL,
        age in 0..3 * TTL,
    ) {
        let clock = Rough {
            exact: ManualClock::new(),
            before: Arc::new(AtomicU64::new(before)),
            behind: Arc::default(),
        };
        let cache = Cache::<u32, u32>::builder()
            .max_entries(8)
            .clock(clock.clone())
            .build()
            .unwrap();
        cache.classes().set_freshness(CLASS, Freshness::ttl(Duration::from_nanos(TTL)));
        clock.exact.advance(Duration::from_nanos(2 * TTL));
        cache.insert(1, 1, CLASS).unwrap();
        clock.exact.advance(Duration::from_nanos(age));
        prop_assert_eq!(cache.get(&1, CLASS).is_some(), age + before <= TTL);
    }
}
