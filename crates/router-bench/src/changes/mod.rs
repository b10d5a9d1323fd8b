//! How soon a committed change of the database shows in the next answer, and whether
//! any answer is stale.

mod slow;
mod summary;
mod trial;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use intent_router::{KeywordDetector, Router};

use crate::bench::sampling::SplitMix64;

use self::slow::Slow;
use self::trial::Lane;

pub use self::summary::{ChangesRun, ChangesSummary};
pub use self::writer::Writer;

/// The options of a run.
#[derive(Clone, Copy, Debug)]
pub struct ChangesOptions {
    /// How many changes are committed.
    pub trials: u32,
    /// The seed of the random choices.
    pub seed: u64,
    /// After this time an answer that does not show a change is stale.
    pub limit: Duration,
}

impl Default for ChangesOptions {
    fn default() -> Self {
        Self {
            trials: 1_000,
            seed: 1,
            limit: Duration::from_secs(5),
        }
    }
}

/// Commits changes while requests are made, and measures when answers show them.
///
/// Each of the members has a lane, which changes its records again and again. A third of the changes
/// are committed while a slow fill of the same answer is in flight, which has read the
/// records before; another third while several clients read it.
///
/// # Errors
/// The router or the writer fails, or a member has no payments.
pub async fn run(
    router: &Router,
    writer: Arc<dyn Writer>,
    members: &[String],
    options: ChangesOptions,
) -> anyhow::Result<ChangesRun> {
    let slow = Arc::new(Slow::new(Arc::clone(router.source())));
    let catalogue = Arc::clone(router.catalogue());
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let router = router.renewed(catalogue, detector, Arc::clone(&slow) as _)?;
    let mut tasks = Vec::new();
    let mut seeds = SplitMix64::new(options.seed);
    let lanes = u32::try_from(members.len().max(1))?;
    for (lane, member) in (0..lanes).zip(members) {
        // The trials that are left over go to the first lanes.
        let trials = options.trials / lanes + u32::from(lane < options.trials % lanes);
        let lane = Lane {
            router: router.clone(),
            slow: Arc::clone(&slow),
            writer: Arc::clone(&writer),
            member: member.clone(),
            random: SplitMix64::new(seeds.next_u64()),
            limit: options.limit,
        };
        tasks.push(tokio::spawn(lane.run(trials)));
    }
    let mut run = ChangesRun::default();
    for task in tasks {
        run.add(task.await.context("a lane panicked")??);
    }
    Ok(run)
}
