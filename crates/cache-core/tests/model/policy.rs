//! The freshness policy as documented, in integers.

use std::{hash::BuildHasher, time::Duration};

use cache_core::Freshness;

use crate::{
    hashing::Steady,
    ops::{End, Key},
};

/// The policy of a class. Spans are in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) ttl: u64,
    pub(crate) revalidate: u64,
    pub(crate) on_error: u64,
    pub(crate) negative: Option<u64>,
    pub(crate) idle: Option<u64>,
    /// In quarters.
    pub(crate) jitter: u64,
    /// In sixty-fourths.
    pub(crate) early: u64,
}

/// The properties of an entry that its phase depends on, except its age.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) key: Key,
    pub(crate) negative: bool,
    /// The entry's own TTL.
    pub(crate) own: Option<u64>,
    /// The entry's age when it was last read.
    pub(crate) read_at: u64,
}

/// The phase of an entry, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Fresh,
    Stale,
    OnError,
    Gone,
}

/// Whether a reader may be chosen to refresh a fresh entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Chance {
    Never,
    Some,
    Certain,
}

/// The part of the jitter that a key gets, in units of 2^-32.
fn part(key: Key) -> u128 {
    // The low half of the hash, made odd so that it is never zero.
    u128::from(Steady.hash_one(key) as u32 | 1)
}

impl Policy {
    /// The TTL of an entry of the class; `None` if the class does not store such entries.
    pub(crate) fn life(&self, entry: Traits) -> Option<u64> {
        let promised = if entry.negative {
            self.negative?
        } else {
            self.ttl
        };
        let promised = entry.own.map_or(promised, |own| own.min(promised));
        let shorter = u128::from(promised) * u128::from(self.jitter) * part(entry.key);
        Some(promised - (shorter / 4 / (1 << 32)) as u64)
    }

    /// The phase of an entry of this age.
    pub(crate) fn phase(&self, entry: Traits, age: u64) -> Phase {
        let Some(life) = self.life(entry) else {
            return Phase::Gone;
        };
        if self
            .idle
            .is_some_and(|longest| age - entry.read_at > longest)
        {
            return Phase::Gone;
        }
        let beyond = |window: u64| u128::from(age) > u128::from(life) + u128::from(window);
        if !beyond(0) {
            Phase::Fresh
        } else if entry.negative {
            Phase::Gone
        } else if !beyond(self.revalidate) {
            Phase::Stale
        } else if !beyond(self.on_error) {
            Phase::OnError
        } else {
            Phase::Gone
        }
    }

    /// Whether a reader may be chosen to refresh a fresh value of this age and fill cost. At
    /// the very end of the TTL it always is.
    pub(crate) fn early(&self, entry: Traits, cost: u64, age: u64) -> Chance {
        let life = self.life(Traits {
            negative: false,
            ..entry
        });
        let remaining = life.and_then(|life| life.checked_sub(age));
        match remaining {
            Some(remaining) if self.early > 0 && cost >= 1_000 => {
                // The logarithm of the smallest random number, 2^-53, is less than 37 in
                // absolute value.
                let farthest = u128::from(cost) * u128::from(self.early) * 37 / 64;
                match remaining {
                    0 => Chance::Certain,
                    _ if u128::from(remaining) <= farthest => Chance::Some,
                    _ => Chance::Never,
                }
            }
            _ => Chance::Never,
        }
    }

    /// The age at which a phase ends.
    pub(crate) fn age_at(&self, entry: Traits, end: End) -> Option<u64> {
        let window = match end {
            End::Life => 0,
            End::Revalidate => self.revalidate,
            End::OnError => self.on_error,
            End::Idle => return entry.read_at.checked_add(self.idle?),
        };
        self.life(entry)?.checked_add(window)
    }

    pub(crate) fn freshness(&self) -> Freshness {
        let mut freshness = Freshness::ttl(Duration::from_nanos(self.ttl))
            .with_stale_while_revalidate(Duration::from_nanos(self.revalidate))
            .with_stale_if_error(Duration::from_nanos(self.on_error))
            .with_jitter(self.jitter as f64 / 4.0)
            .unwrap()
            .with_early_refresh(self.early as f64 / 64.0)
            .unwrap();
        freshness.negative_ttl = self.negative.map(Duration::from_nanos);
        freshness.time_to_idle = self.idle.map(Duration::from_nanos);
        freshness
    }
}

/// Jitter never extends a TTL, and never shortens it by more than the given part.
#[test]
fn the_jitter_of_the_model_keeps_the_promise() {
    let mut lives = std::collections::BTreeSet::new();
    for jitter in 0..=4 {
        for half in 0..4 {
            let key = Key { half, check: 0 };
            let policy = Policy {
                ttl: 8_000,
                revalidate: 0,
                on_error: 0,
                negative: Some(4_000),
                idle: None,
                jitter,
                early: 0,
            };
            let entry = Traits {
                key,
                negative: false,
                own: None,
                read_at: 0,
            };
            let life = policy.life(entry).unwrap();
            assert!((8_000 - 2_000 * jitter..=8_000).contains(&life));
            let negative = Traits {
                negative: true,
                ..entry
            };
            let negative = policy.life(negative).unwrap();
            assert!((4_000 - 1_000 * jitter..=4_000).contains(&negative));
            lives.insert(life);
        }
    }
    assert!(lives.len() > 12, "the keys of the model share their jitter");
}
