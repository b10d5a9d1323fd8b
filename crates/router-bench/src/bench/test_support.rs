//! Traffic and targets for the tests of the bench.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use super::intents::{AskedIntent, MIX};
use super::measurement::{Answered, OutcomeClass};
use super::options::Options;
use super::population::Population;
use super::target::Target;
use super::traffic::{Request, Traffic};

/// An intent with `wordings` examples.
pub(crate) fn intent(name: &str, wordings: usize, shared: bool) -> AskedIntent {
    AskedIntent {
        name: name.into(),
        examples: (0..wordings).map(|at| format!("{name} #{at}?")).collect(),
        shared,
        ttl: Duration::from_secs(if shared { 3_600 } else { 300 }),
    }
}

/// The twelve built-in intents, each with 30 generated examples.
pub(crate) fn standard() -> Vec<AskedIntent> {
    let shared = [
        "employer_registration",
        "agent_request",
        "greeting",
        "goodbye",
    ];
    MIX.iter()
        .map(|(name, _)| intent(name, 30, shared.contains(name)))
        .collect()
}

/// Traffic over the built-in intents.
pub(crate) fn traffic(options: Options) -> Traffic {
    Traffic::new(options, Population::default(), standard()).expect("the options are in bounds")
}

/// An unbounded cache without expiry, in front of a source that takes two
/// queries for each answer.
#[derive(Default)]
pub(crate) struct Ideal {
    entries: Mutex<HashSet<(String, String)>>,
    caching: Mutex<bool>,
    broken: Option<&'static str>,
}

impl Ideal {
    /// A target whose source fails on this message.
    pub(crate) fn broken_at(message: &'static str) -> Self {
        Self {
            broken: Some(message),
            ..Self::default()
        }
    }
}

impl Target for Ideal {
    async fn prepare(&self, caching: bool) -> anyhow::Result<()> {
        self.entries.lock().unwrap().clear();
        *self.caching.lock().unwrap() = caching;
        Ok(())
    }

    async fn ask(&self, request: &Request<'_>) -> anyhow::Result<Answered> {
        if self.broken == Some(request.message) {
            anyhow::bail!("the source is gone");
        }
        let shared = standard()
            .iter()
            .any(|intent| intent.name == request.intent && intent.shared);
        let owner = if shared { "" } else { &request.user_id };
        let outcome = if !*self.caching.lock().unwrap() {
            OutcomeClass::Bypass
        } else if self
            .entries
            .lock()
            .unwrap()
            .insert((owner.into(), request.message.into()))
        {
            OutcomeClass::Miss
        } else {
            OutcomeClass::Hit
        };
        let queries = if outcome == OutcomeClass::Hit { 0 } else { 2 };
        Ok(Answered { outcome, queries })
    }
}
