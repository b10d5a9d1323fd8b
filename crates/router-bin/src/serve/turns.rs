//! The turns of invalidations.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// How many invalidations run at a time: each keeps a processor busy.
const RUNNING: usize = 2;

/// How many wait or run at a time. They outlive their requests, so nothing else bounds
/// them.
const MOST: usize = 256;

/// The turns of invalidations.
#[derive(Clone)]
pub(super) struct Turns {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST)),
            turns: Arc::new(Semaphore::new(RUNNING)),
        }
    }
}

/// Why work did not run to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotRun {
    /// Too much work waits.
    NoPlace,
    /// The work panicked.
    Panicked,
}

impl Turns {
    /// Runs blocking work when its turn comes, in a task of its own: it runs even if the
    /// returned future is dropped after its first poll.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotRun> {
        let Self { places, turns } = self.clone();
        let place = places.try_acquire_owned().map_err(|_| NotRun::NoPlace)?;
        let task = async move {
            // The semaphore is never closed.
            let turn = turns.acquire_owned().await.ok();
            let done = spawn_blocking(work).await;
            drop((turn, place));
            done
        };
        let done = tokio::spawn(task).await.map_err(|_| NotRun::Panicked)?;
        done.map_err(|_| NotRun::Panicked)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[tokio::test]
    async fn work_that_waits_outlives_its_request() {
        let turns = Turns::default();
        let all = Arc::clone(&turns.turns).acquire_many_owned(RUNNING as u32);
        let all = all.await.expect("turns");
        let (ran, has_run) = channel();
        {
            let mut request = Box::pin(turns.run(move || ran.send(()).expect("a test")));
            let mut context = Context::from_waker(Waker::noop());
            assert!(matches!(request.as_mut().poll(&mut context), Poll::Pending));
        }
        drop(all);
        let ran = spawn_blocking(move || has_run.recv().is_ok()).await;
        assert!(ran.expect("no panic"), "the work was dropped");
    }

    #[tokio::test]
    async fn work_that_waits_is_bounded() {
        let turns = Turns::default();
        let places = Arc::clone(&turns.places).acquire_many_owned(MOST as u32);
        let places = places.await.expect("places");
        assert_eq!(turns.run(|| ()).await, Err(NotRun::NoPlace));
        drop(places);
        assert_eq!(turns.run(|| ()).await, Ok(()));
    }
}
