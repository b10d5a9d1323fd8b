//! moka's synchronous cache, with its own time to live.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use hashbrown::DefaultHashBuilder;
use moka::{policy::EvictionPolicy, sync::Cache};

use crate::{
    setup::{BenchCache, Bound, Hashing, Setup, weight},
    throughput::TimedCache,
    workload::{Key, Value},
};

/// moka's admission policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Its default.
    TinyLfu,
    Lru,
}

pub(super) fn build(setup: &Setup, admission: Admission) -> Box<dyn TimedCache> {
    match setup.hashing {
        Hashing::Same => with(setup, admission, DefaultHashBuilder::default()),
        Hashing::Own => with(setup, admission, RandomState::new()),
    }
}

fn with<S>(setup: &Setup, admission: Admission, hasher: S) -> Box<dyn TimedCache>
where
    S: BuildHasher + Clone + Send + Sync + 'static,
{
    let builder = match setup.bound {
        Bound::Entries(entries) => Cache::builder().max_capacity(entries as u64),
        Bound::Bytes { bytes, .. } => Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, value| u32::try_from(weight(value)).unwrap_or(u32::MAX)),
    };
    let policy = match admission {
        Admission::TinyLfu => EvictionPolicy::tiny_lfu(),
        Admission::Lru => EvictionPolicy::lru(),
    };
    // Zero would mean that nothing is ever stored.
    let ttl = setup.ttl.max(Duration::from_nanos(1));
    let builder = builder.eviction_policy(policy).time_to_live(ttl);
    let cache: Cache<Key, Value, S> = builder.build_with_hasher(hasher);
    Box::new(cache)
}

impl<S> BenchCache for Cache<Key, Value, S>
where
    S: BuildHasher + Clone + Send + Sync + 'static,
{
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        self.get(key)
    }

    #[inline]
    fn insert(&self, key: Key, value: Value) {
        self.insert(key, value);
    }

    /// It does not say whether it is done; its count of entries shows it.
    fn maintain(&self, _budget: usize) -> bool {
        self.run_pending_tasks();
        self.entry_count() > 0
    }

    fn settle(&self) {
        self.run_pending_tasks();
    }

    fn len(&self) -> usize {
        usize::try_from(self.entry_count()).unwrap_or(usize::MAX)
    }
}
