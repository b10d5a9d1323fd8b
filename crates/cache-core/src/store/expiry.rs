//! Decides which entries are expired at the time of an operation.

use crate::{
    class::{Classes, TtlClass},
    clock::Moment,
    policy::{Policy, Traits},
};

/// The time of an operation, and the policies of the classes.
#[derive(Clone, Copy)]
pub(crate) struct Expiry<'a> {
    pub(crate) now: Moment,
    pub(crate) classes: &'a Classes,
}

impl Expiry<'_> {
    /// Nanoseconds since `written`.
    pub(crate) fn age(&self, written: Moment) -> u64 {
        self.now.nanos_since(written)
    }

    pub(crate) fn policy(&self, class: TtlClass) -> Policy {
        self.classes.policy(class)
    }

    /// Whether one atomic load shows that a plain entry of `class` is fresh. `false`
    /// leaves it open.
    #[inline(always)]
    pub(crate) fn is_surely_fresh(&self, class: TtlClass, written: Moment) -> bool {
        self.age(written) < self.classes.fresh_below(class)
    }

    /// Whether an entry of `class` can no longer be served to any reader.
    #[inline(never)]
    pub(crate) fn is_expired(&self, class: TtlClass, written: Moment, traits: Traits) -> bool {
        self.policy(class).is_gone(self.age(written), traits)
    }
}
