//! How an HTTP back end is asked.

use std::num::NonZeroUsize;
use std::time::Duration;

/// How an HTTP back end is asked.
///
/// It has no `Debug`: headers may hold secrets.
#[derive(Clone)]
pub struct HttpOptions {
    /// The URL of the back end, `http://` or `https://`, below which the paths of the
    /// catalogue lie. It has no query and no user.
    pub url: String,
    /// Headers of every request. Their values may be secret; no error shows them.
    pub headers: Vec<(String, String)>,
    /// The header that names the user who asks. `None`: no header does.
    pub user_header: Option<String>,
    /// The header that names their role. `None`: no header does.
    pub role_header: Option<String>,
    /// How many idle connections are kept. Default: 4.
    pub connections: NonZeroUsize,
    /// How long a question may take, with all attempts. Default: 2 s.
    pub deadline: Duration,
    /// How long opening a connection may take. Default: 1 s.
    pub connect_timeout: Duration,
    /// The most bytes of a response. Default: 1 MiB.
    pub max_response: usize,
    /// How often a request that may be repeated is sent again after a failure that may
    /// pass. Default: 1.
    pub retries: u32,
    /// How many bytes of responses with an `ETag` are kept, so that the back end need
    /// not send them again while they are current. 0: none. Default: 8 MiB.
    pub revalidate: usize,
    /// The path that [`ready`](intent_router::LiveData::ready) asks, below the URL.
    /// `None`: the back end counts as ready without being asked.
    pub health: Option<String>,
}

impl HttpOptions {
    /// The defaults for a back end.
    pub fn new(url: impl Into<String>) -> Self {
        const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");
        Self {
            url: url.into(),
            headers: Vec::new(),
            user_header: None,
            role_header: None,
            connections: CONNECTIONS,
            deadline: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(1),
            max_response: 1 << 20,
            retries: 1,
            revalidate: 8 << 20,
            health: None,
        }
    }
}
