//! Single-flight: one fill per key, which all other misses of the key wait for.

pub(crate) mod compute;
pub(crate) mod fetch;
pub(crate) mod fill_guard;
pub(crate) mod get_or_fill;
pub(crate) mod in_flight;
pub(crate) mod lookup;
pub(crate) mod outcome;
pub(crate) mod permit;
pub(crate) mod request;
pub(crate) mod waiter;
