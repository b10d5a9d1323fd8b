//! The bound of the store of answers.

/// How large the store of answers may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// At most so many answers.
    Entries(usize),
    /// At most so many bytes of answers, with an estimate of their bookkeeping.
    Bytes(u64),
}

impl Default for Capacity {
    /// 64 MiB.
    fn default() -> Self {
        Self::Bytes(64 << 20)
    }
}
