//! One meaning to each name: no published crate defines two types of one name.

use anyhow::Result;

use super::step::{Context, Outcome, verdict};
use crate::structure::{self, Report};

pub(super) fn step(context: &Context<'_>) -> Result<Outcome> {
    let reports = structure::reports(context.shell, context.shell.root())?;
    for report in &reports {
        for circle in &report.circles {
            let files = circle.iter().map(|file| file.display().to_string());
            println!(
                "  {}: a circle of imports: {}",
                report.name,
                files.collect::<Vec<_>>().join(", ")
            );
        }
    }
    let circles: usize = reports.iter().map(|report| report.circles.len()).sum();
    let note = format!("{circles} circles of imports, listed above");
    verdict(doubled(&reports), note)
}

/// A line for each doubled type name of a published crate.
fn doubled(reports: &[Report]) -> Vec<String> {
    let published = reports.iter().filter(|report| report.is_published);
    published
        .flat_map(|report| {
            let lines = report.doubled.iter().map(|one| one.line());
            lines.map(|line| format!("{}: {line}", report.name))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::structure::Doubled;

    #[test]
    fn doubled_names_of_published_crates_are_found() {
        let report = |is_published, doubled: &[&str]| {
            let places = vec![(PathBuf::from("a.rs"), 1), (PathBuf::from("b.rs"), 2)];
            let one = |name: &&str| Doubled {
                name: (*name).to_owned(),
                places: places.clone(),
            };
            Report {
                name: "ours".to_owned(),
                is_published,
                doubled: doubled.iter().map(one).collect(),
                ..Report::default()
            }
        };
        assert!(doubled(&[report(true, &[]), report(false, &["Hidden"])]).is_empty());
        assert_eq!(
            doubled(&[report(true, &["One"])]),
            ["ours: `One` is defined 2 times: a.rs:1, b.rs:2"]
        );
    }
}
