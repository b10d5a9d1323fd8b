//! Snapshots of the counters.

use std::{sync::Arc, time::Duration};

/// A snapshot of the counters of a cache since it was built.
///
/// Each shard keeps its counters under its lock, so that every look-up is counted exactly
/// once, as a hit or a miss. Shards are read one after another: during concurrent use,
/// different counters may be of slightly different moments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Look-ups that returned an entry, including stale and negative ones.
    pub hits: u64,
    /// Look-ups that returned no entry; an expired entry is a miss.
    pub misses: u64,
    /// Hits that returned a stale entry.
    pub stale: u64,
    /// Hits that returned a negative entry.
    pub negative: u64,
    /// Hits that returned a fresh entry with a permit to refresh it early.
    pub early_refreshes: u64,
    /// Live entries removed by invalidations.
    pub invalidations: u64,
    /// Live entries removed to keep the cache within its bound.
    pub evictions: u64,
    /// Expired entries that were removed, each counted once.
    pub expirations: u64,
    /// Misses that waited and got the value or the error of a fill, or an inserted value.
    pub coalesced: u64,
    /// Fills that ended with an error.
    pub failed_fills: u64,
    /// Fills that were not stored because of an invalidation or a newer value.
    pub refused_fills: u64,
    /// Values that were not stored because they were too large or had too many tags.
    pub rejected: u64,
    /// Live entries: those that can still be served, be it as stale or when a fill fails.
    pub entries: usize,
    /// The weight of all stored entries, in the unit of the bound (entries, or what the
    /// weigher returns). Includes expired entries that are not removed yet.
    pub weight: u64,
    /// The bound.
    pub capacity: u64,
    /// The counters per class, in order of definition. Reads count for the class that the
    /// reader named, removals for the class of the entry.
    pub classes: Vec<ClassStats>,
}

/// The counters of one class.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassStats {
    /// The name of the class.
    pub name: Arc<str>,
    /// Its TTL.
    pub ttl: Duration,
    /// Live entries.
    pub entries: usize,
    /// Look-ups that returned an entry.
    pub hits: u64,
    /// Look-ups that returned no entry.
    pub misses: u64,
    /// Hits that returned a stale entry.
    pub stale: u64,
    /// Hits that returned a negative entry.
    pub negative: u64,
    /// Hits that returned a fresh entry with a permit to refresh it early.
    pub early_refreshes: u64,
    /// Live entries removed to keep the cache within its bound.
    pub evictions: u64,
    /// Expired entries that were removed.
    pub expirations: u64,
    /// Live entries removed by invalidations.
    pub invalidations: u64,
}

impl Stats {
    /// All look-ups: `hits + misses`.
    #[must_use]
    pub fn total_requests(&self) -> u64 {
        self.hits.saturating_add(self.misses)
    }

    /// Hits as a percentage of all look-ups, rounded to two decimals as Python's
    /// `round(hits / total * 100, 2)` does; 0 without look-ups.
    ///
    /// ```
    /// # let cache = cache_core::Cache::<u32, u32>::builder().max_entries(8).build()?;
    /// assert_eq!(cache.stats().hit_rate(), 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        hit_rate(self.hits, self.total_requests())
    }
}

fn hit_rate(hits: u64, total: u64) -> f64 {
    if total == 0 {
        return 0.0;
    }
    // Exact up to 2^53, which no counter reaches.
    let percent = hits as f64 / total as f64 * 100.0;
    // Python rounds the exact value of the double, ties to even, and returns the double
    // nearest to the decimal. Formatting rounds in the same way, and parsing returns the
    // nearest double.
    format!("{percent:.2}").parse().unwrap_or(percent)
}

#[cfg(feature = "serde")]
mod json {
    //! `{"hit_rate", "cache_stats": {…}, "cache_size", …, "classes": {…}}`.

    use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

    use super::{ClassStats, Stats};

    struct CacheStats<'a>(&'a Stats);

    impl Serialize for CacheStats<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut out = serializer.serialize_struct("CacheStats", 4)?;
            out.serialize_field("hits", &self.0.hits)?;
            out.serialize_field("misses", &self.0.misses)?;
            out.serialize_field("invalidations", &self.0.invalidations)?;
            out.serialize_field("total_requests", &self.0.total_requests())?;
            out.end()
        }
    }

    struct ByName<'a>(&'a [ClassStats]);

    impl Serialize for ByName<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut out = serializer.serialize_map(Some(self.0.len()))?;
            for class in self.0 {
                out.serialize_entry(&*class.name, class)?;
            }
            out.end()
        }
    }

    impl Serialize for Stats {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut out = serializer.serialize_struct("Stats", 15)?;
            out.serialize_field("hit_rate", &self.hit_rate())?;
            out.serialize_field("cache_stats", &CacheStats(self))?;
            out.serialize_field("cache_size", &self.entries)?;
            out.serialize_field("cache_weight", &self.weight)?;
            out.serialize_field("cache_capacity", &self.capacity)?;
            out.serialize_field("evictions", &self.evictions)?;
            out.serialize_field("expirations", &self.expirations)?;
            out.serialize_field("stale", &self.stale)?;
            out.serialize_field("negative", &self.negative)?;
            out.serialize_field("early_refreshes", &self.early_refreshes)?;
            out.serialize_field("coalesced", &self.coalesced)?;
            out.serialize_field("failed_fills", &self.failed_fills)?;
            out.serialize_field("refused_fills", &self.refused_fills)?;
            out.serialize_field("rejected", &self.rejected)?;
            out.serialize_field("classes", &ByName(&self.classes))?;
            out.end()
        }
    }

    impl Serialize for ClassStats {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut out = serializer.serialize_struct("ClassStats", 10)?;
            out.serialize_field("ttl_seconds", &self.ttl.as_secs_f64())?;
            out.serialize_field("entries", &self.entries)?;
            out.serialize_field("hits", &self.hits)?;
            out.serialize_field("misses", &self.misses)?;
            out.serialize_field("stale", &self.stale)?;
            out.serialize_field("negative", &self.negative)?;
            out.serialize_field("early_refreshes", &self.early_refreshes)?;
            out.serialize_field("evictions", &self.evictions)?;
            out.serialize_field("expirations", &self.expirations)?;
            out.serialize_field("invalidations", &self.invalidations)?;
            out.end()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by CPython 3: `round(hits / total * 100, 2)`. The thirty-seconds
    /// are exact ties, which go to the even neighbour.
    #[test]
    fn the_hit_rate_is_rounded_as_python_rounds() {
        for (hits, total, expected) in [
            (0, 0, 0.0),
            (0, 5, 0.0),
            (1, 1, 100.0),
            (6, 7, 85.71),
            (1, 3, 33.33),
            (2, 3, 66.67),
            (1, 800, 0.12),
            (3, 800, 0.38),
            (5, 800, 0.62),
            (7, 800, 0.88),
            (1, 32_000, 0.0),
            (17, 160, 10.62),
            (99_999, 100_000, 100.0),
            (2_675, 100_000, 2.67),
            (1_005, 100_000, 1.0),
            (113, 800, 14.12),
            (1, 32, 3.12),
            (3, 32, 9.38),
            (5, 32, 15.62),
            (7, 32, 21.88),
            (9, 32, 28.12),
            (23, 32, 71.88),
            (161_042_648, 2_179_419_894, 7.39),
            (4_713_428_434, 5_101_867_206, 92.39),
            (1_552_984_408, 8_261_117_832, 18.8),
        ] {
            let found = hit_rate(hits, total);
            assert_eq!(found.to_bits(), f64::to_bits(expected), "{hits} of {total}");
        }
    }

    #[cfg(feature = "serde")]
    #[test]
    fn the_json_has_the_documented_shape() -> Result<(), Box<dyn std::error::Error>> {
        let stats = Stats {
            hits: 6,
            misses: 1,
            entries: 1,
            classes: vec![ClassStats {
                name: "default".into(),
                ttl: Duration::from_secs(300),
                entries: 1,
                hits: 6,
                misses: 1,
                stale: 2,
                negative: 0,
                early_refreshes: 0,
                evictions: 0,
                expirations: 0,
                invalidations: 0,
            }],
            ..Stats::default()
        };
        let json = serde_json::to_value(&stats)?;
        assert_eq!(json["hit_rate"], 85.71);
        assert_eq!(
            json["cache_stats"],
            serde_json::json!({"hits": 6, "misses": 1, "invalidations": 0, "total_requests": 7})
        );
        assert_eq!(json["cache_size"], 1);
        assert_eq!(json["classes"]["default"]["ttl_seconds"], 300.0);
        assert_eq!(json["classes"]["default"]["stale"], 2);
        Ok(())
    }
}
