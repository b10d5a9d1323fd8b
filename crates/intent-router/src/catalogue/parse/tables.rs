//! The table `[tables]`.

use std::collections::BTreeMap;

use super::document::{At, Problems, Table};
use super::{NAME_RULE, is_name};
use crate::catalogue::{TableSpec, Tie};

pub(super) fn tables(root: &mut Table<'_>, problems: &mut Problems) -> BTreeMap<String, TableSpec> {
    let mut specs = BTreeMap::new();
    let mut places = BTreeMap::new();
    let Some(value) = root.take("tables") else {
        return specs;
    };
    let Some(tables) = Table::from_value("tables".to_owned(), value, problems) else {
        return specs;
    };
    for (name, value) in tables.entries() {
        let path = tables.key_path(name.value);
        if !is_name(name.value) {
            problems.add(&path, name.at, NAME_RULE);
            continue;
        }
        // Databases do not tell tables apart by case.
        let lower = name.value.to_ascii_lowercase();
        let table = Table::from_value(path.clone(), value, problems);
        let Some(spec) = table.and_then(|table| spec(table, problems)) else {
            continue;
        };
        if specs.insert(lower.clone(), spec).is_some() {
            problems.add(&path, name.at, "is declared twice, in another case");
        }
        places.insert(lower, (path, name.at));
    }
    for (name, (path, at)) in &places {
        if let Some(message) = misfit(name, &specs) {
            problems.add(path, *at, message);
        }
    }
    specs
}

fn spec(mut table: Table<'_>, problems: &mut Problems) -> Option<TableSpec> {
    let record = table.required_text("record", problems);
    if let Some(record) = record.filter(|record| !is_name(record.value)) {
        problems.add(&table.key_path("record"), record.at, NAME_RULE);
    }
    let member: Vec<_> = table.texts("member", problems);
    let columns: Vec<String> = member
        .iter()
        .filter_map(|(path, column)| name(path, *column, problems))
        .collect();
    let path = table.key_path("within");
    let within = table
        .take("within")
        .and_then(|value| Table::from_value(path, value, problems))
        .and_then(|table| within(table, problems));
    let by_member = table.flag("by_member", problems);
    if within.is_some() && !columns.is_empty() {
        let message = "give `member` or `within`: a row is tied to its member in one way";
        problems.add(&table.path, table.at, message);
    }
    if by_member && columns.len() != 1 {
        let message = "`by_member` needs `member` with the one column that names the record";
        problems.add(&table.path, table.at, message);
    }
    table.finish(problems);
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

fn within(mut table: Table<'_>, problems: &mut Problems) -> Option<Tie> {
    let column = table.required_text("column", problems);
    let column = column.and_then(|text| name(&table.key_path("column"), text, problems));
    let other = table.required_text("table", problems);
    let other = other.and_then(|text| name(&table.key_path("table"), text, problems));
    table.finish(problems);
    Some(Tie::Within {
        column: column?,
        table: other?.to_ascii_lowercase(),
    })
}

fn name(path: &str, text: At<&str>, problems: &mut Problems) -> Option<String> {
    if is_name(text.value) {
        return Some(text.value.to_owned());
    }
    problems.add(path, text.at, NAME_RULE);
    None
}

/// What is wrong with a table among the others, if anything is.
fn misfit(name: &str, specs: &BTreeMap<String, TableSpec>) -> Option<String> {
    let spec = specs.get(name)?;
    let of_kind = specs
        .iter()
        .filter(|(_, other)| other.record == spec.record);
    let mut differs = of_kind.filter(|(_, other)| other.by_member != spec.by_member);
    if let Some((other, _)) = differs.next() {
        return Some(format!(
            "`by_member` must be the same for all tables of the records `{}`; `{other}` differs",
            spec.record
        ));
    }
    let mut seen = vec![name];
    let mut at = spec;
    while let Tie::Within { table, .. } = &at.tie {
        if seen.contains(&table.as_str()) {
            return Some(format!(
                "`within` leads from `{table}` back to it; one table of them must have `member`"
            ));
        }
        let Some(next) = specs.get(table) else {
            return Some(format!(
                "`within` names the table `{table}`, which is not declared under [tables]"
            ));
        };
        seen.push(table);
        at = next;
    }
    if seen.len() > 1 && at.tie == Tie::None {
        let last = seen.last().copied().unwrap_or(name);
        return Some(format!(
            "`within` leads to `{last}`, which has no `member`; leave it out to read the whole table"
        ));
    }
    None
}
