//! What a look-up asked for, as far as it matters once there is an answer.

use std::time::Duration;

use crate::{
    class::{Classes, TtlClass},
    clock::nanos,
    hit::Hit,
};

/// What a look-up asked for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) hash: u64,
    pub(crate) class: TtlClass,
    /// Whether a stale value will do where a fill fails.
    pub(crate) takes_stale: bool,
}

impl Request {
    /// What of a value that stands in for a failed fill is good for this one.
    pub(crate) fn accept<V>(&self, stand_in: Option<Hit<V>>, classes: &Classes) -> Option<Hit<V>> {
        let hit = stand_in.filter(|_| self.takes_stale)?;
        let found = classes
            .policy(self.class)
            .evaluate_stand_in(nanos(hit.age), self.hash)?;
        let ttl = hit.ttl.min(Duration::from_nanos(found));
        Some(Hit { ttl, ..hit })
    }
}
