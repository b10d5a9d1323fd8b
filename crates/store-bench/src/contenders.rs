//! The caches that are compared, behind one interface.

mod foyer;
mod locked;
mod map;
mod mini;
mod moka;
mod ours;
mod quick;

use std::{fmt, sync::Arc, time::Duration};

use anyhow::{Result, bail};
use cache_core::ManualClock;

pub(crate) use self::{foyer::Policy, moka::Admission};
use crate::{
    draw::{Key, Value},
    race::Racer,
};

/// What a section asks of a cache.
pub(crate) trait Contender: Send + Sync {
    fn get(&self, key: &Key) -> Option<Value>;

    fn insert(&self, key: Key, value: Value);

    /// A turn of what the cache offers for upkeep without traffic, and whether
    /// another turn is known to be due.
    fn maintain(&self, _budget: usize) -> bool {
        false
    }

    /// Does what the cache has put off, where it puts off anything.
    fn settle(&self) {}

    /// The number of entries held.
    fn len(&self) -> usize;
}

/// How a cache is bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// So many entries.
    Entries(usize),
    /// So many bytes by [`weight`], expected to suffice for so many entries.
    Bytes { bytes: u64, entries: usize },
}

/// How keys are hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hashing {
    /// By hashbrown's default (foldhash), the same for all.
    Same,
    /// By the default of the contender, where that is another.
    Own,
}

/// The tags that an entry of ours gets. No peer has any.
#[derive(Clone, Debug)]
pub(crate) struct Tags {
    /// How many an entry has.
    pub(crate) each: usize,
    /// Those to choose from; made beforehand, as they are no part of the cache.
    pub(crate) names: Arc<[String]>,
}

impl Tags {
    /// So many tags for each entry, out of so many.
    pub(crate) fn new(each: usize, names: usize) -> Self {
        let names = (0..names).map(|name| format!("record:{name}")).collect();
        Self { each, names }
    }
}

/// How a contender is to be built.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) bound: Bound,
    pub(crate) hashing: Hashing,
    pub(crate) ttl: Duration,
    pub(crate) tags: Tags,
    /// Whether peers hold everything in one shard where they let one choose:
    /// for hit ratios, which shards lower.
    pub(crate) unsharded: bool,
    /// The clock of [`Kind::OursByHand`].
    pub(crate) clock: ManualClock,
}

impl Setup {
    /// The setup with this bound, and defaults for the rest.
    pub(crate) fn new(bound: Bound) -> Self {
        Self {
            bound,
            hashing: Hashing::Same,
            ttl: Duration::from_secs(3_600),
            tags: Tags::new(0, 1),
            unsharded: false,
            clock: ManualClock::new(),
        }
    }
}

/// A cache that can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `cache-core` as it comes.
    Ours,
    /// `cache-core` with a clock that is moved by hand.
    OursByHand,
    /// `cache-core` with the clock that its owner ticks.
    OursTicked,
    Quick,
    /// quick_cache with the expiry kept in the value and checked on reading.
    QuickTtl,
    Moka(Admission),
    MiniMoka,
    Foyer(Policy),
    DashMap,
    /// A mutex around a hashbrown map, with the expiry in the value.
    Locked,
}

impl Kind {
    /// Every kind there is.
    pub(crate) const ALL: &[Self] = &[
        Self::Ours,
        Self::OursTicked,
        Self::OursByHand,
        Self::Quick,
        Self::QuickTtl,
        Self::Moka(Admission::TinyLfu),
        Self::Moka(Admission::Lru),
        Self::MiniMoka,
        Self::Foyer(Policy::Lru),
        Self::Foyer(Policy::Lfu),
        Self::Foyer(Policy::S3Fifo),
        Self::Foyer(Policy::Sieve),
        Self::Foyer(Policy::Fifo),
        Self::DashMap,
        Self::Locked,
    ];

    /// The kind of this name.
    pub(crate) fn named(name: &str) -> Result<Self> {
        match Self::ALL.iter().find(|kind| kind.to_string() == name) {
            Some(kind) => Ok(*kind),
            None => bail!("there is no contender `{name}`"),
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OursTicked | Self::OursByHand)
    }

    /// Whether its default hash function is another than the common one.
    pub(crate) fn hashes_otherwise(self) -> bool {
        matches!(
            self,
            Self::Moka(_) | Self::MiniMoka | Self::Foyer(_) | Self::DashMap
        )
    }

    pub(crate) fn build(self, setup: &Setup) -> Result<Box<dyn Racer>> {
        Ok(match self {
            Self::Ours => ours::build(setup, cache_core::SystemClock::new())?,
            Self::OursByHand => ours::build(setup, setup.clock.clone())?,
            Self::OursTicked => ours::build(setup, ours::ticked())?,
            Self::Quick => quick::build(setup)?,
            Self::QuickTtl => quick::build_with_expiry(setup)?,
            Self::Moka(admission) => moka::build(setup, admission),
            Self::MiniMoka => mini::build(setup),
            Self::Foyer(policy) => foyer::build(setup, policy),
            Self::DashMap => map::build(setup),
            Self::Locked => locked::build(setup),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ours => "cache-core",
            Self::OursByHand => "cache-core, manual clock",
            Self::OursTicked => "cache-core, ticked clock",
            Self::Quick => "quick_cache",
            Self::QuickTtl => "quick_cache, TTL in value",
            Self::Moka(Admission::TinyLfu) => "moka",
            Self::Moka(Admission::Lru) => "moka, LRU",
            Self::MiniMoka => "mini-moka",
            Self::Foyer(Policy::Lru) => "foyer",
            Self::Foyer(Policy::Lfu) => "foyer, LFU",
            Self::Foyer(Policy::S3Fifo) => "foyer, S3-FIFO",
            Self::Foyer(Policy::Sieve) => "foyer, SIEVE",
            Self::Foyer(Policy::Fifo) => "foyer, FIFO",
            Self::DashMap => "dashmap",
            Self::Locked => "mutex + hashbrown, TTL in value",
        })
    }
}

/// What an entry of `cache-core` costs beside the heap of its value, by its
/// README: key and value pointer, and 56 bytes more.
pub(crate) const ENTRY_BYTES: u64 = 16 + 16 + 56;

/// What an entry weighs where bytes are bounded: [`ENTRY_BYTES`], and the heap
/// of the value with its two counters, as an allocator rounds it up.
pub(crate) fn weight(value: &Value) -> u64 {
    let heap = 2 * size_of::<usize>() + value.len() + size_of::<usize>();
    ENTRY_BYTES + (heap as u64).next_multiple_of(16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::named(&kind.to_string()).unwrap(), kind);
        }
        assert!(Kind::named("nothing").is_err());
    }

    /// A setup's bound must reach the contender, or figures lie.
    #[test]
    fn every_kind_stores_and_those_with_a_bound_keep_it() {
        for &kind in Kind::ALL {
            for hashing in [Hashing::Same, Hashing::Own] {
                let mut setup = Setup::new(Bound::Entries(1_000));
                setup.hashing = hashing;
                let check = |setup: &Setup, most: usize| {
                    let cache = kind.build(setup).unwrap();
                    for number in 0..5_000 {
                        cache.insert(draw::key(number), draw::value(200));
                        // A policy may refuse a new key; one it knows, hardly.
                        cache.get(&draw::key(number));
                        cache.settle();
                    }
                    let found = (0..5_000).filter(|&n| cache.get(&draw::key(n)).is_some());
                    let found = found.count();
                    let unbounded = matches!(kind, Kind::DashMap | Kind::Locked);
                    let most = if unbounded { 5_000 } else { most };
                    assert!(found <= most, "{kind}: {found} of {most}");
                    assert!(found >= most / 2, "{kind}: {found} of {most}");
                    assert!(cache.len() <= most, "{kind}: {}", cache.len());
                };
                check(&setup, 1_000);
                let each = weight(&draw::value(200));
                setup.bound = Bound::Bytes {
                    bytes: each * 1_000,
                    entries: 1_000,
                };
                check(&setup, 1_000);
            }
        }
    }

    #[test]
    fn what_is_out_of_date_is_not_found() {
        let mut setup = Setup::new(Bound::Entries(100));
        setup.ttl = Duration::ZERO;
        for kind in [
            Kind::Ours,
            Kind::QuickTtl,
            Kind::Moka(Admission::TinyLfu),
            Kind::MiniMoka,
            Kind::Locked,
        ] {
            let cache = kind.build(&setup).unwrap();
            cache.insert(draw::key(1), draw::value(1));
            // Their clocks are real, and may take a while to move at all.
            let gone = (0..1_000_000).any(|_| cache.get(&draw::key(1)).is_none());
            assert!(gone, "{kind}");
        }
    }
}
