//! The HTTP source against a server on a real socket: what is sent, and what becomes of
//! each response and each fault.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

#[cfg(feature = "sqlite")]
mod by_intent;
mod faults;
mod requests;
mod revalidation;
mod server;

use std::time::{Duration, Instant};

use intent_router::{
    Catalogue, Deadline, Found, LiveData, Principal, Records, RequestContext, Slots, SourceError,
    UserContext,
};
use live_data::{HttpOptions, HttpSource};

/// An intent `claims` whose request has these members.
pub(crate) fn catalogue(http: &str) -> Catalogue {
    let text = format!(
        "[slots.claim]\nkind = 'pattern'\npattern = 'CLM-####'\n[[intent]]\nname = 'claims'\n\
         kind = 'live_data'\nphrases = ['claims']\nslots = ['claim']\nkey = 'slots'\n\
         tags = ['claim:{{number}}']\n[intent.http]\n{http}\n"
    );
    Catalogue::parse(&text).expect("a catalogue")
}

pub(crate) struct Question<'q> {
    pub(crate) http: &'q str,
    pub(crate) user: &'q str,
    pub(crate) role: &'q str,
    pub(crate) claim: Option<&'q str>,
}

impl Default for Question<'_> {
    fn default() -> Self {
        Self {
            http: "path = '/claims'",
            user: "BEN-1",
            role: "member",
            claim: None,
        }
    }
}

impl Question<'_> {
    pub(crate) async fn ask(&self, source: &HttpSource) -> Result<Found<Records>, SourceError> {
        self.ask_within(source, Duration::from_secs(60)).await
    }

    pub(crate) async fn ask_within(
        &self,
        source: &HttpSource,
        time: Duration,
    ) -> Result<Found<Records>, SourceError> {
        let catalogue = catalogue(self.http);
        let who = Principal::identify(&UserContext::new(self.user, self.role));
        let slots: Slots = self
            .claim
            .map(|claim| ("claim", claim))
            .into_iter()
            .collect();
        let intent = &catalogue.intents()[0];
        let context = RequestContext::new(intent, who.as_ref(), slots, "my claims?");
        let mut ask = context.ask();
        ask.deadline = Deadline::after(Instant::now(), time);
        source.records(ask).await
    }
}

/// Options with a deadline that no test waits for.
pub(crate) fn options(url: &str) -> HttpOptions {
    let mut options = HttpOptions::new(url);
    options.deadline = Duration::from_secs(60);
    options
}

pub(crate) fn source(url: &str) -> HttpSource {
    HttpSource::open(&options(url)).expect("a source")
}
