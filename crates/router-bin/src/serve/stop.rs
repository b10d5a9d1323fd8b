//! How far the service is on its way to a stop.

use tokio::sync::watch;

/// The phases of a stop, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// No stop was asked for.
    Serving,
    /// Not ready, so that load balancers leave; every request is still answered.
    LameDuck,
    /// No new connection is accepted; what was received is answered.
    Draining,
}

/// Tells the phase, and when a later one is reached.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<Phase>);

impl Stop {
    /// A service that is not stopping, and the sender that stops it.
    pub(crate) fn channel() -> (watch::Sender<Phase>, Self) {
        let (sender, receiver) = watch::channel(Phase::Serving);
        (sender, Self(receiver))
    }

    /// The current phase.
    pub(crate) fn phase(&self) -> Phase {
        *self.0.borrow()
    }

    /// Completes once the service is in `phase` or a later one. If the sender is
    /// gone, nobody can stop the service, and this never completes.
    pub(crate) async fn reached(&mut self, phase: Phase) {
        if self.0.wait_for(|now| *now >= phase).await.is_err() {
            std::future::pending().await
        }
    }
}
