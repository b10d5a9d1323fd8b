//! Values, currencies and guards, which are lists of words.

use std::collections::BTreeMap;

use super::{check, intent};
use crate::catalogue::{Catalogue, SlotSpec};

#[test]
fn reads_lists_of_values_and_marks() {
    let catalogue = Catalogue::parse(
        r#"
        [slots.state.values]
        in_use = ["in use", "used"]
        "0.5" = ["half"]
        [slots.state]
        kind = "enum"
        [slots.price]
        kind = "amount"
        currencies = { EUR = ["€", "euro"] }
        [guards]
        confidence = 1
        negations = ["nicht", "kein"]
        [[intent]]
        name = "a"
        kind = "live_data"
        key = "slots"
        phrases = ["a"]
        slots = ["state", "price"]
        query = [{ name = "q", sql = ":price" }]
        "#,
    )
    .unwrap();
    let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let values = [("in_use", &["in use", "used"][..]), ("0.5", &["half"])];
    let values = values.map(|(value, words)| (value.to_owned(), list(words)));
    let values = BTreeMap::from(values);
    assert_eq!(catalogue.slot("state"), Some(&SlotSpec::Enum { values }));
    let currencies = BTreeMap::from([("EUR".to_owned(), list(&["€", "euro"]))]);
    let decimal = '.';
    let price = SlotSpec::Amount {
        currencies,
        decimal,
    };
    assert_eq!(catalogue.slot("price"), Some(&price));
    let guards = catalogue.guards();
    assert_eq!(guards.confidence, 1.0);
    assert_eq!(guards.negations, ["nicht", "kein"]);
    let default = Catalogue::parse(&intent("")).unwrap();
    assert_eq!(guards.neutral, default.guards().neutral);
    assert_ne!(guards.negations, default.guards().negations);
}

#[test]
fn refuses_bad_lists_of_values_and_marks() {
    let rest = "[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['a']";
    let told = |toml: &str, expect: &[&str]| check(&format!("{toml}\n{rest}"), expect);
    told(
        "[slots]\na = { kind = 'enum' }\nb = { kind = 'enum', values = {} }\nc = { kind = 'enum', values = { x = [], y = 'z' } }",
        &[
            "slots.a: `values` is missing (line 2)",
            "slots.b.values: is empty (line 3)",
            "slots.c.values.x: has no words, so it can never be found; add some (line 4)",
            "slots.c.values.y: expected an array, found string (line 4)",
        ],
    );
    told(
        "[slots.a]\nkind = 'enum'\nvalues = { 'x,y' = ['One more', '?'], z = ['one-more'] }",
        &[
            "slots.a.values.x,y: invalid value; it must contain only ASCII letters, digits, _, - and . (line 3)",
            "slots.a.values.x,y[1]: \"?\" contains no word (line 3)",
            "slots.a.values.z[0]: \"one-more\" is already listed under \"x,y\" (line 3)",
        ],
    );
    told(
        "[slots.a]\nkind = 'amount'\ncurrencies = { euro = ['€'], GBP = [' '] }\ndecimal = ';'",
        &[
            "slots.a.currencies.GBP[0]: \" \" contains no word (line 3)",
            "slots.a.currencies.euro: invalid currency; it must be three capital letters (ISO 4217), such as USD (line 3)",
            "slots.a.decimal: unknown decimal separator \";\"; use \".\" or \",\" (line 4)",
        ],
    );
    told(
        "[guards]\nconfidence = 1.1\nnegations = ['no', '!']\nneutral = 'please'\nwords = []",
        &[
            "guards.confidence: 1.1 is out of range; it must be from 0 to 1 (line 2)",
            "guards.negations[1]: \"!\" contains no word (line 3)",
            "guards.neutral: expected an array, found string (line 4)",
            "guards: unknown key `words`; known keys are amounts, articles, comparisons, confidence, conjunctions, directions, negations, neutral, numbers, opposites, times (line 5)",
        ],
    );
}
