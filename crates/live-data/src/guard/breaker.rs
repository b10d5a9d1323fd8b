//! A circuit breaker: closed, open, or half-open with one probe at a time.

use std::time::{Duration, Instant};

use super::options::GuardOptions;

/// Whether calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Calls are made.
    Closed,
    /// No call is made until then; the first one after it is a probe.
    Open { until: Instant },
    /// A probe is under way, and no other call is made.
    Probing,
}

/// A call that the breaker let through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    /// The state that the call began in. Its end tells nothing about a later one.
    generation: u64,
}

/// A circuit breaker. It knows no clock: callers give the time.
#[derive(Debug)]
pub(super) struct Breaker {
    failures: u32,
    open_for: Duration,
    longest_open: Duration,
    state: State,
    /// Changes with the state.
    generation: u64,
    /// Failures in a row.
    streak: u32,
    /// How often it opened since a call succeeded.
    openings: u32,
    random: fastrand::Rng,
}

impl Breaker {
    pub(super) fn new(options: &GuardOptions) -> Self {
        Self {
            failures: options.failures.get(),
            open_for: options.open_for,
            longest_open: options.longest_open,
            state: State::Closed,
            generation: 0,
            streak: 0,
            openings: 0,
            random: fastrand::Rng::new(),
        }
    }

    /// Whether calls are made as usual.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether a probe is under way, or the next call is one.
    pub(super) fn is_half_open(&self, now: Instant) -> bool {
        !self.is_closed() && (self.state == State::Probing || self.refusal(now).is_none())
    }

    /// For how long a call is refused; `None` if it is let through.
    pub(super) fn refusal(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Closed => None,
            State::Open { until } => {
                let left = until.saturating_duration_since(now);
                (!left.is_zero()).then_some(left)
            }
            // Its end is not known; the shortest time that it may be open again.
            State::Probing => Some(self.open_for),
        }
    }

    /// Lets a call through that is not [refused](Self::refusal). Its end must be told.
    pub(super) fn enter(&mut self) -> Ticket {
        if let State::Open { .. } = self.state {
            self.change(State::Probing);
        }
        Ticket {
            generation: self.generation,
        }
    }

    /// A call succeeded.
    pub(super) fn succeeded(&mut self, ticket: Ticket) {
        if ticket.generation != self.generation {
            return;
        }
        self.streak = 0;
        self.openings = 0;
        if self.state == State::Probing {
            self.change(State::Closed);
        }
    }

    /// A call failed. Returns whether that opened the breaker, which a failed probe
    /// always does, and the last failure of a streak if it `may_open`.
    pub(super) fn failed(&mut self, ticket: Ticket, now: Instant, may_open: bool) -> bool {
        if ticket.generation != self.generation {
            return false;
        }
        self.streak = self.streak.saturating_add(1);
        let opens = match self.state {
            State::Closed => may_open && self.streak >= self.failures,
            State::Probing => true,
            // No call begins while it is open.
            State::Open { .. } => false,
        };
        if opens {
            // After a time too long for the clock it is as if it were closed.
            let until = now.checked_add(self.back_off()).unwrap_or(now);
            self.openings = self.openings.saturating_add(1);
            self.change(State::Open { until });
        }
        opens
    }

    /// A call ended without telling anything about the source. The next one probes
    /// if this one was a probe.
    pub(super) fn abandoned(&mut self, ticket: Ticket, now: Instant) {
        if ticket.generation == self.generation && self.state == State::Probing {
            self.change(State::Open { until: now });
        }
    }

    /// How long to stay open: exponential, bounded, with jitter, so that many
    /// services do not probe one source in step.
    fn back_off(&mut self) -> Duration {
        let doubled = 1_u32.checked_shl(self.openings).unwrap_or(u32::MAX);
        let whole = self.open_for.saturating_mul(doubled);
        let whole = whole.min(self.longest_open);
        whole.mul_f64(0.5 + self.random.f64() / 2.0)
    }

    fn change(&mut self, state: State) {
        self.state = state;
        self.generation += 1;
        self.streak = 0;
    }
}
