//! Why a source could not be opened.

use thiserror::Error;

use crate::demo::DemoError;

/// Why a [`SqliteSource`](super::SqliteSource) could not be opened.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database is not there, not readable, or not a database.
    #[error("the database {name} cannot be opened: {reason}")]
    Database {
        /// The path, or what stands for it in memory.
        name: String,
        /// What SQLite said.
        reason: String,
    },
    /// A query of the catalogue cannot be used with this database.
    #[error("query `{query}` of intent `{intent}`: {fault}")]
    Query {
        /// The intent that the query belongs to.
        intent: String,
        /// The query's name in the catalogue.
        query: String,
        /// What is wrong with it.
        fault: QueryFault,
    },
    /// The profile look-up of the options cannot be used with this database.
    #[error("the profile look-up: {0}")]
    Profile(QueryFault),
    /// A record tag could never be filled, so an invalidation by it would
    /// silently do nothing.
    #[error("tag `{tag}` of intent `{intent}`: no query of the intent yields its columns")]
    Tag {
        /// The intent that the tag belongs to.
        intent: String,
        /// The tag's template.
        tag: String,
    },
    /// The demo data could not be made.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The worker threads could not be started.
    #[error("the worker threads cannot be started: {0}")]
    Threads(String),
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryFault {
    /// SQLite cannot prepare it: a mistake in the SQL, or a table or column
    /// that is not there.
    #[error("{0}")]
    Sql(String),
    /// It is not a single statement that yields rows and changes nothing.
    #[error("it must be a single statement that yields rows and changes nothing")]
    NotAQuery,
    /// It uses a parameter that nobody fills in.
    #[error(
        "unknown parameter `{0}`: there are :user_id, :user_role, :message, :terms, \
         and one for each slot of the intent"
    )]
    UnknownParameter(String),
    /// It belongs to a knowledge-base intent, whose answers everybody
    /// shares, and depends on who asks.
    #[error("it uses `{0}`, but the answers of a knowledge-base intent are shared by everybody")]
    Personal(String),
    /// Two of its columns have one name.
    #[error("two columns are called `{0}`; give one another name with AS")]
    DuplicateColumn(String),
    /// A column that is needed is not among its columns.
    #[error("it does not yield the column `{0}`")]
    MissingColumn(&'static str),
    /// Its name is taken by another query of the intent, or reserved.
    #[error("the name is taken: by another query of the intent, or, as `truncated`, by answers")]
    NameTaken,
}
