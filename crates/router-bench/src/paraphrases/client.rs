//! A client of the router that asks as one user after another.

use anyhow::{Context, ensure};
use intent_router::{CacheUse, Request, Routed, Router, UserContext};

use crate::bench::population::Population;

/// Asks as a user of the population.
pub(super) struct Client<'a> {
    population: &'a Population,
    cache_use: CacheUse,
}

impl<'a> Client<'a> {
    /// A client whose requests use the cache.
    pub(super) fn cached(population: &'a Population) -> Self {
        Self {
            population,
            cache_use: CacheUse::default(),
        }
    }

    /// A client whose requests bypass the cache.
    pub(super) fn uncached(population: &'a Population) -> Self {
        Self {
            population,
            cache_use: CacheUse::Forbidden,
        }
    }

    /// The answer to a message of a user, which must be of `intent`.
    ///
    /// # Errors
    /// A failure of the router, or an answer of another intent.
    pub(super) async fn ask(
        &self,
        router: &Router,
        (user, intent, message): (u32, &str, &str),
    ) -> anyhow::Result<Routed> {
        let user = self.population.id(user);
        let context = UserContext::new(&user, &self.population.role);
        let mut request = Request::new(message, context);
        request.cache_use = self.cache_use;
        let routed = router.route(&request).await;
        let routed = routed.with_context(|| format!("{message:?} by {user} failed"))?;
        let taken_for = routed.answer.intent();
        ensure!(
            taken_for == intent,
            "{message:?} was detected as {taken_for} instead of {intent}, so the bench would measure something else"
        );
        Ok(routed)
    }
}
