//! The table `[slots]`.

use std::collections::BTreeMap;

use super::document::{Problems, Table};
use super::{NAME_RULE, is_name};
use crate::catalogue::SlotSpec;
use crate::catalogue::sql::BUILT_IN_PARAMETERS;
use crate::slots::pattern;

/// Every slot by name; `None` for one whose definition has a problem, so that
/// its users are not reported as well.
pub(super) type Specs<'t> = BTreeMap<&'t str, Option<SlotSpec>>;

pub(super) fn slots<'t>(root: &mut Table<'t>, problems: &mut Problems) -> Specs<'t> {
    let mut specs = Specs::new();
    let Some(value) = root.take("slots") else {
        return specs;
    };
    let Some(slots) = Table::from_value("slots".to_owned(), value, problems) else {
        return specs;
    };
    for (name, value) in slots.entries() {
        let path = slots.key_path(name.value);
        if BUILT_IN_PARAMETERS.contains(&name.value) {
            problems.add(
                &path,
                name.at,
                "every query has a parameter of this name already",
            );
        } else if !is_name(name.value) {
            problems.add(&path, name.at, NAME_RULE);
        }
        let spec = Table::from_value(path, value, problems).and_then(|table| spec(table, problems));
        specs.insert(name.value, spec);
    }
    specs
}

fn spec(mut table: Table<'_>, problems: &mut Problems) -> Option<SlotSpec> {
    let kind = table.required_text("kind", problems)?;
    let spec = match kind.value {
        "date" => Some(SlotSpec::Date),
        "period" => Some(SlotSpec::Period),
        "pattern" => {
            let text = table.required_text("pattern", problems);
            text.and_then(|text| match pattern::problem(text.value) {
                None => Some(SlotSpec::Pattern {
                    pattern: text.value.to_owned(),
                }),
                Some(message) => {
                    problems.add(&table.key_path("pattern"), text.at, message);
                    None
                }
            })
        }
        other => {
            let message = format!("unknown kind \"{other}\"; known are pattern, date, period");
            problems.add(&table.key_path("kind"), kind.at, message);
            return None;
        }
    };
    table.finish(problems);
    spec
}
