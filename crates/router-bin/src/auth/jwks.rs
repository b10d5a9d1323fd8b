//! A key set that is fetched from a URL.
//!
//! One task fetches: every `refresh`, and sooner if a token names an unknown key, but
//! never within `min_interval` of the last fetch. So a client that makes up keys cannot
//! have the service flood the issuer. A fetch replaces the keys as a whole; a failed one
//! changes nothing. A token whose key is known never waits for a fetch.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jsonwebtoken::Algorithm;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::keys::KeySet;
use super::refusal::Refusal;

/// How long a fetch may take.
const FETCH_TIME: Duration = Duration::from_secs(5);

/// The keys of the last good fetch, and when the last fetch ended.
#[derive(Clone, Default)]
struct Fetched {
    keys: Option<Arc<KeySet>>,
    attempts: u64,
    ended: Option<Instant>,
}

/// A key set that is fetched from a URL.
pub(super) struct Jwks {
    state: watch::Sender<Fetched>,
    /// Asks for a fetch before the next is due.
    wanted: Notify,
    refresh: Duration,
    min_interval: Duration,
}

impl Jwks {
    pub(super) fn new(refresh: Duration, min_interval: Duration) -> Self {
        Self {
            state: watch::Sender::default(),
            wanted: Notify::new(),
            refresh,
            min_interval,
        }
    }

    /// Fetches the keys, again and again.
    pub(super) async fn run<F>(&self, fetch: impl Fn() -> F)
    where
        F: Future<Output = Result<KeySet, String>>,
    {
        loop {
            let fetched = timeout(FETCH_TIME, fetch()).await;
            let fetched = fetched.unwrap_or_else(|_| Err("did not answer in time".to_owned()));
            if let Err(error) = &fetched {
                tracing::warn!(%error, "the keys of auth.jwt.jwks_url were not fetched; those of the last fetch stay");
            }
            self.state.send_modify(|state| {
                state.attempts += 1;
                state.ended = Some(Instant::now());
                if let Ok(keys) = fetched {
                    state.keys = Some(Arc::new(keys));
                }
            });
            // Those who asked for this fetch want no other.
            let _ = self.wanted.notified().now_or_never();
            tokio::time::sleep(self.min_interval).await;
            let rest = self.refresh.saturating_sub(self.min_interval);
            // Either way, it is time to fetch.
            let _ = timeout(rest, self.wanted.notified()).await;
        }
    }

    /// A key set that has a key for such a token; after a fetch, if the present one has
    /// none and a fetch is allowed.
    ///
    /// # Errors
    /// No key is known yet. A set without a fitting key is no error here.
    pub(super) async fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Arc<KeySet>, Refusal> {
        let fits = |keys: &Arc<KeySet>| keys.candidates(id, algorithm).next().is_some();
        let mut changes = self.state.subscribe();
        let known = changes.borrow_and_update().clone();
        if let Some(keys) = known.keys.as_ref().filter(|keys| fits(keys)) {
            return Ok(Arc::clone(keys));
        }
        let is_recent = known
            .ended
            .is_some_and(|at| at.elapsed() < self.min_interval);
        if !is_recent {
            self.wanted.notify_one();
            let next = changes.wait_for(|state| state.attempts > known.attempts);
            // A fetch may be under way and another follow it.
            let _ = timeout(2 * FETCH_TIME, next).await;
        }
        let keys = self.state.borrow().keys.clone();
        keys.ok_or(Refusal::NotNow(
            "the keys that tokens are checked with are not available yet",
        ))
    }
}

#[cfg(test)]
mod tests;
