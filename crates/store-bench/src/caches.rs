//! The caches that are compared, and how each is built.

mod foyer;
mod locked;
mod map;
mod mini;
mod moka;
mod ours;
mod quick;

use std::fmt;

use anyhow::{Result, bail};

pub(crate) use self::{foyer::Policy, moka::Admission};
use crate::{setup::Setup, throughput::TimedCache};

/// A cache that can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `cache-core` with its default settings.
    Ours,
    /// `cache-core` with a manual clock.
    OursByHand,
    /// `cache-core` with the ticked clock.
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
    /// All kinds.
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
            None => bail!("there is no cache `{name}`"),
        }
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OursTicked | Self::OursByHand)
    }

    /// Whether its default hash function differs from the common one.
    pub(crate) fn hashes_otherwise(self) -> bool {
        matches!(
            self,
            Self::Moka(_) | Self::MiniMoka | Self::Foyer(_) | Self::DashMap
        )
    }

    pub(crate) fn build(self, setup: &Setup) -> Result<Box<dyn TimedCache>> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::setup::{Bound, Hashing, weight};
    use crate::workload;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::named(&kind.to_string()).unwrap(), kind);
        }
        assert!(Kind::named("nothing").is_err());
    }

    /// A setup's bound must reach the cache, or the figures are wrong.
    #[test]
    fn every_kind_stores_and_those_with_a_bound_keep_it() {
        for &kind in Kind::ALL {
            for hashing in [Hashing::Same, Hashing::Own] {
                let mut setup = Setup::new(Bound::Entries(1_000));
                setup.hashing = hashing;
                let check = |setup: &Setup, most: usize| {
                    let cache = kind.build(setup).unwrap();
                    for number in 0..5_000 {
                        cache.insert(workload::key(number), workload::value(200));
                        // A policy may refuse a new key, but hardly one that it knows.
                        cache.get(&workload::key(number));
                        cache.settle();
                    }
                    let found = (0..5_000).filter(|&n| cache.get(&workload::key(n)).is_some());
                    let found = found.count();
                    let unbounded = matches!(kind, Kind::DashMap | Kind::Locked);
                    let most = if unbounded { 5_000 } else { most };
                    assert!(found <= most, "{kind}: {found} of {most}");
                    assert!(found >= most / 2, "{kind}: {found} of {most}");
                    assert!(cache.len() <= most, "{kind}: {}", cache.len());
                };
                check(&setup, 1_000);
                let each = weight(&workload::value(200));
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
            cache.insert(workload::key(1), workload::value(1));
            // Their clocks are real, and may take a while to advance.
            let gone = (0..1_000_000).any(|_| cache.get(&workload::key(1)).is_none());
            assert!(gone, "{kind}");
        }
    }
}
