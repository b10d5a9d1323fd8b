mod built_in;
mod document;
mod intents;
mod tables;
mod word_lists;

use super::{Catalogue, Diagnostic};

/// Expects the problems of a catalogue, each as `path: text (line n)`.
#[track_caller]
fn check(toml: &str, expect: &[&str]) {
    let shown = |problem: &Diagnostic| {
        let gap = if problem.path.is_empty() { "" } else { ": " };
        let line = problem.line().unwrap_or_default();
        format!("{}{gap}{} (line {line})", problem.path, problem.text())
    };
    let problems = match Catalogue::parse(toml) {
        Ok(_) => Vec::new(),
        Err(error) => error.diagnostics().iter().map(shown).collect(),
    };
    assert_eq!(problems, expect, "of {toml}");
}

/// A good intent, on five lines, with more of its keys on the lines after.
fn intent(rest: &str) -> String {
    format!(
        "[slots]\nnr = {{ kind = 'date' }}\n[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['a']\n{rest}"
    )
}
