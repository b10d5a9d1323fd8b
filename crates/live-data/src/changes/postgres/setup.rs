//! [`PostgresSetup`]: what makes a database report its changes.

use intent_router::Catalogue;

use super::published::{self, PUBLICATION, Published, Publishing};
use super::wire::{Connection, within};
use crate::error::OpenError;
use crate::postgres::{CONNECT_TIME, PostgresAddress, wait_for};

/// The statements by which a PostgreSQL database reports the changes of the declared
/// tables: a publication, and the replica identity of tables whose changes would
/// otherwise not say whose rows they were.
pub struct PostgresSetup {
    address: PostgresAddress,
    statements: Vec<String>,
    untracked: Vec<(String, &'static str)>,
}

impl PostgresSetup {
    /// Looks at a database. Blocks until it has answered.
    ///
    /// # Errors
    /// [`OpenError::Database`] if the database cannot be read.
    pub fn of(address: &PostgresAddress, catalogue: &Catalogue) -> Result<Self, OpenError> {
        let looking = async {
            let mut sql = Connection::open(address, false).await?;
            Published::read(&mut sql, catalogue).await
        };
        let published = wait_for(async || within(CONNECT_TIME * 2, looking).await)?;
        let published = published.map_err(|error| OpenError::Database {
            name: address.to_string(),
            reason: error.to_string(),
        })?;
        let (statements, untracked) = plan(&published, catalogue);
        Ok(Self {
            address: address.clone(),
            statements,
            untracked,
        })
    }

    /// The statements, each with its semicolon; empty if nothing is to be done.
    pub fn statements(&self) -> &[String] {
        &self.statements
    }

    /// Declared tables whose changes cannot be reported, each with the reason.
    pub fn untracked(&self) -> impl Iterator<Item = (&str, &str)> {
        self.untracked.iter().map(|(name, why)| (&**name, *why))
    }

    /// Runs the statements in one transaction. Blocks until they have run, also while
    /// another transaction holds a lock of a table. The user must own the tables, and may
    /// create in the database.
    ///
    /// # Errors
    /// [`OpenError::Database`] if a statement fails; then none has an effect.
    pub fn apply(&self) -> Result<(), OpenError> {
        let applying = async {
            let mut sql = Connection::open(&self.address, false).await?;
            // Statements of one message are one transaction.
            sql.query(&self.statements.join("\n")).await
        };
        let applied = wait_for(async || applying.await)?;
        applied.map(drop).map_err(|error| OpenError::Database {
            name: self.address.to_string(),
            reason: error.to_string(),
        })
    }
}

/// The statements, and the tables that they do not help.
fn plan(
    published: &Published,
    catalogue: &Catalogue,
) -> (Vec<String>, Vec<(String, &'static str)>) {
    let mut statements = Vec::new();
    let mut missing = Vec::new();
    let mut untracked = Vec::new();
    for name in catalogue.tables().keys() {
        let Some(family) = published.families.get(name) else {
            untracked.push((name.clone(), "is not in the database"));
            continue;
        };
        let has = |state| family.iter().any(|member| member.state == state);
        if has(Publishing::Impossible) {
            let why = "is, or has parts that are, foreign, materialised, or unlogged, so its \
                       changes cannot be reported";
            untracked.push((name.clone(), why));
            continue;
        }
        if has(Publishing::Filtered) {
            let why = "is published by the publication `router_changes` with a row filter";
            untracked.push((name.clone(), why));
        }
        for member in family {
            if published::lacks_identity(catalogue, name, member) {
                statements.push(published::identity_statement(member));
            }
            // Its partitions, and tables that inherit from it, follow a named table.
            let is_missing = match member.state {
                Publishing::Missing => true,
                Publishing::Empty => has(Publishing::Missing) || !published.exists,
                _ => false,
            };
            if is_missing && member.is_named {
                missing.push(member.name.clone());
            }
        }
    }
    statements.sort();
    statements.dedup();
    missing.sort();
    missing.dedup();
    let tables = missing.join(", ");
    let kinds = "publish = 'insert, update, delete, truncate', publish_via_partition_root = false";
    if !published.exists {
        let tables = match tables.is_empty() {
            true => String::new(),
            false => format!(" FOR TABLE {tables}"),
        };
        statements.push(format!(
            "CREATE PUBLICATION {PUBLICATION}{tables} WITH ({kinds});"
        ));
    } else {
        if !published.is_complete {
            statements.push(format!("ALTER PUBLICATION {PUBLICATION} SET ({kinds});"));
        }
        if !tables.is_empty() {
            statements.push(format!(
                "ALTER PUBLICATION {PUBLICATION} ADD TABLE {tables};"
            ));
        }
    }
    (statements, untracked)
}
