//! Options of a PostgreSQL source.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::address::PostgresAddress;

/// Where the database is, with bounds and settings of a
/// [`PostgresSource`](super::PostgresSource).
///
/// ```
/// use live_data::{PostgresAddress, PostgresOptions};
///
/// let address = PostgresAddress::new("postgres://reader@localhost/crm", None, None)?;
/// assert_eq!(PostgresOptions::new(address).connections.get(), 4);
/// # Ok::<(), live_data::OpenError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// Where the database is.
    pub address: PostgresAddress,
    /// The maximum number of connections, and so of concurrent questions. Default: 4.
    pub connections: NonZeroUsize,
    /// The maximum number of questions waiting for a connection; further ones fail with
    /// [`SourceError::Unavailable`](intent_router::SourceError::Unavailable).
    /// Default: 1,024.
    pub queue: NonZeroUsize,
    /// How long a question may take, including the wait for a connection. After that a
    /// running query is cancelled, and the question fails with
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

impl PostgresOptions {
    /// The defaults for the database at this address.
    pub fn new(address: PostgresAddress) -> Self {
        // The compiler checks that neither is zero.
        const FOUR: NonZeroUsize = NonZeroUsize::new(4).unwrap();
        const THOUSAND: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();
        Self {
            address,
            connections: FOUR,
            queue: THOUSAND,
            deadline: Duration::from_secs(2),
            max_rows: 200,
            max_bytes: 1 << 20,
            profile_sql: "SELECT member_id FROM members WHERE member_id = :user_id".to_owned(),
        }
    }
}
