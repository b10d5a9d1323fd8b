//! The source of records that the configuration names.

use std::num::NonZeroUsize;
use std::sync::Arc;

use intent_router::{AnsweredBy, Catalogue};
use live_data::{
    CatalogueSource, DemoOptions, HttpOptions, HttpSource, OpenError, PostgresAddress,
    PostgresOptions, PostgresSource, SourceByIntent, SqliteOptions, SqliteSource,
};

use crate::auth::Place;
use crate::config::{Config, HttpSettings, PostgresUrl, SourceUrl};

/// Opens the sources for a catalogue's queries and requests.
pub(crate) fn open(
    config: &Config,
    catalogue: &Catalogue,
) -> Result<Arc<dyn CatalogueSource>, OpenError> {
    let back_end = back_end(config)?;
    let database = database(config, catalogue)?;
    Ok(Arc::new(SourceByIntent::new(
        database, back_end, catalogue,
    )?))
}

/// The HTTP back end, if one is configured. It is not asked.
///
/// # Errors
/// [`OpenError::BackEnd`] when a setting is not valid, or a variable cannot be read. It
/// shows no value of a header.
pub(crate) fn back_end(config: &Config) -> Result<Option<HttpSource>, OpenError> {
    let Some(url) = config.source.back_end() else {
        return Ok(None);
    };
    let settings = &config.source.http;
    let defaults = HttpOptions::new(url);
    let variable = |name: &str| {
        let place = Place::of(["", "source.http.headers"], None, Some(name));
        place.and_then(|place| place.read())
    };
    let mut headers = Vec::with_capacity(settings.headers.len());
    for (header, text) in &settings.headers {
        let value = text.filled(variable).map_err(|error| {
            let why = match error {
                Some(diagnostic) => diagnostic.to_string(),
                None => "has `${` without a closing `}`".to_owned(),
            };
            OpenError::BackEnd(format!("`source.http.headers.{header}`: {why}"))
        })?;
        headers.push((header.clone(), value));
    }
    let text = |header: &Option<_>| header.as_ref().map(ToString::to_string);
    let options = HttpOptions {
        headers,
        user_header: text(&settings.user_header),
        role_header: text(&settings.role_header),
        connections: non_zero(config.source.connections.get()).unwrap_or(defaults.connections),
        deadline: config.source.deadline.get(),
        connect_timeout: settings.connect_timeout.get(),
        max_response: usize::try_from(settings.max_response.get()).unwrap_or(usize::MAX),
        retries: u32::try_from(settings.retries.get()).unwrap_or(u32::MAX),
        revalidate: usize::try_from(settings.revalidate.get()).unwrap_or(usize::MAX),
        health: settings.health.clone(),
        ..defaults
    };
    HttpSource::open(&options).map(Some)
}

/// The database; `None` if an HTTP back end is all there is.
fn database(
    config: &Config,
    catalogue: &Catalogue,
) -> Result<Option<Arc<dyn CatalogueSource>>, OpenError> {
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
        Some(SourceUrl::Postgres(url)) => {
            let mut there = PostgresOptions::new(postgres(config, url)?);
            there.connections = options.connections;
            there.deadline = options.deadline;
            if let Some(sql) = &source.profile_sql {
                there.profile_sql.clone_from(sql);
            }
            return Ok(Some(Arc::new(PostgresSource::open(catalogue, &there)?)));
        }
        Some(SourceUrl::Http(_)) => return Ok(None),
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
    Ok(Some(Arc::new(opened)))
}

/// Where a PostgreSQL database is, with the password of the configuration. Nothing is
/// connected.
///
/// # Errors
/// [`OpenError::Url`] if a setting is not valid, or the password cannot be read. It does
/// not show the password.
pub(crate) fn postgres(config: &Config, url: &PostgresUrl) -> Result<PostgresAddress, OpenError> {
    let settings = &config.source.postgres;
    let names = [
        "source.postgres.password_file",
        "source.postgres.password_env",
    ];
    let password = match (&settings.password_file, &settings.password_env) {
        (None, None) if url.has_password() => None,
        (None, None) => std::env::var("PGPASSWORD").ok(),
        (file, variable) => Some(
            Place::of(names, file.as_deref(), variable.as_deref())
                .and_then(|place| place.read())
                .map_err(|error| OpenError::Url(error.to_string()))?,
        ),
    };
    PostgresAddress::new(
        url.secret(),
        password.as_deref(),
        settings.ca_file.as_deref(),
    )
}

/// Whether callers answer every intent themselves.
fn is_never_asked(catalogue: &Catalogue) -> bool {
    let mut intents = catalogue.intents().iter();
    intents.all(|intent| intent.answered_by == AnsweredBy::Caller)
}

/// The name of the source, for people.
pub(crate) fn name(config: &Config) -> String {
    let database = match &config.source.url {
        Some(SourceUrl::Sqlite(path)) => format!("SQLite, {}", path.display()),
        Some(SourceUrl::Postgres(url)) => format!("PostgreSQL, {url}"),
        Some(SourceUrl::Http(url)) => return format!("HTTP, {url}"),
        None if is_never_asked(config.intents()) => "none: callers answer all intents".to_owned(),
        None => format!(
            "embedded SQLite, demo data of {} members (seed {})",
            config.source.demo_users.get(),
            config.source.demo_seed.get()
        ),
    };
    match &config.source.http.url {
        Some(url) => format!("{database}; HTTP, {url}"),
        None => database,
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
        Some(SourceUrl::Postgres(_) | SourceUrl::Http(_)) | None => name(config),
    };
    let back_end = config.source.back_end().map(|url| {
        let HttpSettings {
            headers,
            user_header,
            role_header,
            ..
        } = &config.source.http;
        format!(" {url} {headers:?} {user_header:?} {role_header:?}")
    });
    let back_end = back_end.unwrap_or_default();
    // Its journal does not hold what the changes of the database removed.
    let changes = match config.changes.enabled {
        true => " changes",
        false => "",
    };
    format!("{source} {profile}{changes}{back_end}")
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
