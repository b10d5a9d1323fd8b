//! The system under test.

use std::future::Future;
use std::sync::Arc;

use anyhow::ensure;
use intent_router::{Router, Selector, UserContext};

use super::measurement::Answered;
use super::traffic::Request;

/// What a run measures: a router with its cache and its source.
pub(crate) trait Target: Send + Sync + 'static {
    /// Empties the cache and switches it on or off.
    fn prepare(&self, caching: bool) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Makes one request. The whole call is timed.
    fn ask(&self, request: &Request<'_>) -> impl Future<Output = anyhow::Result<Answered>> + Send;
}

/// A router called in process, as the service calls it.
pub(crate) struct RouterTarget(pub(crate) Arc<Router>);

impl Target for RouterTarget {
    async fn prepare(&self, caching: bool) -> anyhow::Result<()> {
        let cache = self.0.cache();
        cache.invalidate(&Selector::All);
        cache.set_enabled(caching);
        Ok(())
    }

    async fn ask(&self, request: &Request<'_>) -> anyhow::Result<Answered> {
        let context = UserContext::new(&request.user_id, request.role);
        let question = intent_router::Request::new(request.message, context);
        let routed = self.0.route(&question).await?;
        let intent = routed.answer.intent();
        ensure!(
            intent == request.intent,
            "it was detected as {intent} instead of {}, so the bench would measure something else",
            request.intent
        );
        Ok(Answered {
            outcome: routed.cache.class(),
            queries: routed.calls,
        })
    }
}
