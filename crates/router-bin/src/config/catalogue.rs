//! The catalogue's file: read at start-up and at each reload, and linted by
//! `router config check`.

use std::path::Path;

use intent_router::{Catalogue, CatalogueError, Diagnostic};

use super::load::read;
use super::settings::Config;

/// Reads the catalogue in a file.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read_catalogue(file: &Path) -> Result<Catalogue, Vec<Diagnostic>> {
    Catalogue::parse(&text(file)?).map_err(|error| diagnostics(file, &error))
}

/// The text of the catalogue in a file.
///
/// # Errors
/// Why the file cannot be read.
pub(crate) fn text(file: &Path) -> Result<String, Vec<Diagnostic>> {
    read(file, Catalogue::MAX_BYTES as u64).map_err(|error| vec![in_file(file, error)])
}

/// Names the file that a diagnostic is about.
pub(crate) fn in_file(file: &Path, diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.with_source(file.display().to_string())
}

fn diagnostics(file: &Path, error: &CatalogueError) -> Vec<Diagnostic> {
    let diagnostics = error.diagnostics().iter();
    diagnostics
        .map(|diagnostic| in_file(file, diagnostic.clone()))
        .collect()
}

impl Config {
    /// The current intents: those of the catalogue's file, read again, or the
    /// built-in ones.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub(crate) fn intents_now(&self) -> Result<Catalogue, Vec<Diagnostic>> {
        match &self.catalogue.file {
            Some(file) => read_catalogue(file),
            None => Ok(Catalogue::built_in().clone()),
        }
    }

    /// Warnings about the catalogue's file. There are none about the built-in
    /// catalogue, which its users cannot change.
    pub(crate) fn catalogue_warnings(&self) -> Vec<Diagnostic> {
        let Some(file) = &self.catalogue.file else {
            return Vec::new();
        };
        let linted = text(file)
            .and_then(|text| Catalogue::lint(&text).map_err(|error| diagnostics(file, &error)));
        match linted {
            Ok(warnings) => warnings
                .into_iter()
                .map(|warning| in_file(file, warning))
                .collect(),
            // The file was valid when the configuration was loaded and has been
            // changed since.
            Err(errors) => errors,
        }
    }
}
