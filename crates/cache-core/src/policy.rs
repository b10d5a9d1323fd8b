//! What an entry's age makes of it: one pure function, and what it judges by.
//!
//! ```text
//! age   0 ──────────── ttl ──── + stale_while_revalidate ──── + stale_if_error ──
//!       Fresh (or Early)  Stale                       OnError                Gone
//! ```
//!
//! Every span is closed at its end: an entry exactly as old as its TTL is
//! fresh. Both windows begin where freshness ends, and the longer of them tells
//! how long an entry is kept.

use std::num::NonZeroU32;

use crate::{freshness::Freshness, span::Span};

/// The part of a hash that entries keep: the low half, made odd so that it is
/// never zero. It decides how much jitter falls on an entry, too.
pub(crate) fn stored_hash(hash: u64) -> NonZeroU32 {
    NonZeroU32::MIN | hash as u32
}

/// A policy in the units of the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Policy {
    ttl: u64,
    stale_while_revalidate: u64,
    stale_if_error: u64,
    negative_ttl: Option<u64>,
    time_to_idle: Option<u64>,
    /// In units of 2^-32.
    jitter: u64,
    early_refresh: f64,
}

/// What an entry is, apart from its age.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) negative: bool,
    /// Of the key; decides how much of the jitter falls on this entry.
    pub(crate) hash: u32,
    pub(crate) cost: FillCost,
    /// Its own TTL.
    pub(crate) ttl: Option<Span>,
    /// How old it was when it was last read.
    pub(crate) read_at: Span,
}

/// Where an entry stands, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Fresh,
    /// Fresh, but whoever asks should make it anew.
    Early,
    /// May be served while it is made anew.
    Stale,
    /// May be served where making it anew failed.
    OnError,
    /// Of no use to anyone.
    Gone,
}

/// Where an entry stands, and how long it was fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evaluation {
    pub(crate) phase: Phase,
    pub(crate) ttl: u64,
}

impl Evaluation {
    /// What holds under both of two policies.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            phase: self.phase.max(other.phase),
            ttl: self.ttl.min(other.ttl),
        }
    }
}

impl From<&Freshness> for Policy {
    fn from(freshness: &Freshness) -> Self {
        use crate::clock::nanos;
        Self {
            ttl: nanos(freshness.ttl),
            stale_while_revalidate: nanos(freshness.stale_while_revalidate),
            stale_if_error: nanos(freshness.stale_if_error),
            negative_ttl: freshness.negative_ttl.map(nanos),
            time_to_idle: freshness.time_to_idle.map(nanos),
            // Between 0 and 1, so that the product fits.
            jitter: (freshness.jitter() * 4_294_967_296.0) as u64,
            early_refresh: freshness.early_refresh(),
        }
    }
}

impl Policy {
    /// The age below which every [plain](Origin::is_plain) entry is fresh and not
    /// due for a refresh, whatever its hash, and a read of it need not be remembered.
    pub(crate) fn fresh_below(&self) -> u64 {
        if self.early_refresh > 0.0 || self.time_to_idle.is_some() {
            // Chance decides, or the last read, at any age.
            return 0;
        }
        let most = (u128::from(self.ttl) * u128::from(self.jitter)) >> 32;
        let least = self.ttl - u64::try_from(most).unwrap_or(self.ttl);
        least.saturating_add(1)
    }

    /// The age up to which no entry of a queue without TTLs of their own can be gone;
    /// `None` if any may be.
    pub(crate) fn kept_for(&self, negative: bool) -> Option<u64> {
        if self.time_to_idle.is_some() {
            return None;
        }
        // The hash that draws the greatest part of the jitter.
        let worst = self.ttl_for(negative, None, u32::MAX)?;
        Some(if negative {
            worst
        } else {
            worst.saturating_add(self.stale_while_revalidate.max(self.stale_if_error))
        })
    }

    /// Whether reads of entries are to be remembered.
    pub(crate) fn has_time_to_idle(&self) -> bool {
        self.time_to_idle.is_some()
    }

    /// How long a value with this hash, and without a TTL of its own, is fresh.
    pub(crate) fn ttl_of(&self, hash: u64) -> u64 {
        self.ttl_for(false, None, stored_hash(hash).get())
            .unwrap_or(0)
    }

    /// How long the entry is fresh. The jitter takes away a part that the hash
    /// decides, so that entries written together do not expire together, and so
    /// that asking twice gives the same answer.
    fn ttl_for(&self, negative: bool, own: Option<Span>, hash: u32) -> Option<u64> {
        let promised = if negative {
            self.negative_ttl?
        } else {
            self.ttl
        };
        let promised = own.map_or(promised, |own| promised.min(own.nanos()));
        if self.jitter == 0 {
            return Some(promised);
        }
        let part = u128::from(self.jitter) * u128::from(hash);
        // The part is below 2^64, so that this neither overflows nor takes all.
        let shorter = (u128::from(promised) * part) >> 64;
        Some(promised - u64::try_from(shorter).unwrap_or(promised))
    }

    /// Whether to make an entry anew although it has `remaining` nanoseconds:
    /// the more probable, the nearer its end and the longer it takes to make.
    ///
    /// Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede
    /// Prevention" (VLDB 2015).
    fn is_early(&self, remaining: u64, cost: FillCost, random: impl FnOnce() -> u64) -> bool {
        let scale = cost.nanos() as f64 * self.early_refresh;
        let remaining = remaining as f64;
        // 53 random bits have a logarithm of at most 36.8; most entries are so
        // far from their end that no draw could choose them.
        if scale == 0.0 || remaining > scale * 37.0 {
            return false;
        }
        let uniform = ((random() >> 11) + 1) as f64 / 9_007_199_254_740_992.0;
        scale * -uniform.ln() >= remaining
    }

    /// Judges an entry by its age. Draws a random number only where early
    /// refresh may apply.
    pub(crate) fn evaluate(
        &self,
        age: u64,
        traits: Traits,
        random: impl FnOnce() -> u64,
    ) -> Evaluation {
        let gone = |ttl| Evaluation {
            phase: Phase::Gone,
            ttl,
        };
        let Some(ttl) = self.ttl_for(traits.negative, traits.ttl, traits.hash) else {
            return gone(0);
        };
        let idle = age.saturating_sub(traits.read_at.nanos());
        if self.time_to_idle.is_some_and(|longest| idle > longest) {
            return gone(ttl);
        }
        let phase = if age <= ttl {
            let early = !traits.negative && self.is_early(ttl - age, traits.cost, random);
            if early { Phase::Early } else { Phase::Fresh }
        } else if traits.negative {
            // That something does not exist is not worth telling beyond its time.
            Phase::Gone
        } else if age - ttl <= self.stale_while_revalidate {
            Phase::Stale
        } else if age - ttl <= self.stale_if_error {
            Phase::OnError
        } else {
            Phase::Gone
        };
        Evaluation { phase, ttl }
    }

    /// How long a value with this hash was fresh, unless it is gone at this
    /// age: for one that is to stand in for a failed fill, and so is read now.
    pub(crate) fn evaluate_stand_in(&self, age: u64, hash: u64) -> Option<u64> {
        let traits = Traits {
            negative: false,
            hash: stored_hash(hash).get(),
            cost: FillCost::NONE,
            ttl: None,
            read_at: Span::of(age),
        };
        let Evaluation { phase, ttl } = self.evaluate(age, traits, || u64::MAX);
        (phase != Phase::Gone).then_some(ttl)
    }

    /// Whether nobody can have any use of the entry.
    pub(crate) fn is_gone(&self, age: u64, traits: Traits) -> bool {
        // Whether a refresh is due makes no difference here.
        self.evaluate(age, traits, || u64::MAX).phase == Phase::Gone
    }
}

/// How long a fill took, in steps of half an octave from a microsecond up to
/// half an hour, rounded down: six bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FillCost(u8);

impl FillCost {
    /// Below a microsecond, or not known.
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn of(nanos: u64) -> Self {
        let micros = u128::from(nanos / 1_000);
        let Some(octave) = micros.checked_ilog2() else {
            return Self::NONE;
        };
        let half = u32::from((micros * micros) >> (2 * octave) >= 2);
        Self(u8::try_from(1 + 2 * octave + half).map_or(63, |step| step.min(63)))
    }

    fn nanos(self) -> u64 {
        let Some(step) = self.0.checked_sub(1) else {
            return 0;
        };
        let octave = 1_000 << (step / 2);
        // The square root of two, for the second half.
        if step % 2 == 0 {
            octave
        } else {
            octave * 1_414 / 1_000
        }
    }
}

/// What an entry was stored as, in one byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(u8);

impl Origin {
    const NEGATIVE: u8 = 1 << 7;
    const OWN_TTL: u8 = 1 << 6;
    const COST: u8 = Self::OWN_TTL - 1;

    pub(crate) const fn new(negative: bool, own_ttl: bool, cost: FillCost) -> Self {
        let negative = if negative { Self::NEGATIVE } else { 0 };
        let own_ttl = if own_ttl { Self::OWN_TTL } else { 0 };
        Self(cost.0 | negative | own_ttl)
    }

    /// Whether it is a value that lives as long as its class says.
    pub(crate) const fn is_plain(self) -> bool {
        self.0 & !Self::COST == 0
    }

    pub(crate) const fn is_negative(self) -> bool {
        self.0 & Self::NEGATIVE != 0
    }

    pub(crate) const fn cost(self) -> FillCost {
        FillCost(self.0 & Self::COST)
    }
}

/// A small source of random numbers (Marsaglia, "Xorshift RNGs", Journal of
/// Statistical Software 2003). Good enough to decide who refreshes early.
#[derive(Debug)]
pub(crate) struct XorShift(u64);

impl XorShift {
    pub(crate) const fn new(seed: u64) -> Self {
        // Zero would stay zero.
        Self(seed | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests;
