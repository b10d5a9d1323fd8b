//! Builds a router from the configuration, for `serve`, `ask` and `bench`, and
//! rebuilds it when files change.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use cache_core::{Classes, SystemClock};
use cache_keys::Md5Scheme;
use intent_router::{
    CacheService, Capacity, Catalogue, CatalogueSpans, Diagnostic, KeyMode, Router,
};
use live_data::{CatalogueSource, GuardFigures, GuardOptions, Guarded, OpenError};

use crate::changes::Changes;
use crate::config::{Config, catalogue_text, in_file};
use crate::detector::{self, Configured, ModelHash};
use crate::exit::{Code, Failure};
use crate::snapshot::{Provenance, Snapshots, Start, Times};
use crate::source::{self, non_zero};
use crate::timer::TokioTimer;

/// A router, with what a rebuilt one shares with it.
pub(crate) struct Assembly {
    router: Arc<Router>,
    source: Arc<Guarded<Arc<dyn CatalogueSource>>>,
    /// The hash of the detector's model file, if it has one.
    model: Option<ModelHash>,
    snapshots: Option<Arc<Snapshots>>,
    changes: Option<Arc<Changes>>,
}

impl Assembly {
    /// The router that the configuration describes.
    pub(crate) fn new(config: &Config) -> Result<Self, Failure> {
        Self::of(config, config.intents().clone(), Md5Scheme::default())
    }

    /// The router for a service, with the stored answers of the process before if
    /// there is a snapshot of them.
    pub(crate) fn serving(config: &Config) -> Result<Self, Failure> {
        let Some(start) = start(config)? else {
            return Self::new(config)?.following(config);
        };
        let scheme = Md5Scheme::with_secret(start.secret());
        let assembly = Self::of(config, config.intents().clone(), scheme)?;
        let snapshots = start.restore(&assembly.router);
        let assembly = Self {
            snapshots: Some(Arc::new(snapshots)),
            ..assembly
        };
        assembly.following(config)
    }

    /// The same, with the changes of the database if they are followed. Nobody saw
    /// those since the answers of a snapshot were stored, so these are removed.
    fn following(self, config: &Config) -> Result<Self, Failure> {
        let opened = Changes::open(config, self.router.catalogue());
        let opened = opened.map_err(|error| Failure::new(Code::Unavailable, error))?;
        let Some(changes) = opened else {
            return Ok(self);
        };
        changes.forget_before(&self.router);
        let assembly = self.map(|router| changes.gated(router));
        Ok(Self {
            changes: Some(changes),
            ..assembly
        })
    }

    /// The changes of the database, if they are followed.
    pub(crate) fn changes(&self) -> Option<&Arc<Changes>> {
        self.changes.as_ref()
    }

    /// The same with this key mode for every intent whose queries allow it.
    pub(crate) fn keyed(config: &Config, key: KeyMode) -> Result<Self, Failure> {
        Self::of(config, config.intents().with_key(key), Md5Scheme::default())
    }

    fn of(config: &Config, catalogue: Catalogue, scheme: Md5Scheme) -> Result<Self, Failure> {
        let catalogue = Arc::new(catalogue);
        let source = open_source(config, &catalogue)?;
        let source = Guarded::new(source, guard(config), Arc::new(TokioTimer));
        let source = Arc::new(source);
        let classes = classes(config)?;
        let cache = CacheService::builder()
            .capacity(capacity(config))
            .classes(classes)
            .enabled(config.cache.enabled)
            .scheme(Arc::new(scheme))
            .build()
            .map_err(|error| Failure::new(Code::Config, error))?;
        let Configured { detector, model } = detector::configured(config, &catalogue)
            .map_err(|error| Failure::new(Code::Config, error))?;
        let records = Arc::clone(&source);
        let router = Router::new(catalogue, detector, records, Arc::new(cache))
            .map_err(|error| Failure::new(Code::Config, error))?
            .with_local_day(config.time.zone.local_day())
            .with_timer(Arc::new(TokioTimer));
        Ok(Self {
            router: Arc::new(router),
            source,
            model,
            snapshots: None,
            changes: None,
        })
    }

    /// The snapshot of the stored answers, if the configuration names one.
    pub(crate) fn snapshots(&self) -> Option<&Arc<Snapshots>> {
        self.snapshots.as_ref()
    }

    /// The router.
    pub(crate) fn router(&self) -> &Arc<Router> {
        &self.router
    }

    /// What the source did since it was opened.
    pub(crate) fn figures(&self) -> SourceFigures {
        let source = self.source.source();
        SourceFigures {
            guard: self.source.figures(),
            calls: source.calls(),
            reopened: source.reopened(),
        }
    }

    /// The same with another router, made from this one's.
    pub(crate) fn map(self, change: impl FnOnce(Router) -> Router) -> Self {
        Self {
            router: Arc::new(change(Router::clone(&self.router))),
            ..self
        }
    }

    /// Re-reads the files and builds a new assembly on the same cache and
    /// database; `None` if nothing changed. This assembly is not changed.
    ///
    /// # Errors
    /// Everything that is wrong with the files, or between them and the database.
    pub(crate) fn rebuilt(&self, config: &Config) -> Result<Option<Self>, Vec<Diagnostic>> {
        check_regular(config)?;
        let catalogue = config.intents_now()?;
        let Configured { detector, model } =
            detector::configured(config, &catalogue).map_err(|error| vec![error])?;
        if catalogue == **self.router.catalogue() && model == self.model {
            return Ok(None);
        }
        let source = self.source.source().for_catalogue(&catalogue);
        let source = source.map_err(|errors| {
            let mismatch = |error| mismatch(config, error);
            errors.iter().map(mismatch).collect::<Vec<_>>()
        })?;
        let source = Arc::new(self.source.before(source));
        let router = self
            .router
            .renewed(Arc::new(catalogue), detector, Arc::clone(&source) as _)
            .map_err(|error| vec![Diagnostic::error(error.to_string())])?;
        Ok(Some(Self {
            router: Arc::new(router),
            source,
            model,
            snapshots: self.snapshots.clone(),
            changes: self.changes.clone(),
        }))
    }
}

/// What a source did since it was opened.
pub(crate) struct SourceFigures {
    pub(crate) guard: GuardFigures,
    /// Database calls made.
    pub(crate) calls: u64,
    /// Connections opened again.
    pub(crate) reopened: u64,
}

/// The files that a reload reads: the catalogue and the model, if configured.
pub(crate) fn files(config: &Config) -> Vec<PathBuf> {
    let files = [&config.catalogue.file, &config.detector.model];
    files.into_iter().flatten().cloned().collect()
}

/// Refuses files that are not regular. Reading a pipe a second time could block
/// forever.
fn check_regular(config: &Config) -> Result<(), Vec<Diagnostic>> {
    let files = files(config).into_iter();
    // A missing file is reported when it is read.
    let others = files.filter(|file| file.metadata().is_ok_and(|found| !found.is_file()));
    let errors: Vec<_> = others
        .map(|file| {
            let error = Diagnostic::error("is not a regular file, so it cannot be read again");
            in_file(&file, error)
        })
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Opens the configured sources for a catalogue.
///
/// # Errors
/// Everything that does not fit between the catalogue and the database, one a line.
pub(crate) fn open_source(
    config: &Config,
    catalogue: &Catalogue,
) -> Result<Arc<dyn CatalogueSource>, Failure> {
    source::open(config, catalogue).map_err(|error| {
        let code = match error {
            OpenError::Database { .. } | OpenError::Threads(_) => Code::Unavailable,
            _ => Code::Config,
        };
        let errors = match error {
            OpenError::Several(errors) => errors,
            error => vec![error],
        };
        let placed = errors
            .iter()
            .map(|error| mismatch(config, error).to_string());
        Failure::new(code, placed.collect::<Vec<_>>().join("\n"))
    })
}

/// An error of opening the database, placed at the query, tag or table of the
/// catalogue's file that it is about.
fn mismatch(config: &Config, error: &OpenError) -> Diagnostic {
    let diagnostic = Diagnostic::error(error.to_string());
    let Some(file) = &config.catalogue.file else {
        return diagnostic;
    };
    let text = catalogue_text(file).ok();
    let Some(spans) = text.and_then(|text| CatalogueSpans::of(&text).ok()) else {
        return diagnostic;
    };
    let placed = match error {
        OpenError::Query { intent, query, .. } => spans.at_query(intent, query, diagnostic),
        OpenError::Tag { intent, tag } => spans.at_tag(intent, tag, diagnostic),
        OpenError::Table { table, .. } => spans.at_table(table, diagnostic),
        _ => return diagnostic,
    };
    in_file(file, placed)
}

/// Opens the snapshot; `None` without one.
fn start(config: &Config) -> Result<Option<Start>, Failure> {
    let settings = &config.cache.snapshot;
    let Some(file) = &settings.file else {
        return Ok(None);
    };
    let provenance = Provenance {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        source: source::identity(config),
    };
    let times = Times::system(Arc::new(SystemClock::new()));
    let start = Start::open(file, provenance, settings.max_down.get(), times).map_err(|error| {
        let remedy = "name a file in a folder that this user may write, or leave \
                      `cache.snapshot.file` out";
        let file = file.display();
        Failure::new(
            Code::Unavailable,
            format_args!("cannot write the snapshot {file}: {error}; {remedy}"),
        )
    })?;
    if start.is_none() {
        let file = file.display();
        tracing::warn!(%file, "another process uses the snapshot; this one keeps none");
    }
    Ok(start)
}

fn guard(config: &Config) -> GuardOptions {
    let source = &config.source;
    let defaults = GuardOptions::default();
    // What is zero is out of the settings' range.
    let times = |number: u64| NonZeroU32::new(u32::try_from(number).ok()?);
    GuardOptions {
        most: non_zero(source.connections.get()).unwrap_or(defaults.most),
        least: non_zero(source.limit.least.get()).unwrap_or(defaults.least),
        tolerance: times(source.limit.tolerance.get()).unwrap_or(defaults.tolerance),
        share: source.share.and_then(|share| non_zero(share.get())),
        max_wait: source.max_wait.get(),
        failures: times(source.breaker.failures.get()).unwrap_or(defaults.failures),
        open_for: source.breaker.open_for.get(),
        longest_open: source.breaker.longest_open.get(),
        ..defaults
    }
}

fn capacity(config: &Config) -> Capacity {
    let entries = config.cache.entries.map(|entries| entries.get());
    match (entries, config.cache.capacity) {
        (Some(entries), _) => Capacity::Entries(usize::try_from(entries).unwrap_or(usize::MAX)),
        (None, Some(bytes)) => Capacity::Bytes(bytes.get()),
        // `Config::load` keeps one of the two.
        (None, None) => Capacity::default(),
    }
}

fn classes(config: &Config) -> Result<Classes, Failure> {
    let classes = intent_router::classes::standard();
    for (name, class) in config.cache.classes.iter() {
        let handle = classes
            .define(name)
            .map_err(|error| Failure::new(Code::Config, error))?;
        // Jitter and early refresh are in range: their types bound them.
        let freshness = class
            .freshness()
            .map_err(|error| Failure::new(Code::Config, error))?;
        classes.set_freshness(handle, freshness);
    }
    Ok(classes)
}
