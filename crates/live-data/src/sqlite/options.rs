//! How a SQLite source behaves.

use std::num::NonZeroUsize;
use std::time::Duration;

/// Bounds and settings of a [`SqliteSource`](super::SqliteSource).
///
/// ```
/// use std::time::Duration;
/// use live_data::SqliteOptions;
///
/// let options = SqliteOptions {
///     deadline: Duration::from_millis(500),
///     ..SqliteOptions::default()
/// };
/// assert_eq!(options.connections.get(), 4);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How many connections, each with a thread of its own: how many
    /// questions are answered at one time. Each keeps up to 2 MiB of pages.
    /// Default: 4.
    pub connections: NonZeroUsize,
    /// How many questions may wait for a connection; one more is refused with
    /// [`SourceError::Unavailable`](intent_router::SourceError::Unavailable).
    /// Default: 1,024.
    pub queue: NonZeroUsize,
    /// How long a question may take from when it is asked, waiting for a
    /// connection or for another process's lock included. A query that is
    /// still running then is interrupted, and the question fails with
    /// [`SourceError::Timeout`](intent_router::SourceError::Timeout).
    /// Default: 2 s.
    pub deadline: Duration,
    /// How many rows of a query become part of an answer. An answer that was
    /// cut names the queries in its member `truncated`. Default: 200.
    pub max_rows: usize,
    /// How many bytes of names and values the rows of one answer may hold
    /// together; a row that exceeds it is left out with all that follow, and
    /// the query is named in `truncated`. Default: 1 MiB.
    pub max_bytes: usize,
    /// Says whether a user is a member: its first row, if any, has the user's
    /// identifier in the column `member_id`. Other columns are ignored; it may use
    /// `:user_id` and `:user_role`. Default: from the demo schema's table
    /// `members`.
    pub profile_sql: String,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        // Neither is zero, which the compiler checks when it evaluates them.
        const FOUR: NonZeroUsize = NonZeroUsize::new(4).unwrap();
        const THOUSAND: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();
        Self {
            connections: FOUR,
            queue: THOUSAND,
            deadline: Duration::from_secs(2),
            max_rows: 200,
            max_bytes: 1 << 20,
            profile_sql: "SELECT member_id FROM members WHERE member_id = :user_id".to_owned(),
        }
    }
}
