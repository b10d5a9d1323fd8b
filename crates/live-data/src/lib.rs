//! Sources of live data for the intent router.
//!
//! [`SqliteSource`] answers the catalogue's queries from a SQLite database:
//! a file ([`SqliteSource::open`]) or demo data generated in memory
//! ([`SqliteSource::demo`]). [`PostgresSource`] answers them from a PostgreSQL
//! database. [`write_demo`] writes the same data to a file;
//! [`write_script`] writes a database by running an SQL script.
//!
//! [`HttpSource`] asks an HTTP back end by the requests of the catalogue, and
//! [`SourceByIntent`] uses both kinds together.
//!
//! A [`ChangeFeed`] reports what others write to a database, and a [`Follower`]
//! makes invalidations of it.
//!
//! [`Guarded`] limits the calls to any source, gives them fair turns, and spares a
//! source that fails.
//!
//! # Ownership
//! The catalogue's queries restrict records to their owner: they select rows
//! `WHERE member_id = :user_id` (or, for claims, `employer_id`).
//! Asking for another member's claim by its number gives an empty result. The
//! role neither grants nor denies anything here.
//!
//! # Threads
//! Unlike the other library crates, this one starts threads: blocking I/O runs on
//! a fixed number of threads, which end with the source. The futures run on any
//! async runtime, except those of [`HttpSource`], which need Tokio.
//!
//! # Features
//! `postgres` (default): the PostgreSQL source, and the changes of a PostgreSQL database.
//!
//! `sqlite` (default): the SQLite source and its demo data, with SQLite
//! built in.
//!
//! `http` (default): the HTTP source.

#![cfg_attr(
    not(all(feature = "http", feature = "postgres", feature = "sqlite")),
    allow(rustdoc::broken_intra_doc_links)
)]

#[cfg(feature = "http")]
mod by_intent;
mod catalogue_source;
mod changes;
#[cfg(feature = "sqlite")]
mod demo;
mod error;
mod guard;
#[cfg(feature = "http")]
mod http;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

/// The examples of the README are run as tests.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "http")]
pub use by_intent::SourceByIntent;
pub use catalogue_source::CatalogueSource;
pub use changes::{
    Batch, ChangeEvent, ChangeFeed, ColumnValue, Columns, Follower, Gap, Invalidation, Mapping,
    Position, PositionParser, RowChange,
};
#[cfg(feature = "postgres")]
pub use changes::{PostgresChanges, PostgresChangesOptions, PostgresSetup};
#[cfg(feature = "sqlite")]
pub use changes::{SqliteChanges, SqliteChangesOptions, SqliteSetup};
#[cfg(all(feature = "postgres", feature = "sqlite"))]
pub use demo::write_postgres_demo;
#[cfg(feature = "sqlite")]
pub use demo::{DemoError, DemoOptions, DemoPayments, write_demo, write_script};
pub use error::{OpenError, QueryFault};
pub use guard::{BreakerState, GuardFigures, GuardOptions, Guarded};
#[cfg(feature = "http")]
pub use http::{HttpOptions, HttpSource};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresAddress, PostgresOptions, PostgresSource};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteSource};
