//! A reader of entries: what it accepts, and what it finds.

use std::num::NonZeroU32;

use crate::{
    class::TtlClass,
    clock::Moment,
    hit::{Found, Kind, Seen},
    policy::{Evaluation, Phase},
    store::expiry::Expiry,
};

/// How a reader judges what it finds.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) expiry: Expiry<'a>,
    /// The present is no later than this, and no earlier than the judge's.
    pub(crate) latest: Moment,
    pub(crate) class: TtlClass,
    /// Every value of that class is fresh below this age.
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

/// What a reader takes, besides what is fresh.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// Nothing: neither negative entries nor the duty to refresh.
    Values,
    /// Negative entries, and no entry older than this, in nanoseconds.
    Young(u64),
    /// Negative and stale entries.
    All,
}

/// What a reader makes of a shard at a glance.
pub(crate) enum FastRead<V> {
    /// A fresh value, and its age in nanoseconds.
    Fresh(V, u64),
    Absent,
    /// It takes a closer look to tell.
    Undecided,
}

/// What a reader makes of a shard.
pub(crate) enum SlowRead<V> {
    Serve(Found<V>),
    Miss,
    /// It takes the exact time to tell. Nothing was counted.
    NeedsExactTime,
}

/// What an entry is to a reader, and how long it is fresh; `None` if it is not
/// for this reader. `own` is how the entry's class judges it, `other` how the
/// reader's class does, where that is another.
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
