use super::{References, Standing};
use crate::catalogue::Catalogue;
use crate::text::normalise;

#[track_caller]
fn check_another(expect: bool, messages: &[&str]) {
    for message in messages {
        let text = normalise(message);
        let references = References::read(Catalogue::built_in(), &text);
        assert_eq!(references.are_of_another(true), expect, "of {message:?}");
    }
}

#[test]
fn records_of_relatives_and_colleagues_are_another_persons() {
    check_another(
        true,
        &[
            "my wife's claim",
            "my wifes claim status",
            "What’s the status of my husband’s claim?",
            "my wife claim status",
            "claims of my colleague",
            "has the payment for my brother been made",
            "I am asking on behalf of my mother",
            "I'm asking for my old neighbour",
            "my brother wants to know his claim status",
            "my mother-in-law's pension",
            "when is my dad's next payment",
            "show me someone else's payments",
            "pension of a friend",
            "my colleague asks when her payment comes",
        ],
    );
}

#[test]
fn the_askers_own_records_are_not() {
    check_another(
        false,
        &[
            "what is my claim status",
            "my late husband's pension",
            "my husband died, can I get the survivors benefit",
            "pension of my wife who passed away",
            "my supervisor signed my claim form",
            "my wife lost my claim form",
            "my employer's report",
            "is my son on my account",
            "the status of my claim for a fall at work",
            "his decision on my claim",
        ],
    );
}

#[test]
fn only_another_members_identifier_names_another() {
    let check = |message: &str, expect| {
        let text = normalise(message);
        let references = References::read(Catalogue::built_in(), &text);
        assert_eq!(references.name_another("BEN-000001"), expect, "{message}");
    };
    check("status of BEN-000002", true);
    check("status of ben 000002, please", true);
    check("BEN-000001 and BEN-000002", true);
    check("claims of EMP-0001", true);
    check("I am BEN-000001", false);
    check("I am ben-000001", false);
    check("claim CLM-2025-000123", false);
}

#[test]
fn a_message_that_says_nothing_by_itself_is_told() {
    let check = |expect, messages: &[&str]| {
        for message in messages {
            let text = normalise(message);
            let references = References::read(Catalogue::built_in(), &text);
            assert_eq!(references.standing(), expect, "of {message:?}");
        }
    };
    check(
        Standing::Sequel,
        &[
            "and for last month?",
            "is it approved?",
            "what about March 2025?",
            "And the other one?",
            "was that rejected",
            "why was it rejected?",
            "same for 2024",
            "how about last year",
        ],
    );
    check(
        Standing::SequelOfRecord,
        &["and CLM-2025-000001?", "is clm 2025 000001 it"],
    );
    check(
        Standing::Bare,
        &[
            "last month?",
            "CLM-2025-000001",
            "why?",
            "in 2024",
            "why did you reject me",
        ],
    );
    check(
        Standing::Alone,
        &[
            "",
            "what is my claim status",
            "and my payments?",
            "is it raining",
            "when will it be paid",
        ],
    );
}
