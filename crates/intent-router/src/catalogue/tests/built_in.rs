//! The built-in catalogue.

use std::collections::BTreeSet;

use crate::catalogue::{Catalogue, KeyMode, Kind};

#[test]
fn the_built_in_catalogue_has_the_twelve_intents() {
    let catalogue = Catalogue::built_in();
    let names = |kind| -> Vec<&str> {
        let of_kind = catalogue
            .intents()
            .iter()
            .filter(|intent| intent.kind == kind);
        of_kind.map(|intent| intent.name.as_str()).collect()
    };
    assert_eq!(
        names(Kind::LiveData),
        [
            "claim_status",
            "payment_status",
            "pension_inquiry",
            "claim_submission",
            "account_info",
            "payment_history",
            "document_status",
            "technical_help",
        ]
    );
    assert_eq!(
        names(Kind::KnowledgeBase),
        [
            "employer_registration",
            "agent_request",
            "greeting",
            "goodbye"
        ]
    );
    for intent in catalogue.intents() {
        assert!(
            intent.examples.len() >= 40,
            "{} has few examples",
            intent.name
        );
        assert_eq!(intent.class, intent.kind.name());
        // Slots replace the message unless a query reads its words.
        let by_words = ["technical_help", "employer_registration", "agent_request"];
        let expect = match by_words.contains(&intent.name.as_str()) {
            true => KeyMode::Normalised,
            false => KeyMode::Slots,
        };
        assert_eq!(intent.key, expect, "of {}", intent.name);
        // A phrase that is a whole sentence would find that sentence only.
        for phrase in intent
            .phrases
            .iter()
            .filter(|phrase| phrase.text.contains(' '))
        {
            assert!(phrase.text.split(' ').count() <= 6, "{}", phrase.text);
        }
    }
}

#[test]
fn another_key_mode_is_taken_as_far_as_the_queries_allow() {
    let modes = |key| -> BTreeSet<KeyMode> {
        let catalogue = Catalogue::built_in().with_key(key);
        catalogue
            .intents()
            .iter()
            .map(|intent| intent.key)
            .collect()
    };
    assert_eq!(modes(KeyMode::Message), [KeyMode::Message].into());
    assert_eq!(modes(KeyMode::Normalised), [KeyMode::Normalised].into());
    // The built-in catalogue uses slots wherever it can.
    assert_eq!(
        Catalogue::built_in().with_key(KeyMode::Slots),
        *Catalogue::built_in()
    );
}
