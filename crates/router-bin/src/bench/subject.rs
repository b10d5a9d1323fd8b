//! What the bench measures: the router, asked in process.

use std::sync::Arc;

use anyhow::ensure;
use intent_router::{Router, Selector, UserContext};

use super::measure::Answered;
use super::run::Subject;
use super::traffic::Request;

/// A router, asked as the service asks it.
pub(crate) struct Routed(Arc<Router>);

impl Routed {
    /// The router to measure.
    pub(crate) fn new(router: Arc<Router>) -> Self {
        Self(router)
    }
}

impl Subject for Routed {
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
            "it was taken for {intent}, not {}: the bench would measure something else",
            request.intent
        );
        Ok(Answered {
            outcome: routed.cache.class(),
            queries: routed.calls,
        })
    }
}
