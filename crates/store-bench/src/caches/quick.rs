//! quick_cache, which has no TTL: as it is, and with the expiry in the value.

use std::{
    hash::BuildHasher,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use hashbrown::DefaultHashBuilder;
use quick_cache::{
    OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};

use crate::{
    setup::{BenchCache, Bound, Setup, weight},
    throughput::TimedCache,
    workload::{Key, Value},
};

/// Entries count 1, or their bytes.
#[derive(Clone)]
struct Scale {
    bytes: bool,
}

impl Weighter<Key, Value> for Scale {
    #[inline]
    fn weight(&self, _: &Key, value: &Value) -> u64 {
        if self.bytes { weight(value) } else { 1 }
    }
}

impl Weighter<Key, Stamped> for Scale {
    #[inline]
    fn weight(&self, _: &Key, stamped: &Stamped) -> u64 {
        if self.bytes {
            weight(&stamped.value)
        } else {
            1
        }
    }
}

/// A value with its expiry.
#[derive(Clone)]
struct Stamped {
    value: Value,
    expires: Instant,
}

type Quick<V, S> = Cache<Key, V, Scale, S, DefaultLifecycle<Key, V>>;

/// Its default hash function is foldhash, too, so there is no second
/// way of hashing.
fn cache<V: Clone, S: BuildHasher + Clone>(setup: &Setup, hasher: S) -> Result<Quick<V, S>>
where
    Scale: Weighter<Key, V>,
{
    let (entries, capacity, bytes) = match setup.bound {
        Bound::Entries(entries) => (entries, entries as u64, false),
        Bound::Bytes { bytes, entries } => (entries, bytes, true),
    };
    let mut options = OptionsBuilder::new();
    options
        .estimated_items_capacity(entries)
        .weight_capacity(capacity);
    if setup.unsharded {
        options.shards(1);
    }
    let options = options.build().map_err(|error| anyhow!("{error}"))?;
    let (scale, lifecycle) = (Scale { bytes }, DefaultLifecycle::default());
    Ok(Cache::with_options(options, scale, hasher, lifecycle))
}

pub(super) fn build(setup: &Setup) -> Result<Box<dyn TimedCache>> {
    let cache: Quick<Value, _> = cache(setup, DefaultHashBuilder::default())?;
    Ok(Box::new(cache))
}

impl<S: BuildHasher + Clone + Send + Sync> BenchCache for Quick<Value, S> {
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        self.get(key)
    }

    #[inline]
    fn insert(&self, key: Key, value: Value) {
        self.insert(key, value);
    }

    fn len(&self) -> usize {
        self.len()
    }
}

struct QuickTtl<S> {
    cache: Quick<Stamped, S>,
    ttl: Duration,
}

pub(super) fn build_with_expiry(setup: &Setup) -> Result<Box<dyn TimedCache>> {
    Ok(Box::new(QuickTtl {
        cache: cache(setup, DefaultHashBuilder::default())?,
        ttl: setup.ttl,
    }))
}

impl<S: BuildHasher + Clone + Send + Sync> BenchCache for QuickTtl<S> {
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        let found = self.cache.get(key)?;
        let now = Instant::now();
        if found.expires > now {
            return Some(found.value);
        }
        // Another thread may have stored a newer value since.
        self.cache.remove_if(key, |held| held.expires <= now);
        None
    }

    #[inline]
    fn insert(&self, key: Key, value: Value) {
        let expires = Instant::now() + self.ttl;
        self.cache.insert(key, Stamped { value, expires });
    }

    fn len(&self) -> usize {
        self.cache.len()
    }
}
