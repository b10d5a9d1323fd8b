//! Checks across settings: settings that exclude each other, paths relative to
//! the file that names them, and the catalogue's file.

use std::path::Path;

use intent_router::Diagnostic;

use super::catalogue::read_catalogue;
use super::diagnostics::Origin;
use super::settings::{Config, SourceUrl};

impl Config {
    /// Checks the settings together. Paths in the file are relative to `base`,
    /// the file's directory; those of the environment are relative to the working
    /// directory.
    pub(super) fn validate(&mut self, base: &Path, errors: &mut Vec<Diagnostic>) {
        self.validate_bound(errors);
        self.validate_source(base, errors);
        let detector = &mut self.detector;
        for (path, file) in [
            ("cache.snapshot.file", &mut self.cache.snapshot.file),
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
                Err(found) => errors.extend(found.iter().map(|error| {
                    // Names the setting, and in its text the catalogue's file.
                    let error = Diagnostic::error(error.to_string());
                    place(origin.as_ref(), "catalogue.file", error)
                })),
            }
        }
    }

    /// Keeps one bound of the cache. A bound in the environment overrides either
    /// bound in the file.
    fn validate_bound(&mut self, errors: &mut Vec<Diagnostic>) {
        let capacity = self.origins.get("cache.capacity");
        let Some(entries) = self.origins.get("cache.entries") else {
            return;
        };
        let from_file = |origin: &Origin| matches!(origin, Origin::File(_));
        if capacity.is_some_and(|capacity| from_file(capacity) == from_file(entries)) {
            let message = "the cache is bounded by `capacity` or by `entries`, not by both";
            let error = Diagnostic::error(message).with_remedy("remove one");
            errors.push(entries.place("cache.entries", error));
        } else if capacity.is_some() && from_file(entries) {
            self.cache.entries = None;
        } else {
            self.cache.capacity = None;
        }
    }

    fn validate_source(&mut self, base: &Path, errors: &mut Vec<Diagnostic>) {
        let Some(SourceUrl::Sqlite(file)) = &mut self.source.url else {
            return;
        };
        if let Some(Origin::File(_)) = self.origins.get("source.url") {
            *file = base.join(&*file);
        }
        for path in ["source.demo_users", "source.demo_seed"] {
            if let Some(origin) = self.origins.get(path) {
                let message = "describes the embedded demo data, which `url` replaces";
                let error = Diagnostic::error(message).with_remedy("remove one of the two");
                errors.push(origin.place(path, error));
            }
        }
    }
}

/// Places an error at a setting whose origin may be unknown.
fn place(origin: Option<&Origin>, path: &str, error: Diagnostic) -> Diagnostic {
    match origin {
        Some(origin) => origin.place(path, error),
        None => error.with_path(path),
    }
}
