//! Slots of kind `pattern`.

use super::check;
use crate::slots::pattern;

#[test]
fn identifiers_in_any_case_and_with_any_dash() {
    let found = "claim=CLM-2025-000123";
    for message in [
        "CLM-2025-000123",
        "what is clm-2025-000123's status?",
        "(Clm-2025-000123)",
        "clm2025000123",
        "CLM 2025 000123.",
        "CLM–2025–000123",
        "CLM\u{2011}2025\u{2011}000123",
        "CLM - 2025 -000123",
        "ＣＬＭ－２０２５－０００１２３",
        "#CLM-2025-000123, please",
        "- CLM-2025-000123 - what of it",
        "-CLM-2025-000123",
        "my claim—CLM-2025-000123—is late",
        "clm clm-2025-000123",
    ] {
        check(message, found);
    }
}

#[test]
fn identifiers_stand_alone() {
    for message in [
        "",
        "CLM",
        "CLM-2025-00012",
        "CLM-2025-0001234",
        "XCLM-2025-000123",
        "CLM-2025-000123-1",
        "A-CLM-2025-000123",
        "a/CLM-2025-000123",
        "CLM-2025-000123_b",
        "CLM-2025-000123é",
        "CLM--2025-000123",
        "CLM-2o25-000123",
        "CLM-٢٠٢٥-000123",
    ] {
        check(message, "");
    }
}

#[test]
fn patterns_without_letters_of_their_own_are_strict() {
    check(
        "plate abc-123, IN/07_x.9",
        "invoice=IN/07_X.9;plate=ABC-123",
    );
    check("plate ABC–123", "plate=ABC-123");
    check("see 123, abc 123, abc123", "");
}

#[test]
fn patterns_are_validated() {
    for good in ["CLM-####-######", "#", "@@/##_#.@", "A1-#"] {
        assert_eq!(pattern::problem(good), None, "of {good}");
    }
    let long = "#".repeat(65);
    for bad in [
        "",
        "CLM",
        "-#",
        "#-",
        "# #",
        "#=#",
        "#;#",
        "#,#",
        "é#",
        long.as_str(),
    ] {
        assert!(pattern::problem(bad).is_some(), "of {bad}");
    }
}
