//! Background refreshes: what polls them.

use std::{future::Future, pin::Pin};

/// A future that refreshes an entry while nobody waits for it.
pub type Refresh = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What polls futures while nobody waits for them.
pub(crate) type Spawner = Box<dyn Fn(Refresh) + Send + Sync>;
