use proptest::prelude::*;

use super::*;

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
        // Slots stand for the message wherever no query asks for its words.
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
            "slots.nr.kind: unknown kind \"patern\"; known are amount, date, enum, pattern, period, range (line 3)",
            "slots.message: every query has a parameter of this name already (line 4)",
            "slots.id.pattern: pattern \"ID\" has neither # nor @, so it would find one value only (line 8)",
            "slots.id: unknown key `patern`; known are kind, pattern (line 9)",
            "intent[0].name: the name `unknown` is reserved for messages that no intent was found for (line 12)",
            "intent[0] \"unknown\" kind: unknown kind \"cloud\"; known are live_data, knowledge_base (line 13)",
            "intent[0] \"unknown\" class: is empty (line 14)",
            "intent[0] \"unknown\" key: unknown key mode \"slot\"; known are message, normalised, slots (line 15)",
            "intent[0] \"unknown\": unknown key `colour`; known are class, examples, key, kind, name, neutral, overrule, phrases, query, slots, tags, veto, yields (line 16)",
            "intent[0] \"unknown\" phrases[0]: phrase \"?!\" has no word (line 17)",
            "intent[0] \"unknown\" phrases[1].weight: weight -1 is not a finite number above 0 (line 17)",
            "intent[0] \"unknown\" phrases[2]: `text` is missing (line 17)",
            "intent[0] \"unknown\" phrases[2]: unknown key `wait`; known are text, weight (line 17)",
            "intent[0] \"unknown\" phrases[2].weight: expected a number, found string (line 17)",
            "intent[0] \"unknown\" phrases[3]: expected a text, found integer (line 17)",
            "intent[0] \"unknown\": slot \"claim_nr\" is not defined under [slots] (line 18)",
            "intent[0] \"unknown\": slot \"id\" is listed twice (line 18)",
            "intent[0] \"unknown\" tags[0]: tag \"claim\" names no column, so every row would get the same tag; write such as claim:{claim_number} (line 19)",
            "intent[0] \"unknown\" tags[1]: tag \"claim:{nr\" has a { without a } after it (line 19)",
            "intent[1] \"2nd\": has neither phrases nor examples, so it could never be recognised (line 21)",
            "intent[1].name: a name is a letter, then letters, digits and _ (line 22)",
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
            "intent[1] \"a\" examples[0]: example \"One\" stands under intent \"a\" already, on line 7 (line 11)",
            "intent[1] \"a\" examples[2]: example \"TWO?\" stands under intent \"a\" already, on line 11 (line 11)",
        ],
    );
    check(
        "[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['pay day', 'Pay-Day!']",
        &["intent[0] \"a\" phrases[1]: phrase \"Pay-Day!\" stands in this intent already (line 4)"],
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
        &intent("slots = ['nr']\nquery = [{ name = 'q', sql = \"':nr' :no\" }]"),
        &[
            "intent[0] \"a\": slot \"nr\" is used by no query; write :nr in one (line 7)",
            "intent[0] \"a\" query[0].sql: parameter :no is no slot of this intent, nor one of :user_id, :user_role, :message, :terms, :doubtful, :today (line 8)",
        ],
    );
    check(
        &intent(
            "key = 'slots'\nquery = [{ name = 'q', sql = ':message' }, { name = 'q', sql = ':terms' }]",
        ),
        &[
            "intent[0] \"a\" query[0].sql: with key = \"slots\" the answer depends on the slots alone, so its queries cannot use :message (line 8)",
            "intent[0] \"a\" query[1].sql: with key = \"slots\" the answer depends on the slots alone, so its queries cannot use :terms (line 8)",
            "intent[0] \"a\" query[1].name: query \"q\" is defined twice (line 8)",
        ],
    );
    check(
        "[[intent]]\nname = 'a'\nkind = 'knowledge_base'\nphrases = ['a']\nquery = [{ name = 'q', sql = ':user_role :terms' }, {}]",
        &[
            "intent[0] \"a\" query[0].sql: answers of the knowledge base are shared by everybody, so its queries cannot use :user_role (line 5)",
            "intent[0] \"a\" query[1]: `name` is missing (line 5)",
            "intent[0] \"a\" query[1]: `sql` is missing (line 5)",
        ],
    );
    check(
        "[[intent]]\nname = 'a'\nkind = 'knowledge_base'\nphrases = ['a']\nquery = [{ name = ' ', sql = '' }, { name = 'q', sql = ':user_id' }]",
        &[
            "intent[0] \"a\" query[0].name: is empty (line 5)",
            "intent[0] \"a\" query[0].sql: is empty (line 5)",
            "intent[0] \"a\" query[1].sql: answers of the knowledge base are shared by everybody, so its queries cannot use :user_id (line 5)",
        ],
    );
}

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
    assert_eq!(guards.neutral, Guards::english().neutral);
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
            "slots.c.values.x: has no words, so it could never be found (line 4)",
            "slots.c.values.y: expected an array, found string (line 4)",
        ],
    );
    told(
        "[slots.a]\nkind = 'enum'\nvalues = { 'x,y' = ['One more', '?'], z = ['one-more'] }",
        &[
            "slots.a.values.x,y: a value is letters from A to Z, digits, _ - and . (line 3)",
            "slots.a.values.x,y[1]: \"?\" has no word (line 3)",
            "slots.a.values.z[0]: \"one-more\" stands for \"x,y\" already (line 3)",
        ],
    );
    told(
        "[slots.a]\nkind = 'amount'\ncurrencies = { euro = ['€'], GBP = [' '] }\ndecimal = ';'",
        &[
            "slots.a.currencies.GBP[0]: \" \" has no word (line 3)",
            "slots.a.currencies.euro: a currency is named by three capital letters, as ISO 4217 does (line 3)",
            "slots.a.decimal: \";\" is neither \".\" nor \",\" (line 4)",
        ],
    );
    told(
        "[guards]\nconfidence = 1.1\nnegations = ['no', '!']\nneutral = 'please'\nwords = []",
        &[
            "guards.confidence: 1.1 is not from 0 to 1 (line 2)",
            "guards.negations[1]: \"!\" has no word (line 3)",
            "guards.neutral: expected an array, found string (line 4)",
            "guards: unknown key `words`; known are amounts, articles, comparisons, confidence, conjunctions, directions, negations, neutral, numbers, opposites, times (line 5)",
        ],
    );
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
            "out_of_scope = ['An example!', 3]\n{}",
            intent("examples = ['an example']\nveto = ['?']\noverrule = 'x'")
        ),
        &[
            "out_of_scope[1]: expected a text, found integer (line 1)",
            "out_of_scope[0]: example \"An example!\" stands under intent \"a\" already, on line 8 (line 1)",
            "intent[0] \"a\" veto[0]: \"?\" has no word (line 9)",
            "intent[0] \"a\" overrule: expected an array, found string (line 10)",
        ],
    );
}

#[test]
fn refuses_wrong_shapes() {
    check("", &["the catalogue has no [[intent]] (line 1)"]);
    check(
        "intents = []\nintent = 3\nslots = []",
        &[
            "the catalogue has no [[intent]] (line 1)",
            "unknown key `intents`; known are guards, intent, out_of_scope, references, slots, tables (line 1)",
            "intent: expected an array, found integer (line 2)",
            "slots: expected a table, found array (line 3)",
        ],
    );
    check(
        "intent = [1, { name = '', kind = 2, yields = 'no', phrases = [''], examples = ['?', 1] }]",
        &[
            "intent[0]: expected a table, found integer (line 1)",
            "intent[1].name: is empty (line 1)",
            "intent[1].kind: expected a text, found integer (line 1)",
            "intent[1].yields: expected true or false, found string (line 1)",
            "intent[1].phrases[0]: phrase \"\" has no word (line 1)",
            "intent[1].examples[1]: expected a text, found integer (line 1)",
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
    assert!(error.to_string().contains("this is no TOML"));
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
        let whole = include_str!("../catalogue.toml");
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

/// A catalogue with these tables, the first on line 1.
fn tables(tables: &str) -> String {
    format!("{tables}\n[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['a']")
}

#[test]
fn reads_the_tables_of_records() {
    let catalogue = Catalogue::parse(&tables(
        "tables.Loans = { record = 'loan', member = ['member', 'payer'] }\n\
         tables.notes = { record = 'note', within = { column = 'loan', table = 'LOANS' } }\n\
         tables.people = { record = 'person', member = ['id'], by_member = true }\n\
         tables.shelves = { record = 'shelf' }",
    ))
    .unwrap();
    let found = catalogue.tables();
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["loans", "notes", "people", "shelves"]
    );
    let member = |columns: &[&str]| Tie::Member(columns.iter().map(|c| (*c).to_owned()).collect());
    assert_eq!(found["loans"].tie, member(&["member", "payer"]));
    assert!(matches!(&found["notes"].tie, Tie::Within { table, .. } if table == "loans"));
    assert_eq!(found["shelves"].tie, Tie::None);
    assert!(found["people"].by_member && !found["loans"].by_member);
}

#[test]
fn checks_the_tables_of_records() {
    let cases: &[(&str, &[&str])] = &[
        (
            "tables = 1",
            &["tables: expected a table, found integer (line 1)"],
        ),
        (
            "tables.loans = 1",
            &["tables.loans: expected a table, found integer (line 1)"],
        ),
        (
            "tables.loans = {}",
            &["tables.loans: `record` is missing (line 1)"],
        ),
        (
            "tables.loans = { record = '' }",
            &["tables.loans.record: is empty (line 1)"],
        ),
        (
            "tables.loans = { record = 'a b' }",
            &["tables.loans.record: a name is a letter, then letters, digits and _ (line 1)"],
        ),
        (
            "tables.'a b' = { record = 'a' }",
            &["tables.a b: a name is a letter, then letters, digits and _ (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', rows = 1 }",
            &[
                "tables.loans: unknown key `rows`; known are by_member, member, record, within (line 1)",
            ],
        ),
        (
            "tables.loans = { record = 'a', member = 'id' }",
            &["tables.loans.member: expected an array, found string (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', member = ['a-b'] }",
            &["tables.loans.member[0]: a name is a letter, then letters, digits and _ (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', by_member = true }",
            &[
                "tables.loans: `by_member` needs `member` with the one column that names the record (line 1)",
            ],
        ),
        (
            "tables.loans = { record = 'a', by_member = true, member = ['a', 'b'] }",
            &[
                "tables.loans: `by_member` needs `member` with the one column that names the record (line 1)",
            ],
        ),
        (
            "tables.loans = { record = 'a', within = 'b' }",
            &["tables.loans.within: expected a table, found string (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', within = { column = 'b' } }",
            &["tables.loans.within: `table` is missing (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', within = { column = 'b', table = 'c' } }",
            &[
                "tables.loans: `within` names the table `c`, which is not declared under [tables] (line 1)",
            ],
        ),
        (
            "tables.loans = { record = 'a', within = { column = 'b', table = 'loans' } }",
            &[
                "tables.loans: `within` leads from `loans` back to it; one table of them must have `member` (line 1)",
            ],
        ),
        (
            "tables.a = { record = 'a', within = { column = 'x', table = 'b' } }\n\
             tables.b = { record = 'b', within = { column = 'x', table = 'a' } }",
            &[
                "tables.a: `within` leads from `a` back to it; one table of them must have `member` (line 1)",
                "tables.b: `within` leads from `b` back to it; one table of them must have `member` (line 2)",
            ],
        ),
        (
            "tables.a = { record = 'a', within = { column = 'x', table = 'b' } }\n\
             tables.b = { record = 'b' }",
            &[
                "tables.a: `within` leads to `b`, which has no `member`; leave it out to read the whole table (line 1)",
            ],
        ),
        (
            "tables.a = { record = 'a', member = ['x'], within = { column = 'x', table = 'b' } }\n\
             tables.b = { record = 'b', member = ['x'] }",
            &[
                "tables.a: give `member` or `within`: a row is tied to its member in one way (line 1)",
            ],
        ),
        (
            "tables.a = { record = 'a', member = ['x'], by_member = true }\n\
             tables.b = { record = 'a', member = ['x'] }",
            &[
                "tables.a: `by_member` must be the same for all tables of the records `a`; `b` differs (line 1)",
                "tables.b: `by_member` must be the same for all tables of the records `a`; `a` differs (line 2)",
            ],
        ),
        (
            "tables.a = { record = 'a' }\ntables.A = { record = 'b' }",
            &["tables.a: is declared twice, in another case (line 1)"],
        ),
    ];
    for (given, expect) in cases {
        check(&tables(given), expect);
    }
}
