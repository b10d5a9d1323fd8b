//! The change table of a SQLite database and the triggers that fill it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use intent_router::{Catalogue, Coverage};
use rusqlite::{Connection, OpenFlags};

use super::triggers::{self, TABLE};
use crate::changes::Mapping;
use crate::error::OpenError;

/// The statements that make SQLite report single records: a change table, and triggers on
/// the tables that a catalogue declares.
///
/// ```
/// use intent_router::Catalogue;
/// use live_data::{DemoOptions, SqliteSetup, write_demo};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("crm.db");
/// write_demo(&path, &DemoOptions { members: 2, ..DemoOptions::default() })?;
/// let setup = SqliteSetup::of(&path, Catalogue::built_in())?;
/// assert!(!setup.is_applied());
/// setup.apply()?;
/// assert!(SqliteSetup::of(&path, Catalogue::built_in())?.is_applied());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteSetup {
    path: PathBuf,
    statements: Vec<String>,
    untracked: Vec<(String, &'static str)>,
    is_applied: bool,
}

impl SqliteSetup {
    /// The setup of the database at `path` for a catalogue. Reads the schema; writes
    /// nothing.
    ///
    /// # Errors
    /// [`OpenError::Database`] if the database cannot be read.
    pub fn of(path: impl AsRef<Path>, catalogue: &Catalogue) -> Result<Self, OpenError> {
        let path = path.as_ref().to_owned();
        let connection = open(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let plan = SetupPlan::of(&connection, catalogue);
        let plan = plan.map_err(|error| unusable(&path, &error))?;
        Ok(Self {
            path,
            statements: plan.statements(),
            is_applied: plan.is_applied(),
            untracked: plan.untracked,
        })
    }

    /// The statements, each ending in a semicolon.
    pub fn statements(&self) -> &[String] {
        &self.statements
    }

    /// The declared tables whose rows cannot be reported, with the reasons. Any
    /// commit counts as a change of all their rows.
    pub fn untracked(&self) -> &[(String, &'static str)] {
        &self.untracked
    }

    /// Whether the database has exactly this table and these triggers.
    pub fn is_applied(&self) -> bool {
        self.is_applied
    }

    /// Runs the statements in one transaction.
    ///
    /// # Errors
    /// [`OpenError::Database`] if the database cannot be written; it is then unchanged.
    pub fn apply(&self) -> Result<(), OpenError> {
        let mut connection = open(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let run = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            for statement in &self.statements {
                transaction.execute_batch(statement)?;
            }
            transaction.commit()
        };
        run(&mut connection).map_err(|error| unusable(&self.path, &error))
    }
}

/// How long opening waits for another process's lock.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

fn open(path: &Path, mode: OpenFlags) -> Result<Connection, OpenError> {
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(PATIENCE)?;
        Ok(connection)
    });
    opened.map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &rusqlite::Error) -> OpenError {
    OpenError::Database {
        name: path.display().to_string(),
        reason: error.to_string(),
    }
}

/// What a database should have for a catalogue, and what it has.
pub(super) struct SetupPlan {
    /// Each table with its triggers, as pairs of name and statement.
    tables: Vec<(String, Vec<(String, String)>)>,
    untracked: Vec<(String, &'static str)>,
    /// What is there: name and statement of the change table and of its triggers.
    present: BTreeSet<(String, String)>,
}

impl SetupPlan {
    pub(super) fn of(connection: &Connection, catalogue: &Catalogue) -> rusqlite::Result<Self> {
        let mapping = Mapping::new(catalogue, Coverage::Everything);
        let mut plan = Self {
            tables: Vec::new(),
            untracked: Vec::new(),
            present: present(connection)?,
        };
        for table in catalogue.tables().keys() {
            match triggers::of(connection, table, mapping.columns(table))? {
                Ok(triggers) => plan.tables.push((table.clone(), triggers)),
                Err(reason) => plan.untracked.push((table.clone(), reason)),
            }
        }
        Ok(plan)
    }

    /// The declared tables whose triggers are there, exactly as they should be.
    pub(super) fn tracked(&self) -> BTreeSet<&str> {
        let common = triggers::common();
        if !common.iter().all(|item| self.present.contains(item)) {
            return BTreeSet::new();
        }
        let complete = self.tables.iter().filter(|(_, triggers)| {
            triggers
                .iter()
                .all(|trigger| self.present.contains(trigger))
        });
        complete.map(|(table, _)| table.as_str()).collect()
    }

    fn is_applied(&self) -> bool {
        self.tracked().len() == self.tables.len() && self.superfluous().next().is_none()
    }

    /// Triggers of an earlier setup that this one does not have.
    fn superfluous(&self) -> impl Iterator<Item = &str> {
        let common = triggers::common();
        let wanted = common.iter().chain(self.wanted());
        let wanted: BTreeSet<String> = wanted.map(|(name, _)| name.clone()).collect();
        let names = self.present.iter().map(|(name, _)| name.as_str());
        names.filter(move |name| !wanted.contains(*name))
    }

    fn wanted(&self) -> impl Iterator<Item = &(String, String)> {
        self.tables.iter().flat_map(|(_, triggers)| triggers)
    }

    fn statements(&self) -> Vec<String> {
        let [table, prune] = triggers::common();
        let drop = |name: &str| format!("DROP TRIGGER IF EXISTS {};", triggers::quoted(name));
        let mut statements = Vec::new();
        if !self.present.contains(&table) {
            // A table of an earlier version has other columns.
            statements.push(format!("DROP TABLE IF EXISTS {TABLE};"));
            statements.push(format!("{};", table.1));
        }
        statements.extend(self.superfluous().map(drop));
        for (name, sql) in std::iter::once(&prune).chain(self.wanted()) {
            statements.push(drop(name));
            statements.push(format!("{sql};"));
        }
        statements
    }
}

/// The change table and the triggers of a setup that are in the database.
fn present(connection: &Connection) -> rusqlite::Result<BTreeSet<(String, String)>> {
    let sql = format!(
        "SELECT name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL AND (name = '{TABLE}' \
         OR type = 'trigger' AND substr(name, 1, {}) = '{TABLE}_')",
        TABLE.len() + 1
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
