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
        self.validate_tls(errors);
        self.validate_changes(errors);
        let (detector, jwt) = (&mut self.detector, &mut self.auth.jwt);
        let (tls, postgres) = (&mut self.server.tls, &mut self.source.postgres);
        for (path, file) in [
            ("auth.jwt.key_file", &mut jwt.key_file),
            ("auth.jwt.secret_file", &mut jwt.secret_file),
            ("cache.snapshot.file", &mut self.cache.snapshot.file),
            ("detector.model", &mut detector.model),
            ("detector.sentence_model", &mut detector.sentence_model),
            ("server.tls.certificate", &mut tls.certificate),
            ("server.tls.key", &mut tls.key),
            ("privacy.key_file", &mut self.privacy.key_file),
            ("audit.file", &mut self.audit.file),
            ("source.postgres.password_file", &mut postgres.password_file),
            ("source.postgres.ca_file", &mut postgres.ca_file),
        ] {
            if let (Some(Origin::File(_)), Some(file)) = (self.origins.get(path), file) {
                *file = base.join(&*file);
            }
        }
        if let Some(Origin::File(_)) = self.origins.get("auth.tokens") {
            for token in &mut self.auth.tokens {
                token.file = token.file.take().map(|file| base.join(file));
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
            let message = "`capacity` and `entries` cannot both bound the cache";
            let error = Diagnostic::error(message).with_remedy("remove one");
            errors.push(entries.place("cache.entries", error));
        } else if capacity.is_some() && from_file(entries) {
            self.cache.entries = None;
        } else {
            self.cache.capacity = None;
        }
    }

    /// TLS needs both of its files.
    fn validate_tls(&self, errors: &mut Vec<Diagnostic>) {
        let (path, missing) = match (&self.server.tls.certificate, &self.server.tls.key) {
            (Some(_), None) => ("server.tls.certificate", "key"),
            (None, Some(_)) => ("server.tls.key", "certificate"),
            (Some(_), Some(_)) | (None, None) => return,
        };
        let error = Diagnostic::error(format!("TLS needs `{missing}` too"))
            .with_remedy(format!("set `server.tls.{missing}`, or remove this key"));
        errors.push(place(self.origins.get(path), path, error));
    }

    /// Only a database has changes to follow.
    fn validate_changes(&self, errors: &mut Vec<Diagnostic>) {
        let message = match self.source.url {
            Some(SourceUrl::Sqlite(_) | SourceUrl::Postgres(_)) => return,
            Some(SourceUrl::Http(_)) => "an HTTP back end has no changes to follow",
            None => "embedded demo data does not change",
        };
        if self.changes.enabled {
            let path = "changes.enabled";
            let error = Diagnostic::error(message)
                .with_remedy("set `source.url` to a database, or remove this key");
            errors.push(place(self.origins.get(path), path, error));
        }
    }

    fn validate_source(&mut self, base: &Path, errors: &mut Vec<Diagnostic>) {
        match (&mut self.source.url, &self.source.http.url) {
            (None, _) => return,
            (Some(SourceUrl::Postgres(_)), _) => {}
            (Some(SourceUrl::Sqlite(file)), _) => {
                if let Some(Origin::File(_)) = self.origins.get("source.url") {
                    *file = base.join(&*file);
                }
            }
            (Some(SourceUrl::Http(_)), None) => {}
            (Some(SourceUrl::Http(_)), Some(_)) => {
                let path = "source.http.url";
                let error = Diagnostic::error("`source.url` names an HTTP back end already")
                    .with_remedy("remove one of the two");
                errors.push(place(self.origins.get(path), path, error));
            }
        }
        for path in ["source.demo_users", "source.demo_seed"] {
            if let Some(origin) = self.origins.get(path) {
                let message = "applies only to the embedded demo data, which `url` replaces";
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
