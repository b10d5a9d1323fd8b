//! Why a source could not answer.

use std::time::Duration;

use thiserror::Error;

/// Why a source could not answer.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The source cannot be reached, or has no capacity left.
    #[error("the source of records is unavailable: {0}")]
    Unavailable(String),
    /// What the source reads is damaged: a file that is no database, for example.
    #[error("the source of records is damaged: {0}")]
    Damaged(String),
    /// Another process kept the source locked.
    #[error("the source of records stayed locked by another process")]
    Locked,
    /// The source did not answer within its deadline.
    #[error("the source of records did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// Too many calls wait for the source; this one was not made.
    #[error("too many questions wait for the source of records")]
    Overloaded {
        /// After how long another attempt may succeed.
        retry_after: Duration,
    },
    /// The source failed repeatedly and is not asked for a while; this call was not
    /// made.
    #[error("the source of records failed repeatedly, so it is not asked for {} ms", .retry_after.as_millis())]
    CircuitOpen {
        /// After how long it is asked again.
        retry_after: Duration,
    },
    /// A query failed; names the intent and the query.
    #[error("query `{query}` of intent `{intent}` failed: {reason}")]
    Query {
        /// The intent whose query it was.
        intent: String,
        /// The query's name in the catalogue.
        query: String,
        /// What the source said.
        reason: String,
    },
    /// The question has a value that the source cannot be given, such as a path as the
    /// user's identifier. The source was not asked.
    #[error("the source of records cannot be asked this question: {0}")]
    Unaskable(String),
}

impl SourceError {
    /// The reason in general words, without anything of the source's own, for those
    /// who must not learn how it is built.
    pub fn general(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "the source of records is unavailable",
            Self::Damaged(_) => "the source of records is damaged",
            Self::Locked => "the source of records is locked",
            Self::Timeout(_) => "the source of records did not answer in time",
            Self::Overloaded { .. } => "too many questions wait for the source of records",
            Self::CircuitOpen { .. } => {
                "the source of records failed repeatedly, so the circuit breaker is open"
            }
            Self::Unaskable(_) => "the source of records cannot be given a value of this question",
            Self::Query { .. } => "the source of records could not answer this question",
        }
    }

    /// After how long another attempt may succeed, if the source was not asked.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Overloaded { retry_after } | Self::CircuitOpen { retry_after } => {
                Some(*retry_after)
            }
            _ => None,
        }
    }
}
