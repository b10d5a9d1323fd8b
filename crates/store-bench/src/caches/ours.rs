//! `cache-core`: TTL classes, statistics and tags in use.

use std::{array, thread, time::Duration};

use anyhow::Result;
use cache_core::{Cache, Classes, Clock, Fill, Freshness, TickedClock, TtlClass};

use crate::{
    setup::{BenchCache, Bound, Setup, Tags, weight},
    throughput::TimedCache,
    workload::{Key, Value},
};

const CLASS: TtlClass = TtlClass::DEFAULT;

/// The most tags of an entry in any section.
const MOST_TAGS: usize = 3;

struct Ours<C> {
    cache: Cache<Key, Value, C>,
    tags: Tags,
}

pub(super) fn build<C: Clock + 'static>(setup: &Setup, clock: C) -> Result<Box<dyn TimedCache>> {
    let classes = Classes::default();
    classes.set_freshness(CLASS, Freshness::ttl(setup.ttl));
    let builder = match setup.bound {
        Bound::Entries(entries) => Cache::builder().max_entries(entries),
        Bound::Bytes { bytes, .. } => {
            Cache::builder().max_weight(bytes, |_: &Key, value: &Value| weight(value))
        }
    };
    Ok(Box::new(Ours {
        cache: builder.classes(classes).clock(clock).build()?,
        tags: setup.tags.clone(),
    }))
}

/// A clock that a thread ticks every millisecond while the benchmark runs.
pub(super) fn ticked() -> TickedClock {
    let clock = TickedClock::new(Duration::from_secs(1));
    clock.tick();
    let ours = clock.clone();
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_millis(1));
            clock.tick();
        }
    });
    ours
}

impl<C> Ours<C> {
    /// The tags of a key: consecutive names, from a position that the key decides.
    fn tags_of(&self, key: &Key) -> [&str; MOST_TAGS] {
        let first = usize::from(u16::from_le_bytes([key[0], key[1]])) | usize::from(key[2]) << 16;
        let names = &self.tags.names;
        array::from_fn(|n| names[(first + n) % names.len()].as_str())
    }
}

impl<C: Clock> BenchCache for Ours<C> {
    #[inline]
    fn get(&self, key: &Key) -> Option<Value> {
        self.cache.get(key, CLASS)
    }

    #[inline]
    fn insert(&self, key: Key, value: Value) {
        if self.tags.each == 0 {
            drop(self.cache.insert(key, value, CLASS));
        } else {
            let tags = self.tags_of(&key);
            drop(
                self.cache
                    .insert(key, Fill::new(value).tags(&tags[..self.tags.each]), CLASS),
            );
        }
    }

    fn maintain(&self, budget: usize) -> bool {
        self.cache.maintain(budget).more
    }

    fn len(&self) -> usize {
        self.cache.len()
    }
}
