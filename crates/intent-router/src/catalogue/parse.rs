//! Parses and validates the text of a catalogue.

mod document;
mod guards;
mod intent;
mod references;
mod slot;
mod tables;

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{Catalogue, CatalogueError, Guards, References};
use document::{Diagnostics, Table};

pub(super) fn catalogue(text: &str) -> Result<Catalogue, CatalogueError> {
    let mut diagnostics = Diagnostics::new(text);
    if text.len() > Catalogue::MAX_BYTES {
        let message = format!(
            "the catalogue has {} bytes; at most {} are accepted",
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
            format_args!("this is no TOML: {}", error.message().trim()),
        );
    }
    if !errors.is_empty() {
        return Err(CatalogueError::new(diagnostics.list));
    }
    let mut root = Table::new("", 0, document.get_ref());
    let slots = slot::slots(&mut root, &mut diagnostics);
    let tables = tables::tables(&mut root, &mut diagnostics);
    let guards = guards::guards(&mut root, Guards::english().clone(), &mut diagnostics);
    let references =
        references::references(&mut root, References::english().clone(), &mut diagnostics);
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

/// The word lists of a document without intents; `None` if it is invalid.
pub(super) fn english(text: &str) -> Option<(Guards, References)> {
    let mut diagnostics = Diagnostics::new(text);
    let document = DeTable::parse(text).ok()?;
    let mut root = Table::new("", 0, document.get_ref());
    let guards = guards::guards(&mut root, Guards::none(), &mut diagnostics);
    let references = references::references(&mut root, References::default(), &mut diagnostics);
    root.finish(&mut diagnostics);
    diagnostics.list.is_empty().then_some((guards, references))
}

/// Whether a name needs no quotes in a key, a path, a query and a file.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

const NAME_RULE: &str = "a name is a letter, then letters, digits and _";
