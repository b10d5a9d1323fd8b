//! Why a source of records could not be opened.

use thiserror::Error;

#[cfg(feature = "sqlite")]
use crate::demo::DemoError;

/// Why a source of records could not be opened for a catalogue.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database does not exist, is not readable, or is not a database.
    #[error("the database {name} cannot be opened: {reason}")]
    Database {
        /// The path, or a name for data in memory.
        name: String,
        /// The database's error.
        reason: String,
    },
    /// The URL of the database, or what belongs to it, cannot be used.
    #[error("the URL of the database: {0}")]
    Url(String),
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
    /// A table that the catalogue declares does not fit the database.
    #[error("table `{table}` {reason}")]
    Table {
        /// The table's name, in lower case.
        table: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The profile look-up of the options cannot be used with this database.
    #[error("the member lookup (profile_sql): {0}")]
    Profile(QueryFault),
    /// No row could ever fill a record tag, so an invalidation by it would
    /// silently miss answers.
    #[error("tag `{tag}` of intent `{intent}`: no query of the intent returns its columns")]
    Tag {
        /// The intent that the tag belongs to.
        intent: String,
        /// The tag's template.
        tag: String,
    },
    /// The demo data could not be made.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// The HTTP back end cannot be asked with these options.
    #[error("the HTTP back end: {0}")]
    BackEnd(String),
    /// An intent is answered by a source that is not configured.
    #[error("intent `{intent}` is answered by {needed}, and none is configured")]
    NoSource {
        /// The intent.
        intent: String,
        /// What is needed: a database or an HTTP back end.
        needed: &'static str,
    },
    /// Several things are wrong with the catalogue for this database; displayed one a
    /// line.
    #[error("{}", lines(.0))]
    Several(Vec<OpenError>),
    /// The worker threads could not be started.
    #[error("the worker threads cannot be started: {0}")]
    Threads(String),
}

impl OpenError {
    /// One error of all that a check has found.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn all(mut errors: Vec<Self>) -> Self {
        match errors.len() {
            1 => errors.swap_remove(0),
            _ => Self::Several(errors),
        }
    }
}

fn lines(errors: &[OpenError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryFault {
    /// The database cannot prepare it: a mistake in the SQL, or a table or column
    /// that does not exist.
    #[error("{0}")]
    Sql(String),
    /// It is not a single statement that yields rows and changes nothing.
    #[error("must be a single read-only statement that returns rows")]
    NotAQuery,
    /// The database finds a parameter in it that would not be bound: one that is not
    /// among [`QuerySpec::parameters`](intent_router::QuerySpec::parameters) or,
    /// in the profile look-up, not `:user_id` or `:user_role`.
    #[error(
        "unknown parameter `{0}`; write `:` and the name of a parameter that the query may use, \
         and no quotation mark within [brackets] before it"
    )]
    UnknownParameter(String),
    /// Two of its columns have the same name.
    #[error("two columns are named `{0}`; rename one with AS")]
    DuplicateColumn(String),
    /// A required column is missing.
    #[error("does not return the column `{0}`")]
    MissingColumn(&'static str),
    /// JSON has no form for a column's type.
    #[error("column `{column}` has the type {kind}; write `{column}::text AS {column}`")]
    ColumnType {
        /// The column's name.
        column: String,
        /// The type.
        kind: String,
    },
    /// A parameter is used as a value of a type that it cannot have.
    #[error(
        "the parameter `{parameter}` is used as a value of the type {kind}; write \
         `{parameter}::text`, and compare it with text"
    )]
    ParameterType {
        /// The parameter, such as `:user_id`.
        parameter: String,
        /// The type.
        kind: String,
    },
    /// Its name is `truncated`, which is reserved: this member of an answer names
    /// the queries whose rows were cut.
    #[error("the name is reserved for the list of truncated queries in an answer; choose another")]
    ReservedName,
}
