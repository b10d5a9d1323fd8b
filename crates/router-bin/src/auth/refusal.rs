//! Why a caller is refused.

use std::net::IpAddr;

use thiserror::Error;

use crate::config::Scope;

/// Why a caller is refused. The texts tell the caller what to do, and nothing of other
/// callers or of secrets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    /// The request has no credential.
    #[error("this needs a credential; {0}")]
    NoCredential(&'static str),
    /// The credential cannot be read, or there are two.
    #[error("{0}")]
    Unreadable(String),
    /// The credential is not valid.
    #[error("{0}")]
    Invalid(String),
    /// A proxy's headers came from a peer that is not the proxy.
    #[error(
        "the headers that name a user are taken from the proxy alone, and {0} is not in \
         auth.trusted_proxy.from"
    )]
    NotTheProxy(IpAddr),
    /// The credential lacks the scope.
    #[error("this needs the scope `{}`, which the credential does not have", .0.name())]
    NoScope(Scope),
    /// The body names another user than the credential.
    #[error(
        "`user_context` names another user or role than the credential; leave both out, or use \
         a credential with the scope `ask-for-anyone`"
    )]
    AnotherUser,
    /// The credential cannot be judged now.
    #[error("{0}")]
    NotNow(&'static str),
}
