use super::{MessageReferences, Standing};
use crate::catalogue::Catalogue;
use crate::text::normalise;

#[track_caller]
fn check_another(expect: bool, messages: &[&str]) {
    for message in messages {
        let text = normalise(message);
        let references = MessageReferences::read(Catalogue::built_in(), &text);
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
            "somebody's claim status",
            "payments of all beneficiaries",
            "send my payment to me and show my wife's claim",
            "my claim and the claim of my wife",
            "my brother asked me to check on his claim",
            "status of my wife's claim CLM-2025-000001",
        ],
    );
}

#[test]
fn a_message_about_a_relation_alone_is_about_another() {
    check_another(
        true,
        &[
            "has my sister been paid",
            "how much did you pay my wife",
            "when will my old man be paid?",
            "can you tell me what my wife was paid last month",
            "My husband was injured at work, is the claim approved?",
            "i want to know which documents my sister still needs",
            "claim status husband",
            "claim filed by my fiancé",
        ],
    );
}

#[test]
fn a_message_about_somebody_unnamed_is_about_another() {
    check_another(
        true,
        &[
            "her claim status",
            "was he paid in March 2025",
            "has she been paid",
            "show me his payments",
            "did they get their money",
            "Mutale's claim status",
            "what is mr banda's last payment",
        ],
    );
    check_another(
        false,
        &[
            "did they receive my documents",
            "today's payments",
            "what's the status",
            "the adjuster's report",
            "who handles my claim and what is his number",
        ],
    );
    // Somebody who is not a member may ask about anybody: it is not a question about records.
    let text = normalise("has she been crowned");
    assert!(!MessageReferences::read(Catalogue::built_in(), &text).are_of_another(false));
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
            "my husband says my claim was rejected, is that true",
            "please send my payment to my wife's account",
            "i need my payment history for my wife",
            "my wife is asking me, when will i be paid",
            "Hi brother, what is the claim status?",
            "thanks sister, when will i be paid",
            "CLM-2024-000001 is mine, not my wife's, what is its status",
            "not my brother's, my claim status",
            "not my brother's but my claim status",
            "what is the status of my claim? my ex keeps asking",
            "my supervisor submitted my claim, what is the status",
            "has my manager sent the report",
            "claim status please, from me and my wife",
            "my friend did not get payment PAY-00000012",
            "has she been paid PAY-00000012",
        ],
    );
}

#[test]
fn only_another_members_identifier_names_another() {
    let check = |message: &str, expect| {
        let text = normalise(message);
        let references = MessageReferences::read(Catalogue::built_in(), &text);
        assert_eq!(references.name_another("BEN-000001"), expect, "{message}");
    };
    check("status of BEN-000002", true);
    check("status of ben 000002, please", true);
    check("BEN-000001 and BEN-000002", true);
    check("claims of EMP-0001", true);
    check("I am BEN-000001", false);
    check("I am ben-000001", false);
    check("claim CLM-2025-000123", false);
    for message in [
        "BEN-2",
        "BEN_000002",
        "ben.000002",
        "BEN#000002",
        "BEN: 000002",
        "ben no. 000002",
        "BEN number 2",
        "BEN-0000O2",
        "BEN-000001-7",
        "BEN-0000001",
        "BEN—000002",
        "EMP 1",
        "BEN-000001 and ben/2",
        "member 000002",
        "Member no. 2",
        "beneficiary number 000002",
        "the claim of user #42",
        "member 0000O1",
    ] {
        check(message, true);
    }
    for message in [
        "member 000001",
        "member no. 1",
        "ben_000001",
        "BEN000001's claim",
        "ben no 000001",
        "benefit 2",
        "beneficiaries 000002",
        "employer 2",
        "ben",
        "a member since 2019",
        "the 3 members",
        "BEN-000001/2025 was wrong",
        "person",
    ] {
        check(message, message.contains('/'));
    }
}

proptest::proptest! {
    #[test]
    fn prop_an_identifier_is_told_however_it_is_written(
        letters in "[bB][eE][nN]",
        gap in "|[-_.#:/–—−  ]|[ ]?[-_.#:/–—][ ]?| (no|nr|number|id)[.:]? ",
        number in "0000(0[0-3]|1[0-2])",
        before in "(|claim of |status, |\\(|\")",
        after in "(|'s claim| please|[.,:;?!)]|, and in March)",
    ) {
        let text = format!("{before}{letters}{gap}{number}{after}");
        let normal = normalise(&text);
        let references = MessageReferences::read(Catalogue::built_in(), &normal);
        proptest::prop_assert_eq!(references.name_another("BEN-000001"), number != "000001");
        proptest::prop_assert_eq!(references.name_another("BEN-000012"), number != "000012");
        proptest::prop_assert!(references.name_another("42"));
    }

    #[test]
    fn prop_any_text_can_be_read(text in "(\\PC| (ben|member|my|wife|'s|no\\.|of|claim|his) ){0,30}") {
        let normal = normalise(&text);
        let references = MessageReferences::read(Catalogue::built_in(), &normal);
        references.name_another("BEN-000001");
        references.are_of_another(true);
        references.standing();
    }
}

#[test]
fn a_message_that_says_nothing_by_itself_is_told() {
    let check = |expect, messages: &[&str]| {
        for message in messages {
            let text = normalise(message);
            let references = MessageReferences::read(Catalogue::built_in(), &text);
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
