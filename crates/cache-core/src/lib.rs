#![doc = include_str!("../README.md")]

mod aftermath;
mod builder;
mod cache;
mod class;
mod clock;
mod column;
mod departure;
mod error;
mod eviction;
mod expiry;
#[cfg(all(test, any(shuttle, memory_model)))]
mod explored;
mod fetch;
mod flight;
mod freshness;
mod inner;
#[cfg(all(test, shuttle))]
mod interleavings;
mod invalidate;
mod list;
mod log;
mod lookup;
#[cfg(all(test, memory_model))]
mod memory_models;
mod peek;
mod permit;
mod record;
mod shard;
mod slab;
mod stats;
mod sync;
mod table;
mod tags;
mod upkeep;
mod waiter;

pub use builder::Builder;
pub use cache::Cache;
pub use class::{Classes, Freshness, TtlClass};
pub use clock::{Clock, ManualClock, Moment, SystemClock, TickedClock};
pub use departure::Cause;
pub use equivalent::Equivalent;
pub use error::{BuildError, ClassError, FillError, FreshnessError, Refusal};
pub use fetch::{Fetch, Fetched, Fill, Outcome, Refresh};
pub use invalidate::Selection;
pub use log::Predicate;
pub use lookup::{Hit, Inserted, Lookup, Maintained, Reuse};
pub use permit::{Filled, Permit};
pub use stats::{ClassStats, Stats};
pub use tags::MAX_TAGS;
pub use waiter::{Waited, Waiter};
