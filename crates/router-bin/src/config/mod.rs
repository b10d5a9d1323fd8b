//! The configuration of the service: one TOML file, overrides from the
//! environment, and a default for everything.

mod catalogue;
mod classes;
mod diagnostics;
mod environment;
mod load;
mod paths;
mod raw;
mod schema;
mod settings;
mod show;
mod snapshot;
mod spelling;
mod units;
mod validate;
mod warnings;
mod zone;

pub(crate) use catalogue::{in_file, text as catalogue_text};
pub(crate) use schema::schema;
pub(crate) use settings::{Config, DetectorKind, SourceUrl};
