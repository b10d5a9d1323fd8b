#![doc = include_str!("../README.md")]

mod aftermath;
mod builder;
mod cache;
mod class;
mod clock;
mod column;
mod compute;
mod departure;
mod error;
mod eviction;
mod expiry;
#[cfg(all(test, any(shuttle, memory_model)))]
mod explored;
mod fetch;
mod fill;
mod flight;
mod freshness;
mod get_or_fill;
mod hit;
mod inner;
#[cfg(all(test, shuttle))]
mod interleavings;
mod invalidate;
mod list;
mod log;
mod lookup;
#[cfg(all(test, memory_model))]
mod memory_models;
mod outcome;
mod peek;
mod permit;
mod record;
mod seeded_bugs;
mod shard;
mod slab;
mod span;
mod spawner;
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
pub use compute::Op;
pub use departure::Cause;
pub use equivalent::Equivalent;
pub use error::{BuildError, ClassError, FillError, FreshnessError, Refusal, Rejected};
pub use fetch::Fetch;
pub use fill::Fill;
pub use hit::{Hit, Meta};
pub use invalidate::Selection;
pub use log::Predicate;
pub use lookup::{Lookup, Reuse};
pub use outcome::{Fetched, Outcome};
pub use permit::Permit;
pub use spawner::Refresh;
pub use stats::{ClassStats, Stats};
pub use tags::MAX_TAGS;
pub use upkeep::Maintained;
pub use waiter::{Waited, Waiter};
