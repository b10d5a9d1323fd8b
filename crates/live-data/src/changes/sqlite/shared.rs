//! What a feed and its thread share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use intent_router::Catalogue;
use parking_lot::Mutex;

/// What the feed and its thread share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) stops: AtomicBool,
    /// The catalogue, and whether the thread has not taken it yet.
    pub(super) catalogue: Mutex<(Arc<Catalogue>, bool)>,
}
