//! Readers: the entries that they accept, and the outcomes of a read.

use std::num::NonZeroU32;

use crate::{
    class::TtlClass,
    clock::Moment,
    hit::{Found, Kind, Seen},
    policy::{Evaluation, Phase},
    store::expiry::Expiry,
};

/// The time, class and requirements of a read.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) expiry: Expiry<'a>,
    /// The latest present; the earliest is in `expiry`.
    pub(crate) latest: Moment,
    pub(crate) class: TtlClass,
    /// Every plain entry of the class is fresh below this age.
    pub(crate) fresh_below: u64,
    pub(crate) accepts: Accepts,
}

impl<'a> Reader<'a> {
    pub(super) fn seen_fast(&self, age: u64, hash: NonZeroU32) -> Seen<'a> {
        Seen::Fast {
            age,
            hash: hash.get(),
            class: self.class,
            classes: self.expiry.classes,
        }
    }
}

/// Which entries a reader accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// Fresh values, without a permit to refresh them.
    Values,
    /// Fresh values and negative entries up to this age, in nanoseconds.
    Young(u64),
    /// Fresh, negative and stale entries.
    All,
}

/// The outcome of the fast path of a read.
pub(crate) enum FastRead<V> {
    /// A fresh value, and its age in nanoseconds.
    Fresh(V, u64),
    Absent,
    /// The slow path must decide. Nothing is counted.
    Undecided,
}

/// The outcome of the slow path of a read.
pub(crate) enum SlowRead<V> {
    Serve(Found<V>),
    Miss,
    /// The exact time must decide. Nothing is counted.
    NeedsExactTime,
}

/// How an entry is served to a reader, and the TTL that applies; `None` if it is not
/// served. `own` is the evaluation by the entry's class, `other` that by the reader's class
/// if it is another.
pub(super) fn kind_for(
    accepts: Accepts,
    own: Evaluation,
    other: Option<Evaluation>,
    negative: bool,
    age: u64,
) -> Option<(Kind, u64)> {
    let found = other.map_or(own, |other| own.and(other));
    let kind = match (found.phase, accepts) {
        (_, Accepts::Young(most)) if age > most => None,
        (Phase::Fresh | Phase::Early, Accepts::Values) if negative => None,
        (Phase::Fresh | Phase::Early, _) if negative => Some(Kind::Negative),
        (Phase::Early, Accepts::Young(_) | Accepts::All) => Some(Kind::Early),
        (Phase::Fresh | Phase::Early, _) => Some(Kind::Fresh),
        (Phase::Stale, Accepts::All) => Some(Kind::Stale),
        (Phase::Stale | Phase::OnError | Phase::Gone, _) => None,
    };
    Some((kind?, found.ttl))
}
