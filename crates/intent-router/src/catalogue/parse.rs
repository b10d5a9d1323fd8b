//! Parses and validates the text of a catalogue.

mod document;
mod english;
mod guards;
mod http;
mod intent;
mod name;
mod parameters;
mod references;
mod slot;
mod tables;

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::definition::Catalogue;
use super::diagnostic::CatalogueError;
use document::{Diagnostics, Table};

impl Catalogue {
    /// Reads and validates a whole catalogue.
    ///
    /// # Errors
    /// Every problem of the file at once, each with its path and line.
    ///
    /// ```
    /// use intent_router::Catalogue;
    ///
    /// let catalogue = Catalogue::parse(
    ///     r#"
    ///     [[intent]]
    ///     name = "opening_hours"
    ///     kind = "knowledge_base"
    ///     phrases = ["opening hours", { text = "when are you open", weight = 3 }]
    ///     "#,
    /// )?;
    /// assert_eq!(catalogue.intents().len(), 1);
    ///
    /// let error = Catalogue::parse("[[intent]]\nname = 'unknown'\nkind = 'cloud'").unwrap_err();
    /// assert_eq!(error.diagnostics().len(), 3);
    /// # Ok::<(), intent_router::CatalogueError>(())
    /// ```
    pub fn parse(toml: &str) -> Result<Self, CatalogueError> {
        catalogue(toml)
    }
}

fn catalogue(text: &str) -> Result<Catalogue, CatalogueError> {
    let mut diagnostics = Diagnostics::new(text);
    if text.len() > Catalogue::MAX_BYTES {
        let message = format!(
            "the catalogue has {} bytes; at most {} are allowed",
            text.len(),
            Catalogue::MAX_BYTES
        );
        diagnostics.add("", 0, message);
        return Err(CatalogueError::new(diagnostics.list));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        diagnostics.add(
            "",
            at,
            format_args!("not valid TOML: {}", error.message().trim()),
        );
    }
    if !errors.is_empty() {
        return Err(CatalogueError::new(diagnostics.list));
    }
    let mut root = Table::new("", 0, document.get_ref());
    let slots = slot::slots(&mut root, &mut diagnostics);
    let tables = tables::tables(&mut root, &mut diagnostics);
    let (english_guards, english_references) = english::lists().clone();
    let guards = guards::guards(&mut root, english_guards, &mut diagnostics);
    let references = references::references(&mut root, english_references, &mut diagnostics);
    let mut reader = intent::IntentReader::new(&slots, &mut diagnostics);
    let intents = reader.intents(&mut root);
    let out_of_scope = reader.out_of_scope(&mut root);
    root.finish(&mut diagnostics);
    if !diagnostics.list.is_empty() {
        return Err(CatalogueError::new(diagnostics.list));
    }
    // A refused slot added a problem above, so every slot has a definition here.
    let slots: BTreeMap<_, _> = slots
        .into_iter()
        .filter_map(|(name, spec)| Some((name.to_owned(), spec?)))
        .collect();
    Ok(Catalogue::new(
        intents,
        slots,
        tables,
        guards,
        references,
        out_of_scope,
    ))
}
