//! Requests to the router.

use cache_core::Reuse;

use crate::principal::UserContext;

/// How a request wants the cache to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheUse {
    /// Ask the cache first and store the answer; [`Reuse`] says which stored
    /// answers the request accepts.
    Allowed(Reuse),
    /// Neither ask nor store (`Cache-Control: no-store`).
    Forbidden,
    /// The answer must show what the client has written to the database. Stored
    /// answers are used only if a [`ChangeGate`](crate::ChangeGate) covers all that
    /// they depend on; otherwise the source is asked and nothing is stored.
    ReadAfter {
        /// Which stored answers the request accepts.
        reuse: Reuse,
        /// Whether the feed behind the gate has applied the client's write. If not,
        /// no stored answer is used.
        is_applied: bool,
    },
}

impl Default for CacheUse {
    fn default() -> Self {
        Self::Allowed(Reuse::Any)
    }
}

/// One request to the router.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// What the user wrote.
    pub message: String,
    /// Who the user is.
    pub user_context: UserContext,
    /// An intent to use instead of detection; ignored if the catalogue lacks it.
    pub forced_intent: Option<String>,
    /// How the cache may be used.
    pub cache_use: CacheUse,
}

impl Request {
    /// A request of `user_context` with the defaults for all else.
    pub fn new(message: impl Into<String>, user_context: UserContext) -> Self {
        Self {
            message: message.into(),
            user_context,
            ..Self::default()
        }
    }
}
