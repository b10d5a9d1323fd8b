//! Single-flight: one fill a key, which all who miss it wait for.

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
