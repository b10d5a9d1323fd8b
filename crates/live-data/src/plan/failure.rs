//! Why a query of a plan failed, and what that says of its connection.

use intent_router::SourceError;

/// Why work on a connection failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The work was interrupted because the deadline had passed.
    TimedOut,
    /// The connection may be at fault: it is replaced before its next job.
    Connection(SourceError),
    /// Anything else.
    Source(SourceError),
}
