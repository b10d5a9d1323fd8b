//! The options and the result of a look-up.

use std::time::Duration;

use crate::{hit::Hit, single_flight::permit::Permit, single_flight::waiter::Waiter};

/// Which stored entries a request accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// Any entry that the policy of the class allows, including stale ones.
    #[default]
    Any,
    /// Only fresh entries up to this age; [`Duration::MAX`] accepts every
    /// fresh entry. Any other entry is a miss, and stays in the cache.
    MaxAge(Duration),
    /// No entry, and no fill in flight either: always a miss with a new permit.
    Nothing,
}

/// The result of a look-up.
///
/// Each of the first four variants has a value that can be served at once.
#[derive(Debug)]
#[must_use]
pub enum Lookup<K, V> {
    /// A fresh entry.
    Hit(Hit<V>),
    /// A fresh entry that this reader is chosen to refresh before its TTL is over
    /// ([`Freshness::with_early_refresh`](crate::Freshness::with_early_refresh)). No other
    /// refresh of it is in flight.
    Early(Hit<V>, Permit<K, V>),
    /// An entry older than its TTL, within the
    /// [`stale_while_revalidate`](crate::Freshness::stale_while_revalidate) window, with a
    /// permit to refresh it, unless a refresh is in flight.
    Stale(Hit<V>, Option<Permit<K, V>>),
    /// A fresh negative entry, stored by [`Fill::negative`](crate::Fill::negative).
    Negative(Hit<V>),
    /// A miss, with the permit to fill the key.
    Miss(Permit<K, V>),
    /// A miss of a key whose fill is in flight, with a waiter for it.
    InFlight(Waiter<K, V>),
}
