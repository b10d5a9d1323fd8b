//! foyer's in-memory cache, which has no TTL.

use foyer_memory::{
    Cache, CacheBuilder, CacheProperties, EvictionConfig, FifoConfig, LfuConfig, LruConfig,
    S3FifoConfig, SieveConfig,
};
use hashbrown::DefaultHashBuilder;

use crate::{
    setup::{BenchCache, Bound, Hashing, Setup, weight},
    throughput::TimedCache,
    workload::{Key, Value},
};

/// foyer's eviction policy, with its default settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Its default.
    Lru,
    Lfu,
    S3Fifo,
    Sieve,
    Fifo,
}

impl Policy {
    fn config(self) -> EvictionConfig {
        match self {
            Self::Lru => LruConfig::default().into(),
            Self::Lfu => LfuConfig::default().into(),
            Self::S3Fifo => S3FifoConfig::default().into(),
            Self::Sieve => SieveConfig.into(),
            Self::Fifo => FifoConfig::default().into(),
        }
    }
}

pub(super) fn build(setup: &Setup, policy: Policy) -> Box<dyn TimedCache> {
    let (capacity, by_bytes) = match setup.bound {
        Bound::Entries(entries) => (entries, false),
        Bound::Bytes { bytes, .. } => (usize::try_from(bytes).unwrap_or(usize::MAX), true),
    };
    let mut builder = CacheBuilder::new(capacity).with_eviction_config(policy.config());
    if by_bytes {
        builder = builder.with_weighter(|_, value: &Value| weight(value) as usize);
    }
    if setup.unsharded {
        builder = builder.with_shards(1);
    }
    match setup.hashing {
        Hashing::Same => {
            let builder = builder.with_hash_builder(DefaultHashBuilder::default());
            Box::new(builder.build::<CacheProperties>())
        }
        Hashing::Own => Box::new(builder.build::<CacheProperties>()),
    }
}

impl<S> BenchCache for Cache<Key, Value, S>
where
    S: std::hash::BuildHasher + Send + Sync + 'static,
{
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        // It lends the value with a handle; the comparison is of owned values.
        self.get(key).map(|entry| Value::clone(entry.value()))
    }

    #[inline]
    fn insert(&self, key: Key, value: Value) {
        drop(self.insert(key, value));
    }

    fn len(&self) -> usize {
        self.entries()
    }
}
