//! A guard before a source: few calls at a time, in fair turns, and none to a source
//! that fails.

mod breaker;
mod figures;
mod gate;
mod limit;
mod options;
mod queue;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use intent_router::{
    Ask, BoxFuture, CanonicalJson, Deadline, Found, Intent, LiveData, Principal, Read, Records,
    SourceError, Timer,
};

pub use self::figures::{BreakerState, GuardFigures};
use self::gate::Gate;
pub use self::options::GuardOptions;
use self::queue::{End, Subject};

/// A source that is guarded against overload and spared while it fails. Any source
/// can be guarded; no runtime is named.
///
/// - **Limit.** Calls under way are limited. The limit adapts: it falls when the
///   source gets slower than it usually is, and rises again.
/// - **Fair turns.** Each intent has a queue and a share of the limit of its own, and
///   the queues take turns, so that a slow intent does not hold up the others. A call
///   that waits for too long is refused: [`SourceError::Overloaded`].
/// - **Circuit breaker.** After some failures in a row calls fail at once, with
///   [`SourceError::CircuitOpen`], for a time that doubles while probes fail. Time-outs
///   and refused queries of one intent alone stop that intent only.
///
/// ```
/// use std::sync::Arc;
/// use intent_router::{LiveData, ManualTimer, Records, SourceError, source_fn};
/// use live_data::{BreakerState, GuardOptions, Guarded};
///
/// let source = source_fn(|_| async { Ok::<_, SourceError>(Records::default()) });
/// // A service passes a timer of its runtime.
/// let timer = Arc::new(ManualTimer::new());
/// let guarded = Guarded::new(source, GuardOptions::default(), timer);
/// assert!(pollster::block_on(guarded.ready()).is_ok());
/// assert_eq!(guarded.figures().breaker, BreakerState::Closed);
/// ```
pub struct Guarded<L> {
    source: L,
    gate: Arc<Gate>,
}

impl<L> Guarded<L> {
    /// A guard before the source.
    pub fn new(source: L, options: GuardOptions, timer: Arc<dyn Timer>) -> Self {
        Self {
            source,
            gate: Arc::new(Gate::new(options, timer)),
        }
    }

    /// The same guard before another source, such as the same database with the
    /// queries of another catalogue. Both share limit, queues and breakers.
    pub fn before<M>(&self, source: M) -> Guarded<M> {
        Guarded {
            source,
            gate: Arc::clone(&self.gate),
        }
    }

    /// The source.
    pub fn source(&self) -> &L {
        &self.source
    }

    /// What the guard did, and how it stands.
    pub fn figures(&self) -> GuardFigures {
        self.gate.figures()
    }
}

impl<L: LiveData> Guarded<L> {
    /// Makes a call when its turn has come.
    async fn call<'a, T>(
        &'a self,
        subject: Subject<'a>,
        asked: Deadline,
        call: impl FnOnce(Deadline) -> BoxFuture<'a, Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let own = self.source.deadline().map_or(Deadline::NEVER, |allowed| {
            Deadline::after(self.gate.timer().now(), allowed)
        });
        let deadline = asked.min(own);
        let permit = self.gate.enter(subject, deadline).await?;
        let answer = call(deadline).await;
        permit.end(end_of(&answer));
        answer
    }
}

/// What an answer tells of the source.
fn end_of<T>(answer: &Result<T, SourceError>) -> End {
    match answer {
        Ok(_) => End::Answered,
        Err(SourceError::Query { .. }) => End::Refused,
        Err(SourceError::Timeout(_)) => End::TimedOut,
        // Says nothing of the source, which was not asked.
        Err(SourceError::Unaskable(_)) => End::Unknown,
        Err(_) => End::Failed,
    }
}

impl<L: LiveData> LiveData for Guarded<L> {
    fn is_member<'a>(
        &'a self,
        who: &'a Principal,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        let call = move |deadline| self.source.is_member(who, deadline);
        Box::pin(self.call(Subject::Members, deadline, call))
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        let subject = Subject::Intent(&ask.intent.name);
        let call = move |deadline| {
            let mut ask = ask;
            ask.deadline = deadline;
            self.source.records(ask)
        };
        Box::pin(self.call(subject, ask.deadline, call))
    }

    fn reads(&self, intent: &Intent) -> Option<Vec<Read>> {
        self.source.reads(intent)
    }

    fn member_reads(&self) -> Vec<Read> {
        self.source.member_reads()
    }

    fn deadline(&self) -> Option<Duration> {
        self.source.deadline()
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async {
            let mut probe = self.gate.enter_probe()?;
            let answer = self.source.ready().await;
            probe.end = end_of(&answer);
            answer
        })
    }

    fn forget(&self, user: &CanonicalJson) -> usize {
        self.source.forget(user)
    }
}
