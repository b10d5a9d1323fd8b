//! What can go wrong when a request is routed or a router is built.

use std::sync::Arc;

use cache_keys::KeyError;
use thiserror::Error;

use crate::slots::ConversationError;
use crate::source::SourceError;

/// Why a request was not answered.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The user context holds a value that cannot be part of a key.
    #[error("cannot make a cache key from user_context: {0}")]
    Key(#[from] KeyError),
    /// A slot of the conversation does not belong to its intent, or its value
    /// cannot be read.
    #[error("user_context.conversation.slots: {0}")]
    Conversation(ConversationError),
    /// The source of records failed; requests that waited for the same answer
    /// share the error.
    #[error("{0}")]
    Source(Arc<SourceError>),
}

/// Why a router or an answer cache could not be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The cache's settings are not usable.
    #[error("the cache cannot be built: {0}")]
    Cache(#[from] cache_core::BuildError),
    /// The catalogue names more TTL classes than a cache can hold.
    #[error("the TTL classes cannot be defined: {0}")]
    Class(#[from] cache_core::ClassError),
}
