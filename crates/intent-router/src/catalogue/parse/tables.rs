//! The table `[tables]`.

use std::collections::BTreeMap;

use super::document::{At, Diagnostics, Table};
use super::name::{NAME_RULE, is_name};
use crate::catalogue::{Diagnostic, TableSpec, Tie};

pub(super) fn tables(
    root: &mut Table<'_>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<String, TableSpec> {
    let mut specs = BTreeMap::new();
    let mut places = BTreeMap::new();
    let Some(value) = root.take("tables") else {
        return specs;
    };
    let Some(tables) = Table::from_value("tables".to_owned(), value, diagnostics) else {
        return specs;
    };
    for (name, value) in tables.entries() {
        let path = tables.key_path(name.value);
        if !is_name(name.value) {
            diagnostics.add(&path, name.at, NAME_RULE);
            continue;
        }
        // Databases ignore the case of table names.
        let lower = name.value.to_ascii_lowercase();
        let table = Table::from_value(path.clone(), value, diagnostics);
        let Some(spec) = table.and_then(|table| spec(table, diagnostics)) else {
            continue;
        };
        if specs.insert(lower.clone(), spec).is_some() {
            diagnostics.add(&path, name.at, "is declared twice; table names ignore case");
        }
        places.insert(lower, (path, name.at));
    }
    for (name, (path, at)) in &places {
        if let Some(diagnostic) = misfit(name, &specs) {
            diagnostics.push(path, *at, diagnostic);
        }
    }
    specs
}

fn spec(mut table: Table<'_>, diagnostics: &mut Diagnostics) -> Option<TableSpec> {
    let record = table.required_text("record", diagnostics);
    if let Some(record) = record.filter(|record| !is_name(record.value)) {
        diagnostics.add(&table.key_path("record"), record.at, NAME_RULE);
    }
    let member: Vec<_> = table.texts("member", diagnostics);
    let columns: Vec<String> = member
        .iter()
        .filter_map(|(path, column)| name(path, *column, diagnostics))
        .collect();
    let path = table.key_path("within");
    let within = table
        .take("within")
        .and_then(|value| Table::from_value(path, value, diagnostics))
        .and_then(|table| within(table, diagnostics));
    let by_member = table.flag("by_member", diagnostics);
    if within.is_some() && !columns.is_empty() {
        let message = "`member` and `within` exclude each other; remove one";
        diagnostics.add(&table.path, table.at, message);
    }
    if by_member && columns.len() != 1 {
        let message = "`by_member` requires `member` to list exactly one column";
        diagnostics.add(&table.path, table.at, message);
    }
    table.finish(diagnostics);
    let tie = match within {
        Some(within) => within,
        None if columns.is_empty() => Tie::None,
        None => Tie::Member(columns),
    };
    Some(TableSpec {
        record: record?.value.to_owned(),
        tie,
        by_member,
    })
}

fn within(mut table: Table<'_>, diagnostics: &mut Diagnostics) -> Option<Tie> {
    let column = table.required_text("column", diagnostics);
    let column = column.and_then(|text| name(&table.key_path("column"), text, diagnostics));
    let other = table.required_text("table", diagnostics);
    let other = other.and_then(|text| name(&table.key_path("table"), text, diagnostics));
    table.finish(diagnostics);
    Some(Tie::Within {
        column: column?,
        table: other?.to_ascii_lowercase(),
    })
}

fn name(path: &str, text: At<&str>, diagnostics: &mut Diagnostics) -> Option<String> {
    if is_name(text.value) {
        return Some(text.value.to_owned());
    }
    diagnostics.add(path, text.at, NAME_RULE);
    None
}

/// A contradiction between a table and the others, if there is one.
fn misfit(name: &str, specs: &BTreeMap<String, TableSpec>) -> Option<Diagnostic> {
    let spec = specs.get(name)?;
    let of_kind = specs
        .iter()
        .filter(|(_, other)| other.record == spec.record);
    let mut differs = of_kind.filter(|(_, other)| other.by_member != spec.by_member);
    if let Some((other, _)) = differs.next() {
        return Some(Diagnostic::error(format!(
            "`by_member` must be the same in all tables of the record `{}`; it differs in `{other}`",
            spec.record
        )));
    }
    let mut seen = vec![name];
    let mut at = spec;
    while let Tie::Within { table, .. } = &at.tie {
        if seen.contains(&table.as_str()) {
            let message = format!("`within` forms a cycle through `{table}`");
            let remedy = "one table of the cycle must have `member` instead";
            return Some(Diagnostic::error(message).with_remedy(remedy));
        }
        let Some(next) = specs.get(table) else {
            return Some(Diagnostic::error(format!(
                "`within` names the table `{table}`, which is not declared under [tables]"
            )));
        };
        seen.push(table);
        at = next;
    }
    if seen.len() > 1 && at.tie == Tie::None {
        let last = seen.last().copied().unwrap_or(name);
        let message = format!("`within` leads to `{last}`, which has no `member`");
        return Some(Diagnostic::error(message).with_remedy(format!(
            "add `member` to `{last}`, or remove `within` to read the whole table"
        )));
    }
    None
}
