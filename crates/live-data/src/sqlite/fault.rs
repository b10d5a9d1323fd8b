//! What SQLite finds wrong with a query.

use crate::error::QueryFault;

/// What is wrong with a query that cannot be prepared, and where.
pub(super) fn fault(error: rusqlite::Error) -> QueryFault {
    match error {
        rusqlite::Error::MultipleStatement => QueryFault::NotAQuery,
        rusqlite::Error::SqlInputError {
            msg, sql, offset, ..
        } => {
            // SQLite has no offset (-1) for some mistakes.
            let before = usize::try_from(offset)
                .ok()
                .and_then(|offset| sql.get(..offset));
            QueryFault::Sql(match before {
                Some(before) => format!("{msg} (line {})", before.matches('\n').count() + 1),
                None => msg,
            })
        }
        error => QueryFault::Sql(error.to_string()),
    }
}
