//! From the configuration to a router: what `serve`, `ask` and `bench` share.

use std::num::NonZeroUsize;
use std::sync::Arc;

use cache_core::Classes;
use intent_router::{
    CacheService, Capacity, Catalogue, KeyMode, KeywordDetector, LiveData, Router,
};
use live_data::{DemoOptions, OpenError, SqliteOptions, SqliteSource};

use crate::config::{Config, SourceUrl};
use crate::exit::{Code, Failure};

/// The router that the configuration describes, over its source of records.
pub(crate) fn router(config: &Config) -> Result<Router, Failure> {
    router_of(config, config.intents().clone())
}

/// The same with another key mode for every intent, as far as its queries allow.
pub(crate) fn router_keyed(config: &Config, key: KeyMode) -> Result<Router, Failure> {
    router_of(config, config.intents().with_key(key))
}

fn router_of(config: &Config, catalogue: Catalogue) -> Result<Router, Failure> {
    let catalogue = Arc::new(catalogue);
    let source = source(config, &catalogue).map_err(|error| {
        let code = match error {
            OpenError::Database { .. } | OpenError::Threads(_) => Code::Unavailable,
            _ => Code::Config,
        };
        Failure::new(code, error)
    })?;
    let classes = classes(config)?;
    let cache = CacheService::builder()
        .capacity(capacity(config))
        .classes(classes)
        .enabled(config.cache.enabled)
        .build()
        .map_err(|error| Failure::new(Code::Config, error))?;
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    Router::new(catalogue, detector, source, Arc::new(cache))
        .map_err(|error| Failure::new(Code::Config, error))
}

/// Where the configuration takes its records from, for people.
pub(crate) fn source_name(config: &Config) -> String {
    match &config.source.url {
        Some(SourceUrl::Sqlite(path)) => format!("SQLite, {}", path.display()),
        None => format!(
            "embedded SQLite, demo data of {} members (seed {})",
            config.source.demo_users.get(),
            config.source.demo_seed.get()
        ),
    }
}

fn source(config: &Config, catalogue: &Catalogue) -> Result<Arc<dyn LiveData>, OpenError> {
    let source = &config.source;
    let defaults = SqliteOptions::default();
    let options = SqliteOptions {
        connections: non_zero(source.connections.get()).unwrap_or(defaults.connections),
        deadline: source.deadline.get(),
        profile_sql: source.profile_sql.clone().unwrap_or(defaults.profile_sql),
        ..defaults
    };
    Ok(Arc::new(match &source.url {
        Some(SourceUrl::Sqlite(path)) => SqliteSource::open(path, catalogue, &options)?,
        None => SqliteSource::demo(catalogue, &demo(config), &options)?,
    }))
}

fn demo(config: &Config) -> DemoOptions {
    DemoOptions {
        members: u32::try_from(config.source.demo_users.get()).unwrap_or(u32::MAX),
        seed: config.source.demo_seed.get(),
    }
}

fn non_zero(number: u64) -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(number).ok()?)
}

fn capacity(config: &Config) -> Capacity {
    let entries = config.cache.entries.map(|entries| entries.get());
    match (entries, config.cache.capacity) {
        (Some(entries), _) => Capacity::Entries(usize::try_from(entries).unwrap_or(usize::MAX)),
        (None, Some(bytes)) => Capacity::Bytes(bytes.get()),
        // The configuration leaves neither out.
        (None, None) => Capacity::default(),
    }
}

fn classes(config: &Config) -> Result<Classes, Failure> {
    let classes = Classes::default();
    for (name, class) in config.cache.classes.iter() {
        let handle = classes
            .define(name)
            .map_err(|error| Failure::new(Code::Config, error))?;
        // In range, as the configuration was read.
        let freshness = class
            .freshness()
            .map_err(|error| Failure::new(Code::Config, error))?;
        classes.set_freshness(handle, freshness);
    }
    Ok(classes)
}
