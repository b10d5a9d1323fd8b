//! From the configuration to a router: what `serve`, `ask` and `bench` share,
//! and what `serve` makes anew when files change.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use cache_core::Classes;
use intent_router::{CacheService, Capacity, Catalogue, CataloguePlaces, KeyMode, Router};
use live_data::{DemoOptions, OpenError, SqliteOptions, SqliteSource};

use crate::config::{Config, Fault, SourceUrl, catalogue_text};
use crate::detector::{self, Configured, ModelHash};
use crate::exit::{Code, Failure};

/// A router with what the next one is made of.
pub(crate) struct Assembly {
    router: Arc<Router>,
    source: Arc<SqliteSource>,
    /// What the detector was made of besides the catalogue.
    model: Option<ModelHash>,
}

impl Assembly {
    /// What the configuration describes, over its source of records.
    pub(crate) fn new(config: &Config) -> Result<Self, Failure> {
        Self::of(config, config.intents().clone())
    }

    /// The same with another key mode for every intent, as far as its queries
    /// allow.
    pub(crate) fn keyed(config: &Config, key: KeyMode) -> Result<Self, Failure> {
        Self::of(config, config.intents().with_key(key))
    }

    fn of(config: &Config, catalogue: Catalogue) -> Result<Self, Failure> {
        let catalogue = Arc::new(catalogue);
        let source = source(config, &catalogue).map_err(|error| {
            let code = match error {
                OpenError::Database { .. } | OpenError::Threads(_) => Code::Unavailable,
                _ => Code::Config,
            };
            Failure::new(code, unfit(config, &error))
        })?;
        let source = Arc::new(source);
        let classes = classes(config)?;
        let cache = CacheService::builder()
            .capacity(capacity(config))
            .classes(classes)
            .enabled(config.cache.enabled)
            .build()
            .map_err(|error| Failure::new(Code::Config, error))?;
        let Configured { detector, model } = detector::configured(config, &catalogue)
            .map_err(|fault| Failure::new(Code::Config, fault))?;
        let records = Arc::clone(&source);
        let router = Router::new(catalogue, detector, records, Arc::new(cache))
            .map_err(|error| Failure::new(Code::Config, error))?
            .with_local_day(config.time.zone.local_day());
        Ok(Self {
            router: Arc::new(router),
            source,
            model,
        })
    }

    /// The router.
    pub(crate) fn router(&self) -> &Arc<Router> {
        &self.router
    }

    /// The same with its router changed.
    pub(crate) fn map(self, change: impl FnOnce(Router) -> Router) -> Self {
        Self {
            router: Arc::new(change(Router::clone(&self.router))),
            ..self
        }
    }

    /// What the files that the configuration names describe now: whole, over the
    /// same cache and the same open database, beside this one, which stays as it
    /// is. `None` if that is what this one is made of.
    ///
    /// # Errors
    /// Everything that is wrong with the files, or with what they ask of the
    /// database.
    pub(crate) fn renewed(&self, config: &Config) -> Result<Option<Self>, Vec<Fault>> {
        check_regular(config)?;
        let catalogue = config.intents_now()?;
        let Configured { detector, model } =
            detector::configured(config, &catalogue).map_err(|fault| vec![fault])?;
        if catalogue == **self.router.catalogue() && model == self.model {
            return Ok(None);
        }
        let source = self.source.with_catalogue(&catalogue).map_err(|errors| {
            let unfit = |error| unfit(config, error);
            errors.iter().map(unfit).collect::<Vec<_>>()
        })?;
        let source = Arc::new(source);
        let router = self
            .router
            .renewed(Arc::new(catalogue), detector, Arc::clone(&source) as _)
            .map_err(|error| vec![Fault::new(error.to_string())])?;
        Ok(Some(Self {
            router: Arc::new(router),
            source,
            model,
        }))
    }
}

/// The files that are read again when they change.
pub(crate) fn files(config: &Config) -> Vec<PathBuf> {
    let files = [&config.catalogue.file, &config.detector.model];
    files.into_iter().flatten().cloned().collect()
}

/// Finds files that cannot be read again: what was read from a pipe at the start
/// is gone, and waiting for more could take for ever.
fn check_regular(config: &Config) -> Result<(), Vec<Fault>> {
    let files = files(config).into_iter();
    // One that is not there is told of by whoever reads it.
    let others = files.filter(|file| file.metadata().is_ok_and(|found| !found.is_file()));
    let faults: Vec<_> = others
        .map(|file| Fault::of_file(&file, "is no regular file, so it cannot be read again"))
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// What is wrong between the catalogue and the database, with its line where
/// the catalogue is a file.
fn unfit(config: &Config, error: &OpenError) -> Fault {
    let nowhere = || Fault::new(error.to_string());
    let Some(file) = &config.catalogue.file else {
        return nowhere();
    };
    let places = catalogue_text(file).ok();
    let Some(places) = places.and_then(|text| CataloguePlaces::of(&text).ok()) else {
        return nowhere();
    };
    let problem = match error {
        OpenError::Query { intent, query, .. } => places.query(intent, query, error.to_string()),
        OpenError::Tag { intent, tag } => places.tag(intent, tag, error.to_string()),
        OpenError::Table { table, .. } => places.table(table, error.to_string()),
        _ => return nowhere(),
    };
    Fault::of_catalogue(file, &problem)
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

fn source(config: &Config, catalogue: &Catalogue) -> Result<SqliteSource, OpenError> {
    let source = &config.source;
    let defaults = SqliteOptions::default();
    let options = SqliteOptions {
        connections: non_zero(source.connections.get()).unwrap_or(defaults.connections),
        deadline: source.deadline.get(),
        profile_sql: source.profile_sql.clone().unwrap_or(defaults.profile_sql),
        ..defaults
    };
    match &source.url {
        Some(SourceUrl::Sqlite(path)) => SqliteSource::open(path, catalogue, &options),
        None => SqliteSource::demo(catalogue, &demo(config), &options),
    }
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
    let classes = intent_router::classes::standard();
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
