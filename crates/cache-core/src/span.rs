//! A span of time in 32 bits.

/// A span in nanoseconds, rounded down by less than one part in 33 million; exact below
/// 67 ms. 26 bits hold the leading digits, 6 bits the shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(u32);

impl Span {
    const DIGITS: u32 = 26;

    /// No span has these bits: the shift never reaches 63.
    pub(crate) const NONE: u32 = u32::MAX;

    pub(crate) fn of(nanos: u64) -> Self {
        let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(Self::DIGITS);
        // 26 bits are left.
        Self(shift << Self::DIGITS | (nanos >> shift) as u32)
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    /// The span with these bits; `None` for [`NONE`](Self::NONE).
    pub(crate) const fn from_bits(bits: u32) -> Option<Self> {
        if bits == Self::NONE {
            None
        } else {
            Some(Self(bits))
        }
    }

    pub(crate) const fn nanos(self) -> u64 {
        let digits = self.0 & ((1 << Self::DIGITS) - 1);
        (digits as u64) << (self.0 >> Self::DIGITS)
    }

    /// The span's order of magnitude: its binary logarithm, rounded down.
    pub(crate) const fn magnitude(self) -> u32 {
        (self.nanos() | 1).ilog2()
    }
}

#[cfg(all(test, not(any(shuttle, memory_model))))]
mod tests {
    use proptest::prelude::*;

    use super::Span;

    proptest! {
        #[test]
        fn prop_a_span_is_rounded_down_a_little(nanos: u64, short in 0_u64..1 << 26) {
            let rounded = Span::of(nanos).nanos();
            prop_assert!(rounded <= nanos && nanos - rounded <= nanos / 33_000_000);
            prop_assert_eq!(Span::of(short).nanos(), short);
            prop_assert_ne!(Span::of(nanos).bits(), Span::NONE);
        }
    }

    #[test]
    fn the_ends_are_exact_enough() {
        assert_eq!(Span::of(0).nanos(), 0);
        assert_eq!(Span::of(0).magnitude(), 0);
        assert_eq!(Span::of(u64::MAX).magnitude(), 63);
        assert_ne!(Span::of(u64::MAX).bits(), Span::NONE);
    }
}
