//! The bound of the stores.

use std::thread;

/// How large the stores may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// At most so many answers; and memberships and detections of up to their shares
    /// of the default, in bytes.
    Entries(usize),
    /// At most so many bytes of answers, memberships and detections together, with
    /// their bookkeeping: three quarters for answers, three sixteenths for
    /// memberships, one sixteenth for detections.
    Bytes(u64),
}

/// The parts of the budget, in bytes. A bound on the number of memberships would not
/// bound memory: identifiers and roles come from requests, and may be long. Detections
/// hold the messages.
pub(super) struct Shares {
    pub(super) answers: u64,
    pub(super) members: u64,
    pub(super) detections: u64,
}

/// The default, in bytes.
const DEFAULT: u64 = 64 << 20;

impl Default for Capacity {
    /// 64 MiB.
    fn default() -> Self {
        Self::Bytes(DEFAULT)
    }
}

impl Capacity {
    pub(super) fn shares(self) -> Shares {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::Entries(_) => DEFAULT,
        };
        let sixteenth = bytes / 16;
        Shares {
            answers: bytes - 4 * sixteenth,
            members: 3 * sixteenth,
            detections: sixteenth,
        }
    }
}

/// The number of shards of a store of so many bytes: enough that threads seldom contend
/// for one, but each takes some hundred bytes of its own.
pub(super) fn shards(bytes: u64) -> usize {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let most = usize::try_from(bytes >> 16).unwrap_or(usize::MAX);
    (threads * 16).clamp(64, 1_024).min(most).max(1)
}
