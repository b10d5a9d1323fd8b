//! The default word lists, which are English.

use once_cell::sync::Lazy;
use toml::de::DeTable;

use super::document::{Diagnostics, Table};
use super::{guards, references};
use crate::catalogue::guards::Guards;
use crate::catalogue::references::References;

/// The English lists.
pub(in crate::catalogue) fn lists() -> &'static (Guards, References) {
    // The text is part of the program, and every test of a catalogue parses
    // it: a build in which this could fail does not pass its tests.
    static ENGLISH: Lazy<(Guards, References)> = Lazy::new(|| {
        let lists = parsed(include_str!("../english.toml"));
        lists.expect("the built-in word lists are valid")
    });
    &ENGLISH
}

/// The word lists of a document without intents; `None` if it is invalid.
fn parsed(text: &str) -> Option<(Guards, References)> {
    let mut diagnostics = Diagnostics::new(text);
    let document = DeTable::parse(text).ok()?;
    let mut root = Table::new("", 0, document.get_ref());
    let guards = guards::guards(&mut root, Guards::none(), &mut diagnostics);
    let references = references::references(&mut root, References::default(), &mut diagnostics);
    root.finish(&mut diagnostics);
    diagnostics.list.is_empty().then_some((guards, references))
}
