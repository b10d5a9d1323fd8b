//! What PostgreSQL finds wrong with a query, and what an error says of a connection.

use intent_router::SourceError;
use tokio_postgres::Error;
use tokio_postgres::error::{ErrorPosition, SqlState};

use crate::error::QueryFault;
use crate::plan::Failure;

/// The error in words: the server's message, or why there is none.
pub(crate) fn error_text(error: &Error) -> String {
    if let Some(found) = error.as_db_error() {
        return found.message().to_owned();
    }
    // The client's error says what failed, and its source why.
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// What is wrong with a query that cannot be prepared, and where.
pub(super) fn fault(error: &Error, sql: &str, parameters: &[String]) -> QueryFault {
    let Some(found) = error.as_db_error() else {
        return QueryFault::Sql(error.to_string());
    };
    let mut message = found.message().to_owned();
    if *found.code() == SqlState::SYNTAX_ERROR && message.contains("multiple commands") {
        return QueryFault::NotAQuery;
    }
    if *found.code() == SqlState::INDETERMINATE_DATATYPE {
        let number = message.rsplit_once('$').and_then(|(_, n)| n.parse().ok());
        let name = number.and_then(|n: usize| parameters.get(n.checked_sub(1)?));
        if let Some(name) = name {
            return QueryFault::Sql(format!(
                "the type of the parameter `{name}` is not known; write `{name}::text`"
            ));
        }
    }
    if let Some(hint) = found.hint() {
        message = format!("{message}; {hint}");
    }
    if let Some(ErrorPosition::Original(position)) = found.position() {
        let before = sql.chars().take(*position as usize);
        let line = before.filter(|c| *c == '\n').count() + 1;
        message = format!("{message} (line {line})");
    }
    QueryFault::Sql(message)
}

/// The failure that an error stands for; `otherwise` says what it is when it is about
/// the query and not about the database.
pub(super) fn failure(error: &Error, otherwise: impl FnOnce(String) -> SourceError) -> Failure {
    let text = error_text(error);
    let Some(code) = error.code() else {
        // The connection broke, or what it received cannot be read.
        return Failure::Connection(SourceError::Unavailable(text));
    };
    match *code {
        SqlState::QUERY_CANCELED => Failure::TimedOut,
        SqlState::LOCK_NOT_AVAILABLE
        | SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED => Failure::Source(SourceError::Locked),
        SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
            Failure::Connection(SourceError::Damaged(text))
        }
        _ => match code.code().get(..2) {
            // Connections, shutdowns, and errors of the system.
            Some("08" | "57" | "58" | "28" | "3D") => {
                Failure::Connection(SourceError::Unavailable(text))
            }
            Some("53") => Failure::Source(SourceError::Unavailable(text)),
            // Every query was checked when the source was opened, so one that is refused
            // may have met another schema, or a statement prepared before it changed.
            Some("42" | "0A" | "26") => Failure::Connection(otherwise(text)),
            _ => Failure::Source(otherwise(text)),
        },
    }
}
