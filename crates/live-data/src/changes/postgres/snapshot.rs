//! Which transactions new queries see.

/// Which transactions new queries see.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// The low bits of the first number that no transaction has.
    next: u32,
    /// The low bits of the first one that has not ended.
    first: u32,
    /// Of those in between, the ones that have not ended.
    running: Vec<u32>,
}

impl Snapshot {
    /// Reads `first:next:running,…`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        // The server's numbers have 64 bits, those of the changes the low 32 of them.
        #[allow(clippy::cast_possible_truncation, reason = "the low bits are meant")]
        let low = |text: &str| text.parse::<u64>().ok().map(|number| number as u32);
        let (first, next) = (low(parts.next()?)?, low(parts.next()?)?);
        let running = parts.next()?.split(',').filter(|text| !text.is_empty());
        let running = running.map(low).collect::<Option<_>>()?;
        Some(Self {
            next,
            first,
            running,
        })
    }

    /// Whether a transaction has ended.
    pub(super) fn has_ended(&self, xid: u32) -> bool {
        // Numbers wrap around: those of the 2^31 before another one are earlier.
        let is_before = |other: u32| xid.wrapping_sub(other).cast_signed() < 0;
        is_before(self.first) || is_before(self.next) && !self.running.contains(&xid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_knows_what_has_ended() {
        let snapshot = Snapshot::parse("4294967290:4294967300:4294967292,4294967298").unwrap();
        for (xid, has_ended) in [
            (4_294_967_289, true),
            (4_294_967_290, true),
            (4_294_967_292, false),
            (4_294_967_295, true),
            (1, true),
            (2, false),
            (3, true),
            (4, false),
            (5, false),
        ] {
            assert_eq!(snapshot.has_ended(xid), has_ended, "{xid}");
        }
        assert_eq!(
            Snapshot::parse("7:7:"),
            Some(Snapshot {
                next: 7,
                first: 7,
                running: vec![]
            })
        );
        for bad in ["", "7", "7:7", "7:x:", "7:9:8,"] {
            assert_eq!(Snapshot::parse(bad).is_some(), bad == "7:9:8,", "{bad}");
        }
    }
}
