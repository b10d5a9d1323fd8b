//! dashmap: a sharded hash map, with neither a bound nor a TTL.

use std::hash::{BuildHasher, RandomState};

use dashmap::DashMap;
use hashbrown::DefaultHashBuilder;

use super::{Contender, Hashing, Setup};
use crate::{
    draw::{Key, Value},
    race::Racer,
};

pub(super) fn build(setup: &Setup) -> Box<dyn Racer> {
    match setup.hashing {
        Hashing::Same => Box::new(DashMap::with_hasher(DefaultHashBuilder::default())),
        Hashing::Own => Box::new(DashMap::with_hasher(RandomState::new())),
    }
}

impl<S: BuildHasher + Clone + Send + Sync> Contender for DashMap<Key, Value, S> {
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
