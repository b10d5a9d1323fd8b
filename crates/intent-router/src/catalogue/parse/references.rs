//! The table `[references]`.

use super::document::{Diagnostics, Table};
use super::guards::phrases;
use crate::catalogue::References;
use crate::slots::pattern;

/// `references` with the keys of the table replaced.
pub(super) fn references(
    root: &mut Table<'_>,
    mut references: References,
    diagnostics: &mut Diagnostics,
) -> References {
    let Some(value) = root.take("references") else {
        return references;
    };
    let Some(mut table) = Table::from_value("references".to_owned(), value, diagnostics) else {
        return references;
    };
    for (path, text) in table.texts("identifiers", diagnostics) {
        match pattern::problem(text.value) {
            None => references.identifiers.push(text.value.to_owned()),
            Some(message) => diagnostics.add(&path, text.at, message),
        }
    }
    let lists: [(&'static str, &mut Vec<String>); 11] = [
        ("members", &mut references.members),
        ("relations", &mut references.relations),
        ("superiors", &mut references.superiors),
        ("owners", &mut references.owners),
        ("possessives", &mut references.possessives),
        ("absent", &mut references.absent),
        ("own", &mut references.own),
        ("requests", &mut references.requests),
        ("bereaved", &mut references.bereaved),
        ("openers", &mut references.openers),
        ("pronouns", &mut references.pronouns),
    ];
    for (key, list) in lists {
        if table.take(key).is_some() {
            *list = phrases(&mut table, key, diagnostics);
        }
    }
    table.finish(diagnostics);
    references
}
