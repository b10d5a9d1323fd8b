//! From the text of a catalogue file to a validated [`Catalogue`].

mod document;
mod guards;
mod intent;
mod references;
mod slot;
mod tables;

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{Catalogue, CatalogueError, Guards, References};
use document::{Problems, Table};

pub(super) fn catalogue(text: &str) -> Result<Catalogue, CatalogueError> {
    let mut problems = Problems::new(text);
    if text.len() > Catalogue::MAX_BYTES {
        let message = format!(
            "the catalogue has {} bytes; at most {} are accepted",
            text.len(),
            Catalogue::MAX_BYTES
        );
        problems.add("", 0, message);
        return Err(CatalogueError::new(problems.list));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        problems.add(
            "",
            at,
            format_args!("this is no TOML: {}", error.message().trim()),
        );
    }
    if !errors.is_empty() {
        return Err(CatalogueError::new(problems.list));
    }
    let mut root = Table::new("", 0, document.get_ref());
    let slots = slot::slots(&mut root, &mut problems);
    let tables = tables::tables(&mut root, &mut problems);
    let guards = guards::guards(&mut root, Guards::english().clone(), &mut problems);
    let references =
        references::references(&mut root, References::english().clone(), &mut problems);
    let mut reader = intent::Reader::new(&slots, &mut problems);
    let intents = reader.intents(&mut root);
    let out_of_scope = reader.out_of_scope(&mut root);
    root.finish(&mut problems);
    if !problems.list.is_empty() {
        return Err(CatalogueError::new(problems.list));
    }
    // A slot whose definition was refused left a problem, so here all are there.
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

/// The word lists of a document that has nothing else; `None` for a bad one.
pub(super) fn english(text: &str) -> Option<(Guards, References)> {
    let mut problems = Problems::new(text);
    let document = DeTable::parse(text).ok()?;
    let mut root = Table::new("", 0, document.get_ref());
    let guards = guards::guards(&mut root, Guards::none(), &mut problems);
    let references = references::references(&mut root, References::default(), &mut problems);
    root.finish(&mut problems);
    problems.list.is_empty().then_some((guards, references))
}

/// Whether a name can stand in a key, a path, a query and a file without quotes.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

const NAME_RULE: &str = "a name is a letter, then letters, digits and _";
