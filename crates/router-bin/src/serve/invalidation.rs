//! Invalidations, off the threads that answer requests: some look at every entry,
//! and with a snapshot each is written to a file.

use std::sync::Arc;

use cache_keys::CanonicalJson;
use http::StatusCode;
use intent_router::{Erased, Selector};

use super::app::App;
use super::problem::Problem;
use super::turns::NotRun;
use crate::snapshot::NotKept;

/// What was removed of a user.
pub(crate) struct Forgotten {
    /// From the cache.
    pub(crate) cache: Erased,
    /// From what the source keeps.
    pub(crate) responses: usize,
}

impl App {
    /// Removes what the selectors name, in every tier, and returns the number of live
    /// entries. When it returns, neither a later request nor a restart finds them. It
    /// goes on if the returned future is dropped.
    ///
    /// # Errors
    /// A restart could bring them back.
    pub(crate) async fn invalidate(&self, selectors: Arc<[Selector]>) -> Result<usize, Problem> {
        self.in_turn(move |app| {
            let removed = app.cache().invalidate_all_of(&selectors);
            if let Some(snapshots) = app.snapshots() {
                snapshots.record(&selectors)?;
            }
            Ok(removed)
        })
        .await
    }

    /// Forgets a user in every tier and in the source: removes what is stored, and returns how
    /// much that was. When it returns, no file holds anything of them.
    ///
    /// # Errors
    /// A file still does.
    pub(crate) async fn forget(&self, user: CanonicalJson) -> Result<Forgotten, Problem> {
        self.in_turn(move |app| {
            // The source first: no question that the cache may store is answered with
            // what the source kept before.
            let removed = Forgotten {
                responses: app.router().source().forget(&user),
                cache: app.cache().erase(&user),
            };
            let selectors = [Selector::User(user)];
            match app.snapshots() {
                Some(snapshots) => {
                    // Kept first: a crash during what follows must not bring them back.
                    snapshots.record(&selectors)?;
                    snapshots.forget(&app.router())?;
                }
                None if app.has_snapshot_file() => return Err(NotKept::elsewhere()),
                None => {}
            }
            Ok(removed)
        })
        .await
    }

    /// Runs the work when its turn comes.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, NotKept> + Send + 'static,
    ) -> Result<T, Problem> {
        let app = self.clone();
        match self.invalidations().run(move || work(&app)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => {
                tracing::error!(%error, "an invalidation is not kept for a restart");
                Err(Problem::unavailable(
                    "not_kept",
                    "the cache is invalidated, but a restart may undo it; send it again",
                ))
            }
            Err(NotRun::NoPlace) => Err(Problem::unavailable(
                "too_many_invalidations",
                "too many invalidations wait for their turn; nothing is invalidated",
            )),
            Err(NotRun::Panicked) => {
                let detail = "the invalidation panicked, which is a bug of this program";
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Err(Problem::new(status, "internal", detail))
            }
        }
    }
}
