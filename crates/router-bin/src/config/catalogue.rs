//! The catalogue's file: read at the start and at each reload, and looked at
//! once more by `router config check`.

use std::path::Path;

use intent_router::{Catalogue, CatalogueError};

use super::Config;
use super::fault::Fault;
use super::load::read;

/// Reads the catalogue in a file.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read_catalogue(file: &Path) -> Result<Catalogue, Vec<Fault>> {
    Catalogue::parse(&text(file)?).map_err(|error| faults(file, &error))
}

/// The text of the catalogue in a file.
pub(crate) fn text(file: &Path) -> Result<String, Vec<Fault>> {
    read(file, Catalogue::MAX_BYTES as u64).map_err(|reason| vec![Fault::of_file(file, reason)])
}

fn faults(file: &Path, error: &CatalogueError) -> Vec<Fault> {
    let problems = error.problems().iter();
    problems
        .map(|problem| Fault::of_catalogue(file, problem))
        .collect()
}

impl Config {
    /// The intents as they are now: those of the catalogue's file, read again,
    /// or the built-in ones.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub(crate) fn intents_now(&self) -> Result<Catalogue, Vec<Fault>> {
        match &self.catalogue.file {
            Some(file) => read_catalogue(file),
            None => Ok(Catalogue::built_in().clone()),
        }
    }

    /// What is allowed in the catalogue's file but deserves a second look. Of
    /// the built-in catalogue nothing is told: nobody who reads it could do
    /// anything about it.
    pub(crate) fn catalogue_warnings(&self) -> Vec<Fault> {
        let Some(file) = &self.catalogue.file else {
            return Vec::new();
        };
        let linted = text(file)
            .and_then(|text| Catalogue::lint(&text).map_err(|error| faults(file, &error)));
        match linted {
            Ok(problems) => problems
                .iter()
                .map(|problem| Fault::of_catalogue(file, problem))
                .collect(),
            // It was valid a moment ago: it has been changed since.
            Err(faults) => faults,
        }
    }
}
