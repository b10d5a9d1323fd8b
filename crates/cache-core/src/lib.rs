#![doc = include_str!("../README.md")]

mod builder;
mod cache;
mod class;
mod clock;
mod deferred;
mod error;
#[cfg(all(test, any(shuttle, memory_model)))]
mod exploration;
mod fill;
mod freshness;
mod hit;
mod inspect;
mod invalidation;
mod listener;
mod maintenance;
mod policy;
mod seeded_bugs;
mod seqlock;
mod single_flight;
mod span;
mod spawner;
mod stats;
mod store;
mod sync;

pub use builder::Builder;
pub use cache::Cache;
pub use class::{Classes, TtlClass};
pub use clock::{Clock, ManualClock, Moment, SystemClock, TickedClock};
pub use equivalent::Equivalent;
pub use error::{BuildError, ClassError, FillError, FreshnessError, Refusal, Rejected};
pub use fill::Fill;
pub use freshness::Freshness;
pub use hit::{Hit, Meta};
pub use invalidation::log::Predicate;
pub use invalidation::selectors::Selection;
pub use listener::Cause;
pub use maintenance::Maintained;
pub use single_flight::compute::Op;
pub use single_flight::fetch::Fetch;
pub use single_flight::lookup::{Lookup, Reuse};
pub use single_flight::outcome::{Fetched, Outcome};
pub use single_flight::permit::Permit;
pub use single_flight::waiter::{Waited, Waiter};
pub use spawner::Refresh;
pub use stats::{ClassStats, Stats};
pub use store::tags::MAX_TAGS;
