//! A source whose next answer to a member is held back after it was read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use intent_router::{
    Ask, BoxFuture, Deadline, Found, Intent, LiveData, Principal, Read, Records, SourceError,
};

/// A source that can be told to be slow.
pub(super) struct Slow {
    inner: Arc<dyn LiveData>,
    delays: Mutex<HashMap<String, Duration>>,
}

impl Slow {
    pub(super) fn new(inner: Arc<dyn LiveData>) -> Self {
        Self {
            inner,
            delays: Mutex::default(),
        }
    }

    /// Holds the member's next records back for this time after they were read.
    pub(super) fn delay_next(&self, member: &str, delay: Duration) {
        self.delays().insert(member.to_owned(), delay);
    }

    fn delays(&self) -> std::sync::MutexGuard<'_, HashMap<String, Duration>> {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveData for Slow {
    fn is_member<'a>(
        &'a self,
        who: &'a Principal,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        self.inner.is_member(who, deadline)
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        Box::pin(async move {
            let records = self.inner.records(ask).await;
            let member = ask.principal.map(|who| who.id_text().into_owned());
            let delay = member.and_then(|member| self.delays().remove(&member));
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            records
        })
    }

    fn reads(&self, intent: &Intent) -> Option<Vec<Read>> {
        self.inner.reads(intent)
    }

    fn member_reads(&self) -> Vec<Read> {
        self.inner.member_reads()
    }

    fn deadline(&self) -> Option<Duration> {
        self.inner.deadline()
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        self.inner.ready()
    }
}
