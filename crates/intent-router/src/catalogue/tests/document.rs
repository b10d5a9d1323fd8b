//! Documents of any shape and size.

use proptest::prelude::*;

use super::check;
use crate::catalogue::{Catalogue, Diagnostic};

#[test]
fn refuses_wrong_shapes() {
    check(
        "",
        &["the catalogue defines no intents; add an [[intent]] table (line 1)"],
    );
    check(
        "intents = []\nintent = 3\nslots = []",
        &[
            "the catalogue defines no intents; add an [[intent]] table (line 1)",
            "unknown key `intents`; known keys are guards, intent, out_of_scope, references, slots, tables (line 1)",
            "intent: expected an array, found integer (line 2)",
            "slots: expected a table, found array (line 3)",
        ],
    );
    check(
        "intent = [1, { name = '', kind = 2, yields = 'no', phrases = [''], examples = ['?', 1] }]",
        &[
            "intent[0]: expected a table, found integer (line 1)",
            "intent[1].name: is empty (line 1)",
            "intent[1].kind: expected a string, found integer (line 1)",
            "intent[1].yields: expected true or false, found string (line 1)",
            "intent[1].phrases[0]: phrase \"\" contains no word (line 1)",
            "intent[1].examples[1]: expected a string, found integer (line 1)",
            "intent[1].examples[0]: is empty (line 1)",
        ],
    );
    for weight in ["0", "nan", "inf", "-inf", "0.0"] {
        let toml = format!(
            "[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = [{{ text = 'a', weight = {weight} }}]"
        );
        let error = Catalogue::parse(&toml).unwrap_err();
        assert_eq!(
            error.diagnostics()[0].path,
            "intent[0] \"a\" phrases[0].weight"
        );
        assert_eq!(error.diagnostics()[0].line(), Some(4));
    }
}

#[test]
fn tells_where_it_is_no_toml() {
    let error = Catalogue::parse("a = 1\nb = \nc = ]\n").unwrap_err();
    let lines: Vec<_> = error
        .diagnostics()
        .iter()
        .filter_map(Diagnostic::line)
        .collect();
    assert!(lines.contains(&2) && lines.contains(&3), "{error}");
    assert!(error.to_string().contains("not valid TOML"));
}

#[test]
fn bounds_what_it_reads() {
    let nested = format!("a = {}", "[".repeat(100_000));
    assert!(Catalogue::parse(&nested).is_err());
    let large = "#".repeat(Catalogue::MAX_BYTES + 1);
    let error = Catalogue::parse(&large).unwrap_err();
    assert_eq!(error.diagnostics().len(), 1);
    assert!(error.to_string().contains("4194304"));
}

proptest! {
    #[test]
    fn prop_any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Catalogue::parse(&text);
    }

    #[test]
    fn prop_a_damaged_catalogue_is_read_or_refused_with_its_lines(
        at in any::<prop::sample::Index>(), length in 0..40usize, with in r#"[\[\]{}="'a\n.]{0,4}"#,
    ) {
        let whole = include_str!("../../catalogue.toml");
        // The first lines hold every kind of key; the rest is more of them.
        let head: String = whole.split_inclusive('\n').take(140).collect::<String>() + "]\n";
        let start = at.index(head.len());
        let end = (start + length).min(head.len());
        prop_assume!(head.is_ascii());
        let damaged = [&head[..start], with.as_str(), &head[end..]].concat();
        if let Err(error) = Catalogue::parse(&damaged) {
            let lines = damaged.lines().count() as u32 + 1;
            let found = error.diagnostics();
            prop_assert!(!found.is_empty());
            prop_assert!(found.iter().all(|problem| problem.line().is_some_and(|n| (1..=lines).contains(&n))));
        }
    }
}
