//! Live data from PostgreSQL.

mod address;
mod fault;
mod numeric;
mod options;
mod parameters;
mod query;
mod rows;
mod session;
mod tables;
mod wait;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use intent_router::{
    Ask, BoxFuture, Catalogue, Deadline, Found, Intent, LiveData, Principal, Read, Records,
    SourceError,
};

pub(crate) use self::address::CONNECT_TIME;
pub use self::address::PostgresAddress;
#[cfg(feature = "sqlite")]
pub(crate) use self::fault::error_text;
pub use self::options::PostgresOptions;
use self::query::{NumberedQuery, Plans, any_word};
use self::session::Sessions;
pub(crate) use self::wait::{runtime, wait_for};
use crate::catalogue_source::CatalogueSource;
use crate::error::OpenError;
use crate::plan::{Bounds, Calls, Plan, unknown_intent, without_values};

/// How long the check of a catalogue's queries may take.
const CHECK_TIME: Duration = Duration::from_secs(60);

/// A source of records in a PostgreSQL database.
///
/// Every query of the catalogue is checked when the source is opened: it runs its text
/// for PostgreSQL, or else its common one. Queries run in read-only transactions; those
/// of an intent see one state of the database.
///
/// A source has one thread, which serves all its connections; the returned futures run
/// on any executor. Connections are opened when they are needed, and replaced when they
/// break.
///
/// A source never changes; one [with another catalogue](Self::with_catalogue)
/// shares its connections.
///
/// ```no_run
/// use intent_router::Catalogue;
/// use live_data::{PostgresAddress, PostgresOptions, PostgresSource};
///
/// let address = PostgresAddress::new("postgres://reader@localhost/crm", None, None)?;
/// let options = PostgresOptions::new(address);
/// let source = PostgresSource::open(Catalogue::built_in(), &options)?;
/// # Ok::<(), live_data::OpenError>(())
/// ```
pub struct PostgresSource {
    database: Arc<Connected>,
    intents: HashMap<String, Arc<Plan<NumberedQuery>>>,
    member: Arc<Plan<NumberedQuery>>,
}

/// A connected database: what does not depend on a catalogue.
struct Connected {
    sessions: Sessions,
    profile_sql: String,
    bounds: Bounds,
    calls: Arc<Calls>,
}

impl PostgresSource {
    /// Connects to the database for the catalogue's queries. Blocks while they are
    /// checked, up to a minute.
    ///
    /// # Errors
    /// [`OpenError`] when the server cannot be reached, when a query or a tag of the
    /// catalogue does not fit the database, or when the thread cannot be started.
    pub fn open(catalogue: &Catalogue, options: &PostgresOptions) -> Result<Self, OpenError> {
        let database = Connected {
            sessions: Sessions::start(
                options.address.clone(),
                options.connections,
                options.queue,
                options.deadline,
            )?,
            profile_sql: options.profile_sql.clone(),
            bounds: Bounds {
                max_rows: options.max_rows,
                max_bytes: options.max_bytes,
            },
            calls: Arc::default(),
        };
        Self::prepare(Arc::new(database), catalogue).map_err(OpenError::all)
    }

    /// A source over the same database for the queries of another catalogue. Both remain
    /// usable, and share connections, queue, deadline and bounds.
    ///
    /// Blocks while the queries are checked, on a connection that nothing else uses.
    ///
    /// # Errors
    /// The first [`OpenError`] of each intent whose queries or tags do not fit
    /// the database, in the order of the catalogue.
    pub fn with_catalogue(&self, catalogue: &Catalogue) -> Result<Self, Vec<OpenError>> {
        let next = Self::prepare(Arc::clone(&self.database), catalogue)?;
        self.database.sessions.forget_statements();
        Ok(next)
    }

    /// Checks a catalogue's queries on a connection of their own.
    fn prepare(database: Arc<Connected>, catalogue: &Catalogue) -> Result<Self, Vec<OpenError>> {
        let (plans, member) = database.check(catalogue)?;
        let plans = plans.into_iter();
        Ok(Self {
            database,
            intents: plans.map(|(name, plan)| (name, Arc::new(plan))).collect(),
            member: Arc::new(member),
        })
    }

    /// How many queries were begun since the database was opened, whether or not they
    /// succeeded. Those of [`ready`](LiveData::ready) do not count.
    pub fn calls(&self) -> u64 {
        self.database.calls.get()
    }

    /// How many connections were closed since the database was opened because they
    /// failed or did not end a query in time; the next question opens another.
    pub fn reopened(&self) -> u64 {
        self.database.sessions.reopened()
    }
}

impl Connected {
    fn check(&self, catalogue: &Catalogue) -> Result<Plans, Vec<OpenError>> {
        let address = self.sessions.address().clone();
        let name = address.to_string();
        let (catalogue, profile_sql) = (catalogue.clone(), self.profile_sql.clone());
        let (reply, answer) = mpsc::channel();
        let runtime = self.sessions.runtime();
        // On the source's own thread: the caller may be a task of another runtime, where
        // waiting for a future is not allowed.
        let runtime = runtime.map_err(|error| vec![query::ended(&error)])?;
        let task = runtime.spawn(async move {
            let checked = match address.connect().await {
                Ok(client) => query::check_all(&client, &catalogue, &profile_sql).await,
                Err(error) => Err(vec![error]),
            };
            // Fails only if nobody waits any more.
            let _ = reply.send(checked);
        });
        answer.recv_timeout(CHECK_TIME).unwrap_or_else(|_| {
            task.abort();
            let reason = format!("no answer within {} s", CHECK_TIME.as_secs());
            Err(vec![OpenError::Database { name, reason }])
        })
    }
}

impl fmt::Debug for PostgresSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.database.sessions.address();
        f.debug_tuple("PostgresSource").field(address).finish()
    }
}

impl LiveData for PostgresSource {
    fn is_member<'a>(
        &'a self,
        who: &'a Principal,
        deadline: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(async move {
            let plan = Arc::clone(&self.member);
            let values = plan.member_values(who);
            let asker = who.id_text().into_owned();
            let calls = Arc::clone(&self.database.calls);
            let sessions = &self.database.sessions;
            sessions
                .run(deadline, move |connection| {
                    Box::pin(async move {
                        let found = plan.is_member(connection, &asker, &values, &calls).await;
                        found.map_err(|failure| without_values(failure, &values))
                    })
                })
                .await
        })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        Box::pin(async move {
            let name = ask.intent.name.as_str();
            let Some(plan) = self.intents.get(name).map(Arc::clone) else {
                return Err(unknown_intent(name));
            };
            let values = plan.values(&ask, any_word);
            let bounds = self.database.bounds;
            let calls = Arc::clone(&self.database.calls);
            let sessions = &self.database.sessions;
            sessions
                .run(ask.deadline, move |connection| {
                    Box::pin(async move {
                        let found = plan.records(connection, &values, bounds, &calls).await;
                        found.map_err(|failure| without_values(failure, &values))
                    })
                })
                .await
        })
    }

    fn reads(&self, intent: &Intent) -> Option<Vec<Read>> {
        let plan = self.intents.get(&intent.name)?;
        Some(plan.reads().to_vec())
    }

    fn member_reads(&self) -> Vec<Read> {
        self.member.reads().to_vec()
    }

    fn deadline(&self) -> Option<Duration> {
        Some(self.database.sessions.deadline())
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async move {
            let plan = Arc::clone(&self.member);
            let sessions = &self.database.sessions;
            sessions
                .run(Deadline::NEVER, move |connection| {
                    Box::pin(async move { plan.probe(connection).await })
                })
                .await
        })
    }
}

impl CatalogueSource for PostgresSource {
    fn for_catalogue(
        &self,
        catalogue: &Catalogue,
    ) -> Result<Arc<dyn CatalogueSource>, Vec<OpenError>> {
        Ok(Arc::new(self.with_catalogue(catalogue)?))
    }

    fn calls(&self) -> u64 {
        self.calls()
    }

    fn reopened(&self) -> u64 {
        self.reopened()
    }
}
