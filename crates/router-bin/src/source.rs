//! The source of records that the configuration names.

use std::num::NonZeroUsize;
use std::sync::Arc;

use intent_router::{AnsweredBy, Catalogue};
use live_data::{CatalogueSource, DemoOptions, OpenError, SqliteOptions, SqliteSource};

use crate::config::{Config, SourceUrl};

/// Opens the source for a catalogue's queries.
pub(crate) fn open(
    config: &Config,
    catalogue: &Catalogue,
) -> Result<Arc<dyn CatalogueSource>, OpenError> {
    let source = &config.source;
    let defaults = SqliteOptions::default();
    let options = SqliteOptions {
        connections: non_zero(source.connections.get()).unwrap_or(defaults.connections),
        deadline: source.deadline.get(),
        profile_sql: source.profile_sql.clone().unwrap_or(defaults.profile_sql),
        ..defaults
    };
    let opened = match &source.url {
        Some(SourceUrl::Sqlite(path)) => SqliteSource::open(path, catalogue, &options)?,
        None if is_never_asked(catalogue) => {
            // The smallest database there is, which no question reaches.
            let empty = DemoOptions {
                members: 1,
                ..demo(config)
            };
            SqliteSource::demo(catalogue, &empty, &options)?
        }
        None => SqliteSource::demo(catalogue, &demo(config), &options)?,
    };
    Ok(Arc::new(opened))
}

/// Whether callers answer every intent themselves.
fn is_never_asked(catalogue: &Catalogue) -> bool {
    let mut intents = catalogue.intents().iter();
    intents.all(|intent| intent.answered_by == AnsweredBy::Caller)
}

/// The name of the source, for people.
pub(crate) fn name(config: &Config) -> String {
    match &config.source.url {
        Some(SourceUrl::Sqlite(path)) => format!("SQLite, {}", path.display()),
        None if is_never_asked(config.intents()) => "none: callers answer all intents".to_owned(),
        None => format!(
            "embedded SQLite, demo data of {} members (seed {})",
            config.source.demo_users.get(),
            config.source.demo_seed.get()
        ),
    }
}

/// Tells sources apart: answers kept over a restart are of the same source only if
/// this is the same.
pub(crate) fn identity(config: &Config) -> String {
    let profile = config.source.profile_sql.as_deref().unwrap_or_default();
    let source = match &config.source.url {
        // A relative path means another database in another working directory.
        Some(SourceUrl::Sqlite(path)) => std::path::absolute(path)
            .unwrap_or_else(|_| path.clone())
            .display()
            .to_string(),
        None => name(config),
    };
    // Its journal does not hold what the changes of the database removed.
    let changes = match config.changes.enabled {
        true => " changes",
        false => "",
    };
    format!("{source} {profile}{changes}")
}

/// The demo data that is generated where no source is named.
fn demo(config: &Config) -> DemoOptions {
    DemoOptions {
        members: u32::try_from(config.source.demo_users.get()).unwrap_or(u32::MAX),
        seed: config.source.demo_seed.get(),
    }
}

/// A count of the configuration; `None` if it is zero.
pub(crate) fn non_zero(number: u64) -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(number).ok()?)
}
