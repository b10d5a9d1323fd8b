use intent_train::{Example, TrainOptions, train};

use super::*;

fn built_in() -> CombinedDetector {
    CombinedDetector::new(Catalogue::built_in(), LinearDetector::built_in())
}

/// A library whose model knows two intents and whose catalogue adds rules.
fn library(rules: &str) -> CombinedDetector {
    let starts = ["", "hello, ", "please tell me ", "sorry, ", "I ask you "];
    let questions = [
        ("hours", "when are you open"),
        ("hours", "what are the opening hours on sunday"),
        ("hours", "are you closed today"),
        ("card", "how do I get a library card"),
        ("card", "I have lost my card"),
        ("card", "is my card still valid"),
    ];
    let examples: Vec<Example> = questions
        .iter()
        .flat_map(|(intent, question)| {
            starts.map(|start| Example::new(format!("{start}{question}"), *intent))
        })
        .collect();
    let options = TrainOptions {
        lost_answers: Some(0.0),
        ..TrainOptions::default()
    };
    let model = train(&examples, &options, &mut |_| {}).unwrap();
    let toml = format!(
        "[[intent]]\nname = 'hours'\nkind = 'knowledge_base'\nexamples = ['open?']\n{rules}\n\
         [[intent]]\nname = 'card'\nkind = 'live_data'\nexamples = ['card?']\n\
         overrule = ['Lost Card']\nveto = ['playing card', 'post-card']\n\
         [[intent]]\nname = 'events'\nkind = 'knowledge_base'\nphrases = [{{ text = 'readings', weight = 4 }}, 'lost card']\n\
         overrule = ['a lost card is', 'lost card']\n"
    );
    let model = LinearDetector::new(model, None).unwrap();
    CombinedDetector::new(&Catalogue::parse(&toml).unwrap(), model)
}

#[track_caller]
fn check(detector: &CombinedDetector, message: &str, expect: &str) -> f64 {
    let found = detector.detect(message);
    let why = detector.explain(message);
    assert_eq!(found.intent, expect, "of {message:?}: {found:?} {why:#?}");
    found.confidence
}

#[test]
fn an_overruling_phrase_decides() {
    let detector = library("overrule = ['reading room']");
    assert_eq!(check(&detector, "is the Reading-Room open?", "hours"), 1.0);
    assert_eq!(check(&detector, "the reading room, my card", "hours"), 1.0);
    // Only as whole words.
    assert!(detector.detect("the reading roommate").confidence < 1.0);
    // Of equally long ones that of the first intent, else the longest.
    check(&detector, "my lost card", "card");
    check(&detector, "what a lost card is", "events");
    let explained = detector.explain("the reading room");
    assert_eq!(explained.len(), 1);
    assert_eq!(explained[0].feature, "overruling phrase \"reading room\"");
}

#[test]
fn a_vetoing_phrase_leaves_the_next_best_or_none() {
    let detector = library("");
    check(&detector, "I have lost my card", "card");
    check(&detector, "I have lost my playing card", "unknown");
    check(&detector, "is my post card still valid", "unknown");
    let explained = detector.explain("I have lost my playing card");
    assert_eq!(explained[0].intent, "card");
    assert_eq!(explained[0].feature, "vetoing phrase \"playing card\"");
    assert_eq!(explained[0].weight, -1.0);
    // The next best is named where it is sure enough.
    let both = library("veto = ['open']");
    assert_ne!(both.detect("when are you open").intent, "hours");
}

#[test]
fn phrases_decide_where_the_model_abstains() {
    let detector = library("");
    check(&detector, "readings", "events");
    // Among unknown words a phrase is not enough.
    check(&detector, "readings zxqv wvvk", "unknown");
    let explained = detector.explain("readings");
    let last = explained.last().unwrap();
    assert_eq!(last.feature, "phrase \"readings\"");
    // What is vetoed stays vetoed.
    check(&detector, "zxqv wvvk", "unknown");
}

#[test]
fn intents_that_the_catalogue_has_not_are_never_named() {
    let catalogue =
        Catalogue::parse("[[intent]]\nname = 'card'\nkind = 'live_data'\nexamples = ['card?']\n");
    let model = library("").model.model().clone();
    let model = LinearDetector::new(model, None).unwrap();
    let detector = CombinedDetector::new(&catalogue.unwrap(), model);
    check(&detector, "I have lost my card", "card");
    assert_ne!(detector.detect("when are you open").intent, "hours");
}

#[test]
fn a_greeting_gives_way_to_the_question_behind_it() {
    let detector = built_in();
    for message in [
        "Hello, what is my claim status?",
        "hi, what is my claim status",
        "Good morning! Has my claim been approved?",
        "what is my claim status, thank you and goodbye",
    ] {
        check(&detector, message, "claim_status");
    }
    check(&detector, "hello there", "greeting");
    check(&detector, "Hi! Hope you are fine.", "greeting");
    check(&detector, "Hi, when will I be paid?", "payment_status");
    check(&detector, "good bye", "goodbye");
}

#[test]
fn nothing_is_unknown_with_no_confidence_at_all() {
    let detector = built_in();
    for message in ["", " ", "\t\r\n", "?!…", "🙂", "what is this"] {
        assert_eq!(
            detector.detect(message),
            Detection::unknown(),
            "of {message:?}"
        );
    }
}

/// Whatever the message, the rules and the model look at its start alone, and
/// the phrases cost a pass over it.
#[test]
fn a_megabyte_is_answered() {
    let detector = built_in();
    for part in ["my claim status ", "hello ", "a", "ቤ", "' "] {
        detector.explain(&part.repeat(1_000_000 / part.len()));
    }
}

#[test]
fn phrases_are_expected_only_where_nearly_all_examples_hold_one() {
    let all = built_in().intents;
    assert!(all.iter().any(|intent| intent.expects_phrases));

    let intent = |name: &str, phrases: &str| {
        let examples = (0..10).map(|i| format!("\"{name} number {i}\","));
        format!(
            "[[intent]]\nname = \"{name}\"\nkind = \"knowledge_base\"\nphrases = [{phrases}]\nexamples = [{}]\n",
            examples.collect::<String>()
        )
    };
    let text = [
        intent("all", "\"all\""),
        intent(
            "nine",
            &(0..9)
                .map(|i| format!("\"number {i}\","))
                .collect::<String>(),
        ),
        intent(
            "eight",
            &(0..8)
                .map(|i| format!("\"number {i}\","))
                .collect::<String>(),
        ),
        intent("none", ""),
    ];
    let catalogue = Catalogue::parse(&text.concat()).unwrap();
    let examples: Vec<Example> = catalogue.training_examples().map(Example::from).collect();
    let model = train(&examples, &TrainOptions::default(), &mut |_| {});
    let model = LinearDetector::new(model.unwrap(), None).unwrap();
    let expected: Vec<_> = CombinedDetector::new(&catalogue, model)
        .intents
        .into_iter()
        .map(|intent| intent.expects_phrases)
        .collect();
    assert_eq!(expected, [true, true, false, false]);
}
