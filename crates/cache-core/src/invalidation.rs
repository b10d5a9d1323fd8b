//! Invalidation: the selectors, and the log through which they reach fills in flight.

pub(crate) mod log;
pub(crate) mod selectors;
