//! Intents with all their keys, and the queries that they allow.

use super::{check, intent};
use crate::catalogue::{Catalogue, KeyMode, Phrase, SlotSpec};

#[test]
fn reads_every_key_and_fills_in_defaults() {
    let catalogue = Catalogue::parse(
        r#"
        slots.when = { kind = "period" }
        [slots.nr]
        kind = "pattern"
        pattern = "A-##"
        [[intent]]
        name = "full"
        kind = "live_data"
        description = " What it answers. "
        class = "hot"
        key = "normalised"
        neutral = ["by the way"]
        yields = true
        phrases = ["two words", { text = "x", weight = 0x10 }, { text = "y" }]
        examples = ["an example"]
        slots = ["nr"]
        tags = ["nr:{nr}"]
        [[intent.query]]
        name = "rows"
        sql = "SELECT :nr, :user_id, :message"
        [[intent]]
        name = "bare"
        kind = "knowledge_base"
        examples = ["another"]
        "#,
    )
    .unwrap();
    let phrase = |text: &str, weight| Phrase {
        text: text.to_owned(),
        weight,
    };
    let full = catalogue.get("full").unwrap();
    assert_eq!(
        (full.class.as_str(), full.key, full.yields),
        ("hot", KeyMode::Normalised, true)
    );
    assert_eq!(
        full.phrases,
        [
            phrase("two words", 2.0),
            phrase("x", 16.0),
            phrase("y", 1.0)
        ]
    );
    assert_eq!(
        (&*full.slots, &*full.tags),
        (&["nr".to_owned()][..], &["nr:{nr}".parse().unwrap()][..])
    );
    assert_eq!(full.neutral, ["by the way"]);
    assert_eq!(full.description.as_deref(), Some("What it answers."));
    assert_eq!(catalogue.get("bare").unwrap().description, None);
    assert_eq!(
        (full.queries.len(), full.queries[0].name.as_str()),
        (1, "rows")
    );
    let bare = catalogue.get("bare").unwrap();
    assert_eq!(
        (bare.class.as_str(), bare.key, bare.yields),
        ("knowledge_base", KeyMode::Message, false)
    );
    assert_eq!(catalogue.get("none"), None);
    assert_eq!(catalogue.slot("when"), Some(&SlotSpec::Period));
    assert_eq!(catalogue.slots().count(), 2);
}

#[test]
fn names_every_problem_with_its_line() {
    check(
        r#"
[slots.nr]
kind = "patern"
[slots.message]
kind = "date"
[slots.id]
kind = "pattern"
pattern = "ID"
patern = "ID-##"

[[intent]]
name = "unknown"
kind = "cloud"
class = " "
key = "slot"
colour = "red"
phrases = ["?!", { text = "x", weight = -1 }, { weight = "2", wait = 1 }, 3]
slots = ["claim_nr", "id", "id"]
tags = ["claim", "claim:{nr"]

[[intent]]
name = "2nd"
kind = "live_data"
"#,
        &[
            "slots.nr.kind: unknown kind \"patern\"; known kinds are amount, date, enum, pattern, period, range (line 3)",
            "slots.message: the name is reserved for a parameter that every query has; choose another (line 4)",
            "slots.id.pattern: pattern \"ID\" has neither # nor @, so it would match only one value (line 8)",
            "slots.id: unknown key `patern`; known keys are kind, pattern (line 9)",
            "intent[0].name: the name `unknown` is reserved for messages without a detected intent; choose another (line 12)",
            "intent[0] \"unknown\" kind: unknown kind \"cloud\"; known kinds are live_data, knowledge_base (line 13)",
            "intent[0] \"unknown\" class: is empty (line 14)",
            "intent[0] \"unknown\" key: unknown key mode \"slot\"; known modes are message, normalised, slots (line 15)",
            "intent[0] \"unknown\": unknown key `colour`; known keys are answered_by, class, description, examples, http, key, kind, name, neutral, overrule, phrases, query, slots, tags, veto, yields (line 16)",
            "intent[0] \"unknown\" phrases[0]: phrase \"?!\" contains no word (line 17)",
            "intent[0] \"unknown\" phrases[1].weight: weight -1 is not a finite number above 0 (line 17)",
            "intent[0] \"unknown\" phrases[2]: `text` is missing (line 17)",
            "intent[0] \"unknown\" phrases[2]: unknown key `wait`; known keys are text, weight (line 17)",
            "intent[0] \"unknown\" phrases[2].weight: expected a number, found string (line 17)",
            "intent[0] \"unknown\" phrases[3]: expected a string, found integer (line 17)",
            "intent[0] \"unknown\": slot \"claim_nr\" is not defined under [slots] (line 18)",
            "intent[0] \"unknown\": slot \"id\" is listed twice (line 18)",
            "intent[0] \"unknown\" tags[0]: tag \"claim\" names no column, so every row would get the same tag; name one in braces, as in claim:{claim_number} (line 19)",
            "intent[0] \"unknown\" tags[1]: tag \"claim:{nr\" has a { without a closing } (line 19)",
            "intent[1] \"2nd\": has neither phrases nor examples, so it can never be detected; add some (line 21)",
            "intent[1].name: invalid name; it must start with an ASCII letter and contain only ASCII letters, digits and _ (line 22)",
        ],
    );
}

#[test]
fn refuses_what_two_intents_share() {
    let second = "[[intent]]\nname = 'a'\nkind = 'live_data'\nexamples = ['One', 'two', 'TWO?']";
    check(
        &intent(&format!("examples = ['one!']\n{second}")),
        &[
            "intent[1].name: intent \"a\" is defined twice, first on line 4 (line 9)",
            "intent[1] \"a\" examples[0]: \"One\" is already listed under intent \"a\", on line 7 (line 11)",
            "intent[1] \"a\" examples[2]: \"TWO?\" is already listed under intent \"a\", on line 11 (line 11)",
        ],
    );
    check(
        "[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['pay day', 'Pay-Day!']",
        &[
            "intent[0] \"a\" phrases[1]: phrase \"Pay-Day!\" is already listed in this intent (line 4)",
        ],
    );
}

#[test]
fn checks_what_queries_depend_on() {
    check(&intent("slots = ['nr']"), &[]);
    check(
        &intent("slots = ['nr']\nquery = [{ name = 'q', sql = ':nr :terms' }]"),
        &[],
    );
    check(
        &intent("slots = ['nr']\nquery = [{ name = 'q', sql = '1', postgres = ':nr::int' }]"),
        &[],
    );
    check(
        &intent(
            "query = [{ name = 'q', sql = '1', postgres = ':nr' }, { name = 'r', sql = '1', postgres = ' ' }]",
        ),
        &[
            "intent[0] \"a\" query[0].postgres: unknown parameter :nr; use a slot of this intent or one of :user_id, :user_role, :message, :terms, :doubtful, :today (line 7)",
            "intent[0] \"a\" query[1].postgres: is empty (line 7)",
        ],
    );
    check(
        &intent("slots = ['nr']\nquery = [{ name = 'q', sql = \"':nr' :no\" }]"),
        &[
            "intent[0] \"a\": slot \"nr\" is not used by any query; use it as :nr in a query, or remove it from `slots` (line 7)",
            "intent[0] \"a\" query[0].sql: unknown parameter :no; use a slot of this intent or one of :user_id, :user_role, :message, :terms, :doubtful, :today (line 8)",
        ],
    );
    check(
        &intent(
            "key = 'slots'\nquery = [{ name = 'q', sql = ':message' }, { name = 'q', sql = ':terms' }]",
        ),
        &[
            "intent[0] \"a\" query[0].sql: with key = \"slots\" the answer depends only on the slots, so its queries cannot use :message (line 8)",
            "intent[0] \"a\" query[1].sql: with key = \"slots\" the answer depends only on the slots, so its queries cannot use :terms (line 8)",
            "intent[0] \"a\" query[1].name: query \"q\" is defined twice (line 8)",
        ],
    );
    check(
        "[[intent]]\nname = 'a'\nkind = 'knowledge_base'\nphrases = ['a']\nquery = [{ name = 'q', sql = ':user_role :terms' }, {}]",
        &[
            "intent[0] \"a\" query[0].sql: answers of kind knowledge_base are shared by all users, so its queries cannot use :user_role (line 5)",
            "intent[0] \"a\" query[1]: `name` is missing (line 5)",
            "intent[0] \"a\" query[1]: `sql` is missing (line 5)",
        ],
    );
    check(
        "[[intent]]\nname = 'a'\nkind = 'knowledge_base'\nphrases = ['a']\nquery = [{ name = ' ', sql = '' }, { name = 'q', sql = ':user_id' }]",
        &[
            "intent[0] \"a\" query[0].name: is empty (line 5)",
            "intent[0] \"a\" query[0].sql: is empty (line 5)",
            "intent[0] \"a\" query[1].sql: answers of kind knowledge_base are shared by all users, so its queries cannot use :user_id (line 5)",
        ],
    );
}

#[test]
fn reads_rules_and_messages_out_of_scope() {
    let rest = "overrule = ['one', 'two words']\nveto = ['three']\nexamples = ['an example']";
    let toml = format!("out_of_scope = ['tell me a joke']\n{}", intent(rest));
    let catalogue = Catalogue::parse(&toml).unwrap();
    let found = catalogue.get("a").unwrap();
    assert_eq!(found.overrule, ["one", "two words"]);
    assert_eq!(found.veto, ["three"]);
    assert_eq!(catalogue.out_of_scope(), ["tell me a joke"]);
    let examples: Vec<_> = catalogue.training_examples().collect();
    assert_eq!(
        examples,
        [("an example", Some("a")), ("tell me a joke", None)]
    );

    check(
        &format!(
            "out_of_scope = ['An example!', 3, 'a joke', 'A joke']\n{}",
            intent("examples = ['an example']\nveto = ['?']\noverrule = 'x'")
        ),
        &[
            "out_of_scope[1]: expected a string, found integer (line 1)",
            "out_of_scope[0]: \"An example!\" is already listed under intent \"a\", on line 8 (line 1)",
            "out_of_scope[3]: \"A joke\" is already listed under `out_of_scope`, on line 1 (line 1)",
            "intent[0] \"a\" veto[0]: \"?\" contains no word (line 9)",
            "intent[0] \"a\" overrule: expected an array, found string (line 10)",
        ],
    );
}
