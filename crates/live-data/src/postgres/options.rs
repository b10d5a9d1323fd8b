//! Options of a PostgreSQL source.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Where the database is, with bounds and settings of a
/// [`PostgresSource`](super::PostgresSource). The debug text shows no password.
///
/// ```
/// use live_data::PostgresOptions;
///
/// let options = PostgresOptions::new("postgres://reader@db.example/crm");
/// assert_eq!(options.connections.get(), 4);
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostgresOptions {
    /// `postgres://USER@HOST:PORT/DATABASE?sslmode=…`. The parameter `sslmode` is
    /// `disable` for a connection without TLS, `require` or `verify-full` for one with
    /// TLS, where the server's certificate is checked for its name and issuer. Without
    /// it, connections to this machine use no TLS and all others use it.
    pub url: String,
    /// The password; takes the place of one in `url`.
    pub password: Option<String>,
    /// A PEM file of the authorities that issue the server's certificate. Default:
    /// those of the system.
    pub ca_file: Option<PathBuf>,
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
    /// The defaults for the database at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        // The compiler checks that neither is zero.
        const FOUR: NonZeroUsize = NonZeroUsize::new(4).unwrap();
        const THOUSAND: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();
        Self {
            url: url.into(),
            password: None,
            ca_file: None,
            connections: FOUR,
            queue: THOUSAND,
            deadline: Duration::from_secs(2),
            max_rows: 200,
            max_bytes: 1 << 20,
            profile_sql: "SELECT member_id FROM members WHERE member_id = :user_id".to_owned(),
        }
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("connections", &self.connections)
            .field("queue", &self.queue)
            .field("deadline", &self.deadline)
            .field("max_rows", &self.max_rows)
            .field("max_bytes", &self.max_bytes)
            .field("profile_sql", &self.profile_sql)
            .finish_non_exhaustive()
    }
}
