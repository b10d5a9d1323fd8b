//! The way of one call through the guard: it waits for its turn, is made, and its
//! end is told.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futures_channel::oneshot;
use intent_router::{Deadline, SourceError, Timer};
use parking_lot::Mutex;

use super::breaker::Ticket;
use super::figures::{BreakerState, GuardFigures};
use super::options::GuardOptions;
use super::queue::{End, Place, Queue, Replies, Subject, Turn};

/// What all calls to one source share.
pub(super) struct Gate {
    queue: Mutex<Queue>,
    timer: Arc<dyn Timer>,
    options: GuardOptions,
}

impl Gate {
    pub(super) fn new(options: GuardOptions, timer: Arc<dyn Timer>) -> Self {
        Self {
            queue: Mutex::new(Queue::new(options.clone())),
            timer,
            options,
        }
    }

    pub(super) fn timer(&self) -> &dyn Timer {
        &*self.timer
    }

    /// Waits for the turn of a call.
    ///
    /// # Errors
    /// [`SourceError::CircuitOpen`] while a breaker is open,
    /// [`SourceError::Overloaded`] when too many wait or it waited for too long.
    pub(super) async fn enter(
        self: &Arc<Self>,
        subject: Subject<'_>,
        deadline: Deadline,
    ) -> Result<Permit, SourceError> {
        let (reply, turn) = oneshot::channel();
        let now = self.timer.now();
        let (place, replies) = {
            let mut queue = self.queue.lock();
            let place = queue.arrive(subject, reply, now)?;
            (place, queue.grant(now))
        };
        self.send(replies);
        let patience = Deadline::after(now, self.options.max_wait).min(deadline);
        let mut wait = Wait {
            gate: self,
            place,
            turn,
        };
        let turn = wait.turn_by(patience).await?;
        Ok(Permit {
            gate: Arc::clone(self),
            deadline,
            turn: Some(turn),
        })
    }

    /// Lets a readiness probe through, which takes no turn: what waits for its turn
    /// is not unready.
    ///
    /// # Errors
    /// [`SourceError::CircuitOpen`] while the source's breaker is open.
    pub(super) fn enter_probe(self: &Arc<Self>) -> Result<Probe, SourceError> {
        let mut queue = self.queue.lock();
        match queue.breaker.refusal(self.timer.now()) {
            Some(retry_after) => Err(SourceError::CircuitOpen { retry_after }),
            None => Ok(Probe {
                gate: Arc::clone(self),
                ticket: queue.breaker.enter(),
                end: End::Unknown,
            }),
        }
    }

    pub(super) fn figures(&self) -> GuardFigures {
        let now = self.timer.now();
        let queue = self.queue.lock();
        let counts = &queue.counts;
        GuardFigures {
            breaker: if queue.breaker.is_closed() {
                BreakerState::Closed
            } else if queue.breaker.is_half_open(now) {
                BreakerState::HalfOpen
            } else {
                BreakerState::Open
            },
            open_intents: queue.tripped(),
            limit: queue.limit.current(),
            in_flight: queue.in_flight,
            waiting: queue.waiting(),
            granted: counts.granted,
            waited: counts.waited,
            refused_full: counts.refused_full,
            refused_waited: counts.refused_waited,
            refused_open: counts.refused_open,
            refused_intent_open: counts.refused_intent_open,
            opened: counts.opened,
            opened_intents: counts.opened_intents,
        }
    }

    /// Tells callers that their turns have come. The turn of one who has gone is over
    /// at once.
    fn send(&self, mut replies: Replies) {
        while let Some((reply, answer)) = replies.pop() {
            if let Err(Ok(turn)) = reply.send(answer) {
                replies.extend(self.end(&turn, End::Unknown));
            }
        }
    }

    fn end(&self, turn: &Turn, end: End) -> Replies {
        self.queue.lock().end(turn, end, self.timer.now())
    }
}

/// A call that waits for its turn. Dropping it gives its place up.
struct Wait<'a> {
    gate: &'a Gate,
    place: Place,
    turn: oneshot::Receiver<Result<Turn, SourceError>>,
}

impl Wait<'_> {
    async fn turn_by(&mut self, patience: Deadline) -> Result<Turn, SourceError> {
        let mut late = None;
        poll_fn(|context| {
            if let Poll::Ready(turn) = Pin::new(&mut self.turn).poll(context) {
                // Only a call that left has its reply dropped without an answer.
                let gone = |_| Err(self.gate.queue.lock().waited_too_long());
                return Poll::Ready(turn.unwrap_or_else(gone));
            }
            let Some(at) = patience.at() else {
                return Poll::Pending;
            };
            let late = late.get_or_insert_with(|| self.gate.timer.sleep_until(at));
            late.as_mut()
                .poll(context)
                .map(|()| Err(self.gate.queue.lock().waited_too_long()))
        })
        .await
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.turn.close();
        let now = self.gate.timer.now();
        let left = self.gate.queue.lock().leave(self.place, now);
        // Its turn may have come just now.
        if !left && let Ok(Some(Ok(turn))) = self.turn.try_recv() {
            let replies = self.gate.end(&turn, End::Unknown);
            self.gate.send(replies);
        }
    }
}

/// The right to make one call. Dropping it ends the call.
pub(super) struct Permit {
    gate: Arc<Gate>,
    deadline: Deadline,
    /// Present until the end is told.
    turn: Option<Turn>,
}

impl Permit {
    /// Tells how the call ended.
    pub(super) fn end(mut self, end: End) {
        self.tell(end);
    }

    fn tell(&mut self, end: End) {
        if let Some(turn) = self.turn.take() {
            let replies = self.gate.end(&turn, end);
            self.gate.send(replies);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // The caller dropped the call: at its deadline, or earlier, which tells nothing
        // about the source.
        let is_late = self.deadline.left(self.gate.timer.now()).is_zero();
        self.tell(if is_late { End::TimedOut } else { End::Unknown });
    }
}

/// A readiness probe under way. Dropping it tells how it ended.
pub(super) struct Probe {
    gate: Arc<Gate>,
    ticket: Ticket,
    pub(super) end: End,
}

impl Drop for Probe {
    fn drop(&mut self) {
        let now = self.gate.timer.now();
        let replies = self.gate.queue.lock().probed(self.ticket, self.end, now);
        self.gate.send(replies);
    }
}
