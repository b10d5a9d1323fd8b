//! dashmap: a sharded hash map, with neither a bound nor a TTL.

use std::hash::{BuildHasher, RandomState};

use dashmap::DashMap;
use hashbrown::DefaultHashBuilder;

use crate::{
    setup::{BenchCache, Hashing, Setup},
    throughput::TimedCache,
    workload::{Key, Value},
};

pub(super) fn build(setup: &Setup) -> Box<dyn TimedCache> {
    match setup.hashing {
        Hashing::Same => Box::new(DashMap::with_hasher(DefaultHashBuilder::default())),
        Hashing::Own => Box::new(DashMap::with_hasher(RandomState::new())),
    }
}

impl<S: BuildHasher + Clone + Send + Sync> BenchCache for DashMap<Key, Value, S> {
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        self.get(key).map(|entry| Value::clone(entry.value()))
    }

    #[inline]
    fn insert(&self, key: Key, value: Value) {
        drop(self.insert(key, value));
    }

    fn len(&self) -> usize {
        self.len()
    }
}
