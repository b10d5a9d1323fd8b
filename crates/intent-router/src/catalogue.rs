//! Intents as data: what can be asked, how it is recognised, kept and answered.
//!
//! A [`Catalogue`] is read from one TOML file, so that another business
//! replaces the file and writes no Rust; [`Catalogue::built_in`] is that of a
//! workers' compensation fund. `docs/catalogue.md` describes the file's keys.

mod definition;
mod diagnostic;
mod fingerprint;
mod guards;
mod http;
mod intent;
mod lexicon;
mod lint;
mod parse;
mod references;
mod spans;
mod sql;
mod tables;
mod template;

pub use definition::Catalogue;
pub use diagnostic::{CatalogueError, Diagnostic, LineColumn, LineIndex, Severity, SourceSpan};
pub(crate) use fingerprint::Fingerprint;
pub use guards::Guards;
pub(crate) use guards::Role;
pub use http::{HttpMethod, HttpSpec, NotFound};
pub use intent::{AnsweredBy, Intent, KeyMode, Kind, Phrase, QuerySpec, SlotSpec};
pub(crate) use lexicon::{Lexicon, Word};
pub use references::References;
pub(crate) use references::Relation;
pub use spans::CatalogueSpans;
pub use sql::parameter_spans;
pub use tables::{TableSpec, Tie};
pub use template::{TagTemplate, Template, TemplateError};

#[cfg(test)]
mod tests;
