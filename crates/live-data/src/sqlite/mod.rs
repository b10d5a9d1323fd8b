//! Live data from SQLite.

pub(crate) mod connect;
mod fault;
mod options;
mod pool;
mod query;
mod ranges;
mod rows;
mod tables;
mod terms;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use intent_router::{
    Ask, BoxFuture, Catalogue, Deadline, Found, Intent, LiveData, Principal, Read, Records,
    SourceError,
};
use parking_lot::Mutex;
use rusqlite::Connection;

use self::connect::Location;
pub use self::options::SqliteOptions;
use self::pool::Pool;
use self::tables::Tables;
use self::terms::match_expression;
use crate::catalogue_source::CatalogueSource;
use crate::demo::{DemoOptions, MemoryDemo};
use crate::error::OpenError;
use crate::plan::{Bounds, Calls, Failure, Plan, statements, unknown_intent, without_values};

/// A source of records in a SQLite database.
///
/// Every query of the catalogue is checked when the source is opened, and
/// runs on one of a fixed number of threads, each with a read-only
/// connection of its own; the returned futures wait for them on any executor.
/// Dropping the last source of a database ends the threads and waits for them.
///
/// The queries of an intent see one state of the database, even if others write
/// to it meanwhile.
///
/// A connection whose file was damaged or replaced, by copying or by renaming, is
/// reopened before its next query.
///
/// A source never changes; one [with another catalogue](Self::with_catalogue)
/// shares its database and its threads.
///
/// ```
/// use intent_router::{Catalogue, LiveData, Principal, RequestContext, Slots, UserContext};
/// use live_data::{DemoOptions, SqliteOptions, SqliteSource};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let catalogue = Catalogue::parse(r#"
///     [[intent]]
///     name = "claim_status"
///     kind = "live_data"
///     phrases = ["claim status"]
///     tags = ["claim:{claim_number}"]
///     [[intent.query]]
///     name = "claims"
///     sql = "SELECT claim_number, status FROM claims WHERE member_id = :user_id"
/// "#)?;
/// let demo = DemoOptions { members: 20, ..DemoOptions::default() };
/// let source = SqliteSource::demo(&catalogue, &demo, &SqliteOptions::default())?;
///
/// let who = Principal::identify(&UserContext::new("BEN-000001", "beneficiary"));
/// let intent = catalogue.get("claim_status").ok_or("it is in the catalogue")?;
/// let message = "What is my claim status?";
/// let context = RequestContext::new(intent, who.as_ref(), Slots::default(), message);
/// let found = pollster::block_on(source.records(context.ask()))?;
/// assert_eq!(found.calls, 1);
/// assert_eq!(found.value.data["claims"].as_array().map(Vec::len), Some(3));
/// assert!(found.value.tags.contains(&"claim:CLM-2025-000001".to_owned()));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteSource {
    database: Arc<Database>,
    intents: HashMap<String, Arc<Plan<String>>>,
    member: Arc<Plan<String>>,
    /// How many statements each connection keeps prepared.
    statements: usize,
}

/// An open database: what does not depend on a catalogue.
#[derive(Debug)]
struct Database {
    location: Location,
    /// The location in errors.
    name: String,
    pool: Pool,
    /// A connection that only checks queries, so that no question waits for it.
    checker: Mutex<Connection>,
    profile_sql: String,
    bounds: Bounds,
    calls: Arc<Calls>,
}

impl SqliteSource {
    /// Opens the database at `path`, read-only, for the catalogue's queries.
    ///
    /// # Errors
    /// [`OpenError`] when there is no database at `path`, when a query or a
    /// tag of the catalogue does not fit it, or when threads cannot be
    /// started.
    pub fn open(
        path: impl AsRef<Path>,
        catalogue: &Catalogue,
        options: &SqliteOptions,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        // An absolute path cannot be taken for one of SQLite's `file:` URIs.
        let path = std::path::absolute(path).map_err(|error| OpenError::Database {
            name: name.clone(),
            reason: error.to_string(),
        })?;
        let database = Database::open(&path, &name, options)?;
        Self::prepare(Arc::new(database), catalogue).map_err(OpenError::all)
    }

    /// Generates demo data in memory and opens it. The memory is freed when the
    /// source is dropped.
    ///
    /// # Errors
    /// [`OpenError`] when a query or a tag of the catalogue does not fit the
    /// demo schema, when the options are out of range, or when threads
    /// cannot be started.
    pub fn demo(
        catalogue: &Catalogue,
        demo: &DemoOptions,
        options: &SqliteOptions,
    ) -> Result<Self, OpenError> {
        let demo = MemoryDemo::generate(demo)?;
        let database = Database::open(Path::new(&demo.uri), "in memory", options)?;
        Self::prepare(Arc::new(database), catalogue).map_err(OpenError::all)
    }

    /// A source over the same database (a file or demo data) for the queries of
    /// another catalogue. Both remain usable, and share connections, queue,
    /// deadline and bounds.
    ///
    /// Blocks while the queries are checked, on a connection that nothing else
    /// uses.
    ///
    /// # Errors
    /// The first [`OpenError`] of each intent whose queries or tags do not fit
    /// the database, in the order of the catalogue.
    ///
    /// ```
    /// use intent_router::Catalogue;
    /// use live_data::{DemoOptions, OpenError, SqliteOptions, SqliteSource};
    ///
    /// # fn main() -> Result<(), Vec<OpenError>> {
    /// let demo = DemoOptions { members: 20, ..DemoOptions::default() };
    /// let options = SqliteOptions::default();
    /// let source = SqliteSource::demo(Catalogue::built_in(), &demo, &options)
    ///     .map_err(|error| vec![error])?;
    /// let next = source.with_catalogue(Catalogue::built_in())?;
    /// drop(source);
    /// # drop(next);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_catalogue(&self, catalogue: &Catalogue) -> Result<Self, Vec<OpenError>> {
        Self::prepare(Arc::clone(&self.database), catalogue)
    }

    /// Checks a catalogue's queries against an open database.
    fn prepare(database: Arc<Database>, catalogue: &Catalogue) -> Result<Self, Vec<OpenError>> {
        let mut intents = HashMap::new();
        let mut errors = Vec::new();
        let mut member = None;
        {
            let mut checker = database.checker.lock();
            database.renew(&mut checker).map_err(|error| vec![error])?;
            let tables = Tables::of(&checker, catalogue).map_err(|error| vec![error])?;
            match query::of_member(&mut checker, &tables, &database.profile_sql) {
                Ok(plan) => member = Some(Arc::new(plan)),
                Err(error) => errors.push(error),
            }
            for intent in catalogue.intents() {
                match query::of_intent(&mut checker, &tables, intent) {
                    Ok(plan) => drop(intents.insert(intent.name.clone(), Arc::new(plan))),
                    Err(error) => errors.push(error),
                }
            }
        }
        let Some(member) = member.filter(|_| errors.is_empty()) else {
            return Err(errors);
        };
        Ok(Self {
            database,
            intents,
            member,
            statements: statements(catalogue),
        })
    }

    /// How many queries were begun since the database was opened, whether or not they
    /// succeeded. Those of [`ready`](LiveData::ready) do not count.
    pub fn calls(&self) -> u64 {
        self.database.calls.get()
    }

    /// How many connections were opened again since the database was opened: because
    /// a query failed for a reason that a new connection may not have, or because
    /// another file took the database's place.
    pub fn reopened(&self) -> u64 {
        self.database.pool.reopened()
    }

    /// Does the work on one of the connections.
    async fn run<T, F>(&self, deadline: Deadline, work: F) -> Result<T, SourceError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let statements = self.statements;
        let work = move |connection: &Connection| {
            // Two sources may take turns on a connection. Setting the same value
            // again costs nothing.
            connection.set_prepared_statement_cache_capacity(statements);
            work(connection)
        };
        self.database.pool.run(deadline, work).await
    }
}

impl Database {
    fn open(path: &Path, name: &str, options: &SqliteOptions) -> Result<Self, OpenError> {
        let location = Location::new(path);
        let connections = (0..options.connections.get())
            .map(|_| location.open(LOCKED_AT_START))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unreadable(name, &error))?;
        let checker = location.open(LOCKED_AT_START);
        let checker = checker.map_err(|error| unreadable(name, &error))?;
        let pool = Pool::start(&location, connections, options.queue, options.deadline)
            .map_err(OpenError::Threads)?;
        Ok(Self {
            location,
            name: name.to_owned(),
            pool,
            checker: Mutex::new(checker.connection),
            profile_sql: options.profile_sql.clone(),
            bounds: Bounds {
                max_rows: options.max_rows,
                max_bytes: options.max_bytes,
            },
            calls: Arc::default(),
        })
    }

    /// Opens the checker's connection again, to the file that is there now. While
    /// there is none, the one that was opened still answers.
    fn renew(&self, checker: &mut Connection) -> Result<(), OpenError> {
        if self.location.file().is_some() {
            let opened = self.location.open(LOCKED_AT_START);
            *checker = opened
                .map_err(|error| unreadable(&self.name, &error))?
                .connection;
        }
        Ok(())
    }
}

/// How long opening a source waits for another process's lock.
const LOCKED_AT_START: Duration = Duration::from_secs(5);

fn unreadable(name: &str, error: &rusqlite::Error) -> OpenError {
    OpenError::Database {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}

impl LiveData for SqliteSource {
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
            let work = move |connection: &Connection| {
                plan.is_member(connection, &asker, &values, &calls)
                    .map_err(|failure| without_values(failure, &values))
            };
            self.run(deadline, work).await
        })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        Box::pin(async move {
            let name = ask.intent.name.as_str();
            let Some(plan) = self.intents.get(name).map(Arc::clone) else {
                return Err(unknown_intent(name));
            };
            let values = plan.values(&ask, match_expression);
            let bounds = self.database.bounds;
            let calls = Arc::clone(&self.database.calls);
            let work = move |connection: &Connection| {
                plan.records(connection, &values, bounds, &calls)
                    .map_err(|failure| without_values(failure, &values))
            };
            self.run(ask.deadline, work).await
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
        Some(self.database.pool.deadline())
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async move {
            let plan = Arc::clone(&self.member);
            let look = move |connection: &Connection| plan.probe(connection);
            self.run(Deadline::NEVER, look).await
        })
    }
}

impl CatalogueSource for SqliteSource {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trait_object_is_what_routers_hold() {
        fn assert_source<T: LiveData + Send + Sync + 'static>() {}
        assert_source::<SqliteSource>();
    }

    #[test]
    fn the_memory_of_a_demo_is_freed_with_its_source() {
        let tables = |uri: &str| {
            Connection::open(uri)
                .and_then(|connection| {
                    let sql = "SELECT count(*) FROM sqlite_schema";
                    connection.query_one(sql, [], |row| row.get::<_, i64>(0))
                })
                .unwrap()
        };
        let catalogue = Catalogue::parse(
            "[[intent]]\nname = \"a\"\nkind = \"live_data\"\nphrases = [\"a\"]\n\
             [[intent.query]]\nname = \"q\"\nsql = \"SELECT 1 AS one\"\n",
        )
        .unwrap();
        let demo = MemoryDemo::generate(&DemoOptions::default()).unwrap();
        let uri = demo.uri.clone();
        let database = Database::open(Path::new(&uri), "demo", &SqliteOptions::default()).unwrap();
        let source = SqliteSource::prepare(Arc::new(database), &catalogue).unwrap();
        drop(demo);
        assert!(tables(&uri) > 0, "the workers keep it");
        let next = source.with_catalogue(&catalogue).unwrap();
        drop(source);
        assert!(tables(&uri) > 0, "the next source keeps it");
        drop(next);
        assert_eq!(tables(&uri), 0);
    }
}
