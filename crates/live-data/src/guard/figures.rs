//! What a guard did, for metrics.

use std::time::Duration;

/// Counts since the guard began.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) granted: u64,
    pub(super) waited: Duration,
    pub(super) refused_full: u64,
    pub(super) refused_waited: u64,
    pub(super) refused_open: u64,
    pub(super) refused_intent_open: u64,
    pub(super) opened: u64,
    pub(super) opened_intents: u64,
}

/// The state of a source's circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls are made.
    Closed,
    /// One call at a time tries whether the source answers again.
    HalfOpen,
    /// No call is made.
    Open,
}

/// What a guard did since it began, and how it stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GuardFigures {
    /// The state of the source's breaker.
    pub breaker: BreakerState,
    /// How many intents, the look-up of members among them, have a breaker of their
    /// own that is not closed.
    pub open_intents: usize,
    /// How many calls may be under way now.
    pub limit: usize,
    /// How many are.
    pub in_flight: usize,
    /// How many wait.
    pub waiting: usize,
    /// How many calls were made.
    pub granted: u64,
    /// How long they waited for their turns, together.
    pub waited: Duration,
    /// Calls refused because too many of their intent waited already.
    pub refused_full: u64,
    /// Calls refused because they had waited for too long.
    pub refused_waited: u64,
    /// Calls refused because the source's breaker was open.
    pub refused_open: u64,
    /// Calls refused because their intent's breaker was open.
    pub refused_intent_open: u64,
    /// How often the source's breaker opened.
    pub opened: u64,
    /// How often the breakers of intents opened.
    pub opened_intents: u64,
}
