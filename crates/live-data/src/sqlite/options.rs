//! Options of a SQLite source.

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
    /// The number of connections, each with its own thread, and so of concurrent
    /// questions. Each connection keeps up to 2 MiB of pages. Default: 4.
    pub connections: NonZeroUsize,
    /// The maximum number of questions waiting for a connection; further ones fail with
    /// [`SourceError::Unavailable`](intent_router::SourceError::Unavailable).
    /// Default: 1,024.
    pub queue: NonZeroUsize,
    /// How long a question may take, including the wait for a connection or for
    /// another process's lock. After that a running query is interrupted, and the
    /// question fails with
    /// [`SourceError::Timeout`](intent_router::SourceError::Timeout).
    /// Default: 2 s.
    pub deadline: Duration,
    /// The maximum number of rows per query in an answer. If rows are cut, the
    /// answer's member `truncated` names the query. Default: 200.
    pub max_rows: usize,
    /// The maximum number of bytes of all names and values in an answer. A row
    /// that exceeds it is cut with all rows after it, and `truncated` names the
    /// query. Default: 1 MiB.
    pub max_bytes: usize,
    /// The query that looks up a member: its first row has the user's identifier in
    /// the column `member_id`; other columns are ignored. It may use `:user_id` and
    /// `:user_role`. Default: queries the demo schema's table `members`.
    pub profile_sql: String,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        // The compiler checks that neither is zero.
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
