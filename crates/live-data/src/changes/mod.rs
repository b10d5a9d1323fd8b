//! Feeds of changes: what a database says about its own writes, and what that
//! invalidates.
//!
//! A [`ChangeFeed`] reports changes of one database. A [`Follower`] turns them into
//! invalidations and opens and closes a [`ChangeGate`](intent_router::ChangeGate). It does no I/O
//! and knows no clock, so that tests can run it on any schedule.

mod batch;
mod event;
mod feed;
mod follower;
mod mapping;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use batch::Batch;
pub use event::{ChangeEvent, ColumnValue, Columns, Gap, Position, RowChange};
pub use feed::{ChangeFeed, PositionParser};
pub use follower::{Follower, Invalidation};
pub use mapping::Mapping;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresChanges, PostgresChangesOptions, PostgresSetup};
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::CHANGE_TABLE;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteChanges, SqliteChangesOptions, SqliteSetup};
