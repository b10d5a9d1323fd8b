//! Sources of live data for the intent router.
//!
//! [`SqliteSource`] answers the catalogue's queries from a SQLite database:
//! a file ([`SqliteSource::open`]) or demo data made up in memory
//! ([`SqliteSource::demo`]). [`write_demo`] writes the same data to a file,
//! [`write_script`] whatever a script of SQL makes.
//!
//! [`Guarded`] limits the calls to any source, gives them fair turns, and spares a
//! source that fails.
//!
//! # Ownership
//! Records have an owner, which the catalogue's queries enforce: they select
//! rows `WHERE member_id = :user_id` (or, of claims, `employer_id`).
//! Asking for another member's claim by its number gives an empty result. The
//! role neither grants nor denies anything here.
//!
//! # Threads
//! Unlike the library crates that it serves, this adapter starts threads: it
//! does blocking I/O for its owner, on a fixed number of threads that end
//! with the source. It names no async runtime; the futures run on any.
//!
//! # Features
//! `sqlite` (default): the SQLite source and its demo data, with SQLite
//! built in.

#![cfg_attr(not(feature = "sqlite"), allow(rustdoc::broken_intra_doc_links))]

#[cfg(feature = "sqlite")]
mod demo;
mod guard;
#[cfg(feature = "sqlite")]
mod sqlite;

/// The examples of the README are run as tests.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(feature = "sqlite")]
pub use demo::{DemoError, DemoOptions, write_demo, write_script};
pub use guard::{BreakerState, GuardFigures, GuardOptions, Guarded};
#[cfg(feature = "sqlite")]
pub use sqlite::{OpenError, QueryFault, SqliteOptions, SqliteSource};
