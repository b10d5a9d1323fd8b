//! What is asked of a cache, and what it answers.

use std::time::Duration;

use crate::{hit::Hit, single_flight::permit::Permit, single_flight::waiter::Waiter};

/// How far a request accepts what was stored before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// Any entry that the class lets be served, a stale one included.
    #[default]
    Any,
    /// A fresh entry that is no older than this. Another one is a miss, but
    /// stays for others. [`Duration::MAX`] asks for any entry that is fresh.
    MaxAge(Duration),
    /// Nothing, not even a fill under way: always a miss, with a permit of its
    /// own.
    Nothing,
}

/// What a look-up found.
///
/// Of the first four, each has a value to be served at once.
#[derive(Debug)]
#[must_use]
pub enum Lookup<K, V> {
    /// A fresh entry.
    Hit(Hit<V>),
    /// A fresh entry that this reader was chosen to make anew before its end
    /// ([`Freshness::with_early_refresh`](crate::Freshness::with_early_refresh)).
    /// Nobody else is making it anew.
    Early(Hit<V>, Permit<K, V>),
    /// An entry older than its TTL, but within the window of
    /// [`stale_while_revalidate`](crate::Freshness::stale_while_revalidate);
    /// with the right to make it anew unless another has it.
    Stale(Hit<V>, Option<Permit<K, V>>),
    /// A fresh entry that says that there is nothing: what
    /// [`Fill::negative`](crate::Fill::negative) stored.
    Negative(Hit<V>),
    /// Nothing, and the right to fill it.
    Miss(Permit<K, V>),
    /// Nothing, but another is filling it.
    InFlight(Waiter<K, V>),
}
