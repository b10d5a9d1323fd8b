//! The simplest cache: a mutex around a hash map, with the expiry in the value and
//! without a bound.

use std::time::{Duration, Instant};

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::{
    setup::{BenchCache, Setup},
    throughput::TimedCache,
    workload::{Key, Value},
};

struct Locked {
    map: Mutex<HashMap<Key, (Value, Instant)>>,
    ttl: Duration,
}

pub(super) fn build(setup: &Setup) -> Box<dyn TimedCache> {
    Box::new(Locked {
        map: Mutex::new(HashMap::new()),
        ttl: setup.ttl,
    })
}

impl BenchCache for Locked {
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        let now = Instant::now();
        let mut map = self.map.lock();
        let (value, expires) = map.get(key)?;
        if *expires > now {
            return Some(Value::clone(value));
        }
        map.remove(key);
        None
    }

    #[inline]
    fn insert(&self, key: Key, value: Value) {
        let expires = Instant::now() + self.ttl;
        self.map.lock().insert(key, (value, expires));
    }

    fn len(&self) -> usize {
        self.map.lock().len()
    }
}
