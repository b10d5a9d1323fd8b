//! The parameters of a look-up that matter when a fill ends.

use std::time::Duration;

use crate::{
    class::{Classes, TtlClass},
    clock::nanos,
    hit::Hit,
};

/// The parameters of a look-up.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) hash: u64,
    pub(crate) class: TtlClass,
    /// Whether it accepts a stored entry if the fill fails.
    pub(crate) takes_stale: bool,
}

impl Request {
    /// The stored entry to serve for a failed fill, if this request accepts it.
    pub(crate) fn accept<V>(&self, stand_in: Option<Hit<V>>, classes: &Classes) -> Option<Hit<V>> {
        let hit = stand_in.filter(|_| self.takes_stale)?;
        let found = classes
            .policy(self.class)
            .evaluate_stand_in(nanos(hit.age), self.hash)?;
        let ttl = hit.ttl.min(Duration::from_nanos(found));
        Some(Hit { ttl, ..hit })
    }
}
