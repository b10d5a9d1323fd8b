//! [`SourceByIntent`], a database and an HTTP back end for one catalogue.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use intent_router::{
    Ask, BoxFuture, CanonicalJson, Catalogue, Deadline, Found, Intent, LiveData, Principal, Read,
    Records, SourceError,
};

use crate::catalogue_source::CatalogueSource;
use crate::error::OpenError;
use crate::http::HttpSource;

/// A database and an HTTP back end for one catalogue, or one of the two. Intents with a
/// request are asked of the back end, all others of the database.
///
/// The database knows the members; without one, every identified user is a member.
#[derive(Clone)]
pub struct SourceByIntent {
    database: Option<Arc<dyn CatalogueSource>>,
    back_end: Option<HttpSource>,
}

impl SourceByIntent {
    /// Both sources together, for a catalogue whose queries the database was opened for.
    ///
    /// # Errors
    /// [`OpenError::NoSource`] for the first intent whose source is missing.
    pub fn new(
        database: Option<Arc<dyn CatalogueSource>>,
        back_end: Option<HttpSource>,
        catalogue: &Catalogue,
    ) -> Result<Self, OpenError> {
        let source = Self { database, back_end };
        let mut missing = catalogue.intents().iter().filter_map(|i| source.missing(i));
        match missing.next() {
            Some(error) => Err(error),
            None => Ok(source),
        }
    }

    fn missing(&self, intent: &Intent) -> Option<OpenError> {
        let needed = if intent.http.is_some() && self.back_end.is_none() {
            "an HTTP back end"
        } else if !intent.queries.is_empty() && self.database.is_none() {
            "a database"
        } else {
            return None;
        };
        Some(OpenError::NoSource {
            intent: intent.name.clone(),
            needed,
        })
    }

    /// The source of an intent. An intent without queries and without a request has no
    /// records in either.
    fn of(&self, intent: &Intent) -> Option<&dyn CatalogueSource> {
        let back_end = self.back_end.as_ref().map(|source| source as _);
        match intent.http {
            Some(_) => back_end,
            None => self.database.as_deref().or(back_end),
        }
    }
}

impl LiveData for SourceByIntent {
    fn is_member<'a>(
        &'a self,
        who: &'a Principal,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        match &self.database {
            Some(database) => database.is_member(who, deadline),
            None => Box::pin(ready(Ok(Found::new(true, 0)))),
        }
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        match self.of(ask.intent) {
            Some(source) => source.records(ask),
            None => {
                let reason = "no source is configured for the intent".to_owned();
                Box::pin(ready(Err(SourceError::Unavailable(reason))))
            }
        }
    }

    fn reads(&self, intent: &Intent) -> Option<Vec<Read>> {
        self.of(intent)?.reads(intent)
    }

    fn member_reads(&self) -> Vec<Read> {
        let database = self.database.as_ref();
        database.map_or_else(Vec::new, |database| database.member_reads())
    }

    /// The longer of both, as either may be asked.
    fn deadline(&self) -> Option<Duration> {
        let database = self.database.as_ref().and_then(|source| source.deadline());
        let back_end = self.back_end.as_ref().and_then(LiveData::deadline);
        database.max(back_end)
    }

    /// Both must be ready.
    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async move {
            if let Some(database) = &self.database {
                database.ready().await?;
            }
            match &self.back_end {
                Some(back_end) => back_end.ready().await,
                None => Ok(()),
            }
        })
    }

    fn forget(&self, user: &CanonicalJson) -> usize {
        let database = self.database.as_ref().map_or(0, |it| it.forget(user));
        database + self.back_end.as_ref().map_or(0, |it| it.forget(user))
    }
}

impl CatalogueSource for SourceByIntent {
    fn for_catalogue(
        &self,
        catalogue: &Catalogue,
    ) -> Result<Arc<dyn CatalogueSource>, Vec<OpenError>> {
        let intents = catalogue.intents().iter();
        let missing: Vec<_> = intents.filter_map(|i| self.missing(i)).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let database = self.database.as_ref();
        let database = database.map(|database| database.for_catalogue(catalogue));
        Ok(Arc::new(Self {
            database: database.transpose()?,
            back_end: self.back_end.clone(),
        }))
    }

    fn calls(&self) -> u64 {
        let database = self.database.as_ref().map_or(0, |source| source.calls());
        database + self.back_end.as_ref().map_or(0, CatalogueSource::calls)
    }

    fn reopened(&self) -> u64 {
        self.database.as_ref().map_or(0, |source| source.reopened())
    }
}
