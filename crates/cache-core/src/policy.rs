//! The phase of an entry: a pure function of its age and the policy of its class.
//!
//! ```text
//! age   0 ──────────── ttl ──── + stale_while_revalidate ──── + stale_if_error ──
//!       Fresh (or Early)  Stale                       OnError                Gone
//! ```
//!
//! Spans include their end: an entry exactly as old as its TTL is fresh. Both windows
//! begin at the end of the TTL; the entry is kept until the longer one is over.

use std::num::NonZeroU32;

use crate::{freshness::Freshness, span::Span};

/// The part of a hash that an entry stores: the low half, made odd so that it is never
/// zero. The entry's jitter follows from it too.
pub(crate) fn stored_hash(hash: u64) -> NonZeroU32 {
    NonZeroU32::MIN | hash as u32
}

/// A [`Freshness`] in nanoseconds.
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

/// The properties of an entry that its phase depends on, except its age.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) negative: bool,
    /// The stored hash of the key; the entry's jitter follows from it.
    pub(crate) hash: u32,
    pub(crate) cost: FillCost,
    /// The entry's own TTL.
    pub(crate) ttl: Option<Span>,
    /// The entry's age when it was last read.
    pub(crate) read_at: Span,
}

/// The phase of an entry, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Fresh,
    /// Fresh, but this reader is chosen to refresh it.
    Early,
    /// Served while one reader refreshes it.
    Stale,
    /// Served if a fill fails.
    OnError,
    /// Expired: served to no reader.
    Gone,
}

/// The phase of an entry, and the TTL that applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evaluation {
    pub(crate) phase: Phase,
    pub(crate) ttl: u64,
}

impl Evaluation {
    /// The worse phase and the shorter TTL of two evaluations.
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
            // At most 1, so that the product fits.
            jitter: (freshness.jitter() * 4_294_967_296.0) as u64,
            early_refresh: freshness.early_refresh(),
        }
    }
}

impl Policy {
    /// The age below which every [plain](Origin::is_plain) entry is fresh and not due for
    /// a refresh, for any hash. Zero if reads are recorded.
    pub(crate) fn fresh_below(&self) -> u64 {
        if self.early_refresh > 0.0 || self.time_to_idle.is_some() {
            // The phase depends on chance or on the last read at any age.
            return 0;
        }
        let most = (u128::from(self.ttl) * u128::from(self.jitter)) >> 32;
        let least = self.ttl - u64::try_from(most).unwrap_or(self.ttl);
        least.saturating_add(1)
    }

    /// The age up to which no entry without its own TTL can be expired; `None` if an
    /// entry of any age can be.
    pub(crate) fn kept_for(&self, negative: bool) -> Option<u64> {
        if self.time_to_idle.is_some() {
            return None;
        }
        // This hash gets the largest jitter.
        let worst = self.ttl_for(negative, None, u32::MAX)?;
        Some(if negative {
            worst
        } else {
            worst.saturating_add(self.stale_while_revalidate.max(self.stale_if_error))
        })
    }

    /// Whether reads of entries are recorded.
    pub(crate) fn has_time_to_idle(&self) -> bool {
        self.time_to_idle.is_some()
    }

    /// The TTL of a plain entry with this hash.
    pub(crate) fn ttl_of(&self, hash: u64) -> u64 {
        self.ttl_for(false, None, stored_hash(hash).get())
            .unwrap_or(0)
    }

    /// The TTL of an entry, shortened by its jitter. The jitter follows from the hash, so
    /// that entries written together do not expire together, and each evaluation gives the
    /// same TTL.
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
        // The part is below 2^64, so this does not overflow and is less than the whole.
        let shorter = (u128::from(promised) * part) >> 64;
        Some(promised - u64::try_from(shorter).unwrap_or(promised))
    }

    /// Whether to refresh an entry that is still fresh for `remaining` nanoseconds. The
    /// probability rises towards the end of the TTL and with the cost of the fill.
    ///
    /// Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede
    /// Prevention" (VLDB 2015).
    fn is_early(&self, remaining: u64, cost: FillCost, random: impl FnOnce() -> u64) -> bool {
        let scale = cost.nanos() as f64 * self.early_refresh;
        let remaining = remaining as f64;
        // The logarithm of 53 random bits is at most 36.8. Most entries are so far from
        // their end that no random number would choose them.
        if scale == 0.0 || remaining > scale * 37.0 {
            return false;
        }
        let uniform = ((random() >> 11) + 1) as f64 / 9_007_199_254_740_992.0;
        scale * -uniform.ln() >= remaining
    }

    /// Evaluates the phase of an entry at this age. Draws a random number only if early
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
            // The windows do not apply to negative entries.
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

    /// The TTL of a value with this hash that stands in for a failed fill; `None` if it is
    /// expired at this age. Standing in counts as a read.
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

    /// Whether the entry is expired.
    pub(crate) fn is_gone(&self, age: u64, traits: Traits) -> bool {
        // Early refresh makes no difference here.
        self.evaluate(age, traits, || u64::MAX).phase == Phase::Gone
    }
}

/// The duration of a fill in six bits: steps of half an octave from a microsecond to half
/// an hour, rounded down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FillCost(u8);

impl FillCost {
    /// Below a microsecond, or unknown.
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

/// Fill cost, negative flag and own-TTL flag of an entry, in one byte.
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

    /// Whether it is a value, not negative, without its own TTL.
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

/// The xorshift random number generator (Marsaglia, "Xorshift RNGs", Journal of
/// Statistical Software 2003). Good enough for early refresh.
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
