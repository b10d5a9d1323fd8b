//! Counts of look-ups and of how permits ended.

use std::sync::atomic::{AtomicU64, Ordering};

/// The result of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    Fresh,
    Stale,
    Negative,
    Permit,
    InFlight,
    Failed,
    Bypass,
}

impl Looked {
    /// Every result, in the order of their declaration.
    const ALL: [Self; 7] = [
        Self::Fresh,
        Self::Stale,
        Self::Negative,
        Self::Permit,
        Self::InFlight,
        Self::Failed,
        Self::Bypass,
    ];

    /// The name in replies and metrics.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Negative => "negative",
            Self::Permit => "permit",
            Self::InFlight => "in_flight",
            Self::Failed => "failed",
            Self::Bypass => "bypass",
        }
    }
}

/// How a permit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Stored,
    NotStored,
    Failed,
    Released,
    Expired,
}

impl Ended {
    /// Every end, in the order of their declaration.
    const ALL: [Self; 5] = [
        Self::Stored,
        Self::NotStored,
        Self::Failed,
        Self::Released,
        Self::Expired,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::NotStored => "not_stored",
            Self::Failed => "failed",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

/// The counters, each indexed by what it counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    looked: [AtomicU64; Looked::ALL.len()],
    ended: [AtomicU64; Ended::ALL.len()],
    no_room: AtomicU64,
    unknown_permit: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Permits that are held.
    pub(crate) open: usize,
    /// Look-ups by result.
    pub(crate) looked: Vec<(&'static str, u64)>,
    /// Permits by how they ended.
    pub(crate) ended: Vec<(&'static str, u64)>,
    /// Look-ups that got no permit because there was no room for it.
    pub(crate) no_room: u64,
    /// Fills, failures and releases without a permit.
    pub(crate) unknown_permit: u64,
}

impl Counters {
    pub(super) fn looked(&self, looked: Looked) {
        self.looked[looked as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, ended: Ended) {
        self.ended[ended as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn no_room(&self) {
        self.no_room.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unknown_permit(&self) {
        self.unknown_permit.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self, open: usize) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let looked = Looked::ALL.map(|at| (at.as_str(), count(&self.looked[at as usize])));
        let ended = Ended::ALL.map(|at| (at.as_str(), count(&self.ended[at as usize])));
        Counts {
            open,
            looked: looked.into(),
            ended: ended.into(),
            no_room: count(&self.no_room),
            unknown_permit: count(&self.unknown_permit),
        }
    }
}
