//! Background refreshes and the function that spawns them.

use std::{future::Future, pin::Pin};

/// A future that refreshes an entry in the background.
pub type Refresh = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Spawns a background refresh.
pub(crate) type Spawner = Box<dyn Fn(Refresh) + Send + Sync>;
