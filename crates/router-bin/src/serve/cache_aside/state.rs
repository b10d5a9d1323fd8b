//! The state of cache-aside: the permits that are held, and counts.

use std::time::{Duration, Instant};

use intent_router::{AnsweredBy, FillPermit};

use super::counters::{Counters, Counts, Ended};
use super::permits::Permits;
use crate::auth::Caller;
use crate::config::AsideSettings;
use crate::serve::problem::Problem;

/// What cache-aside keeps: the permits that are held, and counts.
pub(crate) struct CacheAside {
    pub(super) permits: Permits<FillPermit>,
    pub(super) counters: Counters,
    permit_deadline: Duration,
    source_deadline: Duration,
    pub(super) max_wait: Duration,
}

impl CacheAside {
    /// Bounded by these settings. An answer must be sent within `request_timeout`, of
    /// which a look-up waits half at most.
    pub(crate) fn new(
        settings: &AsideSettings,
        request_timeout: Duration,
        source_deadline: Duration,
    ) -> Self {
        let bounded = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let places = bounded(settings.max_permits.get());
        Self {
            permits: Permits::new(places, bounded(settings.max_memory.get())),
            counters: Counters::default(),
            permit_deadline: settings.permit_deadline.get(),
            source_deadline,
            max_wait: settings.max_wait.get().min(request_timeout / 2),
        }
    }

    /// How long a caller may hold a permit at most. A request that waits for a permit of an
    /// intent of the source must still have time to ask the source, should the holder vanish.
    pub(super) fn longest_hold(&self, permit: &FillPermit) -> Duration {
        match permit.ask(|ask| ask.intent.answered_by) {
            AnsweredBy::Caller => self.permit_deadline,
            AnsweredBy::Source => self.permit_deadline.min(self.source_deadline / 2),
        }
    }

    /// Ends the permits whose deadlines have passed.
    pub(crate) fn expire(&self) {
        for expired in self.permits.expire(Instant::now()) {
            self.counters.ended(Ended::Expired);
            drop(expired);
        }
    }

    /// What happened since the service started.
    pub(crate) fn counts(&self) -> Counts {
        self.counters.counts(self.permits.open())
    }

    /// Takes the permit that a body names.
    pub(super) fn take(&self, permit: &str, caller: &Caller) -> Result<FillPermit, Problem> {
        let id = permit.parse().ok();
        id.and_then(|id| self.permits.take(id, caller, Instant::now()))
            .ok_or_else(|| {
                self.counters.unknown_permit();
                Problem::new(
                    http::StatusCode::NOT_FOUND,
                    "no_such_permit",
                    "this caller holds no such permit: it was used, its deadline has passed, \
                     or another process gave it; look the answer up again",
                )
            })
    }

    pub(super) fn no_room(&self) -> Problem {
        self.counters.no_room();
        Problem::unavailable(
            "too_many_permits",
            "too many permits are held or waited for; the bounds are [cache.aside] max_permits \
             and max_memory",
        )
    }
}
