//! What no setting shows alone: settings that exclude one another, paths that
//! depend on the file that names them, and the catalogue that one names.

use std::path::Path;

use super::catalogue::read_catalogue;
use super::error::{ConfigError, Origin};
use super::load::error_at;
use super::{Config, SourceUrl};

impl Config {
    /// Checks the settings together. Paths in the file are relative to `base`,
    /// the directory that it stands in; those of the environment are relative
    /// to the working directory.
    pub(super) fn settle(&mut self, base: &Path, errors: &mut Vec<ConfigError>) {
        self.settle_bound(errors);
        self.settle_source(base, errors);
        let detector = &mut self.detector;
        for (path, file) in [
            ("detector.model", &mut detector.model),
            ("detector.sentence_model", &mut detector.sentence_model),
        ] {
            if let (Some(Origin::File(_)), Some(file)) = (self.origins.get(path), file) {
                *file = base.join(&*file);
            }
        }
        if let Some(file) = &mut self.catalogue.file {
            let origin = self.origins.get("catalogue.file").cloned();
            if let Some(Origin::File(_)) = origin {
                *file = base.join(&*file);
            }
            match read_catalogue(file) {
                Ok(catalogue) => self.intents = Some(catalogue),
                Err(faults) => errors.extend(faults.iter().map(|fault| {
                    let path = "catalogue.file".to_owned();
                    error_at(origin.clone(), path, fault.to_string())
                })),
            }
        }
    }

    /// Leaves one bound of the cache. The environment overrides the file,
    /// whichever bound each names.
    fn settle_bound(&mut self, errors: &mut Vec<ConfigError>) {
        let capacity = self.origins.get("cache.capacity");
        let Some(entries) = self.origins.get("cache.entries") else {
            return;
        };
        let from_file = |origin: &Origin| matches!(origin, Origin::File(_));
        if capacity.is_some_and(|capacity| from_file(capacity) == from_file(entries)) {
            errors.push(error_at(
                Some(entries.clone()),
                "cache.entries".to_owned(),
                "the cache is bounded by `capacity` or by `entries`, not by both; remove one",
            ));
        } else if capacity.is_some() && from_file(entries) {
            self.cache.entries = None;
        } else {
            self.cache.capacity = None;
        }
    }

    fn settle_source(&mut self, base: &Path, errors: &mut Vec<ConfigError>) {
        let Some(SourceUrl::Sqlite(file)) = &mut self.source.url else {
            return;
        };
        if let Some(Origin::File(_)) = self.origins.get("source.url") {
            *file = base.join(&*file);
        }
        for path in ["source.demo_users", "source.demo_seed"] {
            if let Some(origin) = self.origins.get(path) {
                errors.push(error_at(
                    Some(origin.clone()),
                    path.to_owned(),
                    "describes the embedded demo data, which `url` replaces; remove one of the two",
                ));
            }
        }
    }
}
