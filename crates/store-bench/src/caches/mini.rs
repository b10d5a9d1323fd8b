//! mini-moka's synchronous cache, with its own time to live.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use hashbrown::DefaultHashBuilder;
use mini_moka::sync::{Cache, ConcurrentCacheExt as _};

use crate::{
    setup::{BenchCache, Bound, Hashing, Setup, weight},
    throughput::TimedCache,
    workload::{Key, Value},
};

pub(super) fn build(setup: &Setup) -> Box<dyn TimedCache> {
    match setup.hashing {
        Hashing::Same => with(setup, DefaultHashBuilder::default()),
        Hashing::Own => with(setup, RandomState::new()),
    }
}

fn with<S>(setup: &Setup, hasher: S) -> Box<dyn TimedCache>
where
    S: BuildHasher + Clone + Send + Sync + 'static,
{
    let builder = match setup.bound {
        Bound::Entries(entries) => Cache::builder().max_capacity(entries as u64),
        Bound::Bytes { bytes, .. } => Cache::builder()
            .max_capacity(bytes)
            .weigher(|_: &Key, value: &Value| u32::try_from(weight(value)).unwrap_or(u32::MAX)),
    };
    let ttl = setup.ttl.max(Duration::from_nanos(1));
    let cache: Cache<Key, Value, S> = builder.time_to_live(ttl).build_with_hasher(hasher);
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
        self.sync();
        self.entry_count() > 0
    }

    fn settle(&self) {
        self.sync();
    }

    fn len(&self) -> usize {
        usize::try_from(self.entry_count()).unwrap_or(usize::MAX)
    }
}
