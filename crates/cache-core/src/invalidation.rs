//! Invalidation: what can be selected, and how it reaches fills that are in flight.

pub(crate) mod log;
pub(crate) mod selectors;
