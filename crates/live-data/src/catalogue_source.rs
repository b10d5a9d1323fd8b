//! [`CatalogueSource`], a source that is opened for the queries of a catalogue.

use std::sync::Arc;

use intent_router::{Catalogue, LiveData};

use crate::error::OpenError;

/// A source of records that was opened for a catalogue: every query was checked
/// against the schema then.
///
/// A service holds its source as `Arc<dyn CatalogueSource>`, so that it need not
/// know which database it is.
///
/// ```
/// use std::sync::Arc;
/// use intent_router::Catalogue;
/// use live_data::{CatalogueSource, DemoOptions, SqliteOptions, SqliteSource};
///
/// let demo = DemoOptions { members: 20, ..DemoOptions::default() };
/// let options = SqliteOptions::default();
/// let catalogue = Catalogue::built_in();
/// let source: Arc<dyn CatalogueSource> =
///     Arc::new(SqliteSource::demo(catalogue, &demo, &options)?);
/// assert_eq!(source.calls(), 0);
/// assert!(source.for_catalogue(catalogue).is_ok());
/// # Ok::<(), live_data::OpenError>(())
/// ```
pub trait CatalogueSource: LiveData {
    /// A source over the same database for the queries of another catalogue. Both
    /// remain usable and share connections. Blocks while the queries are checked.
    ///
    /// # Errors
    /// The first [`OpenError`] of each intent whose queries or tags do not fit, in the
    /// order of the catalogue.
    fn for_catalogue(
        &self,
        catalogue: &Catalogue,
    ) -> Result<Arc<dyn CatalogueSource>, Vec<OpenError>>;

    /// How many queries were begun since the database was opened, whether or not they
    /// succeeded.
    fn calls(&self) -> u64;

    /// How many connections were opened again since the database was opened.
    fn reopened(&self) -> u64;
}
