//! Live data from SQLite.

mod error;
mod options;
mod pool;
mod query;
mod ranges;
mod redact;
mod rows;
mod tables;
mod terms;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use intent_router::{
    Ask, BoxFuture, Catalogue, Found, Intent, LiveData, Principal, Read, Records, SourceError,
};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

pub use self::error::{OpenError, QueryFault};
pub use self::options::SqliteOptions;
use self::pool::{Failure, Pool};
use self::query::Plan;
use self::redact::without_values;
use self::rows::Bounds;
use self::tables::Tables;
use crate::demo::{DemoOptions, MemoryDemo};

/// A source of records in a SQLite database.
///
/// Every query of the catalogue is checked when the source is opened, and
/// runs on one of a fixed number of threads, each with a read-only
/// connection of its own; the futures that are returned wait for them on any
/// executor. Dropping the last source over a database ends the threads and
/// waits for them.
///
/// The queries of an intent see one state of the database, though others
/// write to it meanwhile.
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
    intents: HashMap<String, Arc<Plan>>,
    member: Arc<Plan>,
    /// How many statements each connection keeps prepared.
    statements: usize,
}

/// An open database: what does not depend on a catalogue.
#[derive(Debug)]
struct Database {
    pool: Pool,
    /// A connection that only checks queries, so that no question waits for it.
    checker: Mutex<Connection>,
    profile_sql: String,
    bounds: Bounds,
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
        Self::prepare(Arc::new(database), catalogue).map_err(first)
    }

    /// Makes demo data in memory and opens it. The memory is freed when the
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
        Self::prepare(Arc::new(database), catalogue).map_err(first)
    }

    /// A source over the same database, be it a file or demo data, for the
    /// queries of another catalogue. Both can be asked, and share connections,
    /// queue, deadline and bounds.
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
            let tables = Tables::of(&checker, catalogue).map_err(|error| vec![error])?;
            match Plan::of_member(&mut checker, &tables, &database.profile_sql) {
                Ok(plan) => member = Some(Arc::new(plan)),
                Err(error) => errors.push(error),
            }
            for intent in catalogue.intents() {
                match Plan::of_intent(&mut checker, &tables, intent) {
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
            statements: query::statements(catalogue),
        })
    }

    /// Does the work on one of the connections.
    async fn run<T, F>(&self, work: F) -> Result<T, SourceError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let statements = self.statements;
        let work = move |connection: &Connection| {
            // Two sources may take turns on a connection. Setting what is set
            // already costs nothing.
            connection.set_prepared_statement_cache_capacity(statements);
            work(connection)
        };
        self.database.pool.run(work).await
    }
}

/// The first of several errors, for a caller that reports one.
fn first(mut errors: Vec<OpenError>) -> OpenError {
    // Callers pass the errors of a failed check, which are never empty.
    errors.swap_remove(0)
}

impl Database {
    fn open(path: &Path, name: &str, options: &SqliteOptions) -> Result<Self, OpenError> {
        let unreadable = |error: rusqlite::Error| OpenError::Database {
            name: name.to_owned(),
            reason: error.to_string(),
        };
        let connections = (0..options.connections.get())
            .map(|_| connect(path))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        let checker = connect(path).map_err(unreadable)?;
        let pool = Pool::start(connections, options.queue, options.deadline)
            .map_err(OpenError::Threads)?;
        Ok(Self {
            pool,
            checker: Mutex::new(checker),
            profile_sql: options.profile_sql.clone(),
            bounds: Bounds {
                max_rows: options.max_rows,
                max_bytes: options.max_bytes,
            },
        })
    }
}

/// A connection that can only read.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    // Sorting needs no writable folder.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    ranges::register(&connection)?;
    // Opening alone reads nothing: this is where a file that is no database
    // shows.
    read_schema(&connection)?;
    Ok(connection)
}

/// The cheapest look at the database file itself.
fn read_schema(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_one("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

impl LiveData for SqliteSource {
    fn is_member<'a>(
        &'a self,
        who: &'a Principal,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(async move {
            let plan = Arc::clone(&self.member);
            let values = plan.member_values(who);
            let asker = who.id_text().into_owned();
            let work = move |connection: &Connection| {
                plan.is_member(connection, &asker, &values)
                    .map_err(|failure| without_values(failure, &values))
            };
            self.run(work).await
        })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        Box::pin(async move {
            let name = ask.intent.name.as_str();
            let Some(plan) = self.intents.get(name).map(Arc::clone) else {
                return Err(SourceError::Query {
                    intent: name.to_owned(),
                    query: String::new(),
                    reason: "the source was opened with a catalogue without this intent".to_owned(),
                });
            };
            let values = plan.values(&ask);
            let bounds = self.database.bounds;
            let work = move |connection: &Connection| {
                plan.records(connection, &values, bounds)
                    .map_err(|failure| without_values(failure, &values))
            };
            self.run(work).await
        })
    }

    fn reads(&self, intent: &Intent) -> Option<Vec<Read>> {
        let plan = self.intents.get(&intent.name)?;
        Some(plan.reads().to_vec())
    }

    fn member_reads(&self) -> Vec<Read> {
        self.member.reads().to_vec()
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), SourceError>> {
        Box::pin(async move {
            let look = |connection: &Connection| {
                read_schema(connection)
                    .map_err(|error| query::classify(&error, SourceError::Unavailable))
            };
            self.run(look).await
        })
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
    fn connections_only_read() {
        let database = MemoryDemo::generate(&DemoOptions {
            members: 1,
            seed: 1,
        })
        .unwrap();
        let connection = connect(Path::new(&database.uri)).unwrap();
        for sql in [
            "DELETE FROM claims",
            "UPDATE members SET display_name = ''",
            "CREATE TABLE t (x)",
        ] {
            assert!(connection.execute(sql, []).is_err(), "{sql}");
        }
        let guard = connection.query_one("PRAGMA query_only", [], |row| row.get::<_, bool>(0));
        assert!(guard.unwrap());
        // Without its own guard the file's mode still forbids it.
        connection.pragma_update(None, "query_only", false).unwrap();
        assert!(connection.execute("DELETE FROM tickets", []).is_err());
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
