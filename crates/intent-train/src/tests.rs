use std::sync::Arc;

use intent_model::{
    Classifier, Detection, EncodeError, Evidence, LinearModel, ModelError, SentenceEncoder,
};

use super::*;

fn example(text: &str, intent: &str) -> Example {
    Example::new(text, intent)
}

/// Examples of intents, a table of `(intent, messages)`.
fn examples(table: &[(&str, &[&str])]) -> Vec<Example> {
    let texts = |(intent, texts): &(&str, &[&str])| {
        let intent = (*intent).to_owned();
        let all = texts.iter().map(move |text| example(text, &intent));
        all.collect::<Vec<_>>()
    };
    table.iter().flat_map(texts).collect()
}

/// Messages of a town library, in which every question is put in many ways.
fn library() -> Vec<Example> {
    let starts = [
        "",
        "hello, ",
        "please tell me ",
        "I would like to know ",
        "sorry, ",
    ];
    let questions = [
        ("hours", "when are you open"),
        ("hours", "what are the opening hours on sunday"),
        ("hours", "are you closed today"),
        ("card", "how do I get a library card"),
        ("card", "I have lost my card"),
        ("card", "is my card still valid"),
        ("loans", "when is my book due back"),
        ("loans", "which books have I borrowed"),
        ("loans", "can I renew the book that I borrowed"),
        ("events", "is there a reading this week"),
        ("events", "which events are there for children"),
        ("events", "who reads at the next event"),
    ];
    let phrase = |(intent, question): (&str, &str)| {
        let intent = intent.to_owned();
        let question = question.to_owned();
        starts.map(|start| example(&format!("{start}{question}"), &intent))
    };
    questions.into_iter().flat_map(phrase).collect()
}

fn trained(examples: &[Example]) -> LinearModel {
    train(examples, &TrainOptions::default(), &mut |_| {}).unwrap()
}

fn classifier(examples: &[Example]) -> Classifier {
    Classifier::new(trained(examples), None).unwrap()
}

#[track_caller]
fn check(classifier: &Classifier, message: &str, expect: &str) {
    let found = classifier.detect(message);
    let why = classifier.explain(message);
    assert_eq!(found.intent, expect, "of {message:?}: {found:?} {why:#?}");
}

#[test]
fn finds_intents_in_new_wordings() {
    let classifier = classifier(&library());
    check(&classifier, "Are you open on Sunday?", "hours");
    check(&classifier, "lost library card", "card");
    check(&classifier, "the book I borowed", "loans");
    check(&classifier, "READINGS FOR CHILDREN", "events");
}

#[test]
fn abstains_on_what_is_like_nothing_that_it_knows() {
    let classifier = classifier(&library());
    for message in ["", " ?!", "🙂", "zxqv wvvk", "vorrei bruschette"] {
        check(&classifier, message, "unknown");
        assert_eq!(classifier.detect(message), Detection::unknown());
    }
}

#[test]
fn examples_of_no_intent_teach_it_to_abstain() {
    let mut examples = library();
    let others = [
        "weather today",
        "rain on sunday",
        "weather this week",
        "will it rain",
    ];
    for start in ["", "hello, ", "please tell me ", "sorry, "] {
        examples.extend(others.map(|text| example(&format!("{start}{text}"), "oos")));
    }
    let classifier = classifier(&examples);
    assert_eq!(
        classifier.model().intents(),
        ["card", "events", "hours", "loans"]
    );
    check(&classifier, "please tell me the weather", "unknown");
    check(&classifier, "what are the opening hours", "hours");
    assert!(classifier.model().held_out().out_of_scope_recall > 0.5);
}

#[test]
fn works_in_scripts_without_spaces_and_beyond_latin() {
    let chinese = classifier(&examples(&[
        (
            "status",
            &[
                "我的理赔进度如何",
                "理赔现在到哪一步了",
                "请问我的理赔批准了吗",
                "查询理赔状态",
                "理赔进度怎么样",
            ],
        ),
        (
            "payment",
            &[
                "什么时候付款",
                "我的赔款到账了吗",
                "请问付款日期是哪天",
                "钱什么时候到账",
                "赔款还没有付",
            ],
        ),
    ]));
    check(&chinese, "理赔进度是什么", "status");
    check(&chinese, "赔款什么时候到账？", "payment");
    let amharic = classifier(&examples(&[
        (
            "status",
            &[
                "የካሳ ጥያቄዬ ሁኔታ ምንድን ነው",
                "ጥያቄዬ ተቀባይነት አግኝቷል",
                "የጥያቄዬ ሁኔታ",
                "ጥያቄዬ የት ደረሰ",
            ],
        ),
        (
            "payment",
            &["ክፍያዬ መቼ ይደርሳል", "ገንዘቤ የት ነው", "ክፍያው ተልኳል", "ክፍያ መቼ ነው"],
        ),
    ]));
    check(&amharic, "የካሳ ጥያቄ ሁኔታ", "status");
    check(&amharic, "ክፍያዬ የት ነው", "payment");
    let arabic = classifier(&examples(&[
        (
            "status",
            &[
                "ما هي حالة مطالبتي",
                "هل تمت الموافقة على مطالبتي",
                "أين وصلت المطالبة",
                "حالة المطالبة",
            ],
        ),
        (
            "payment",
            &[
                "متى سأستلم الدفعة",
                "أين أموالي",
                "هل أرسلتم الدفعة",
                "موعد الدفع",
            ],
        ),
    ]));
    check(&arabic, "حالة مطالبتي؟", "status");
    check(&arabic, "متى الدفع", "payment");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let examples = library();
    let bytes = trained(&examples).to_bytes();
    assert_eq!(trained(&examples).to_bytes(), bytes);
    let options = TrainOptions {
        seed: 2,
        ..TrainOptions::default()
    };
    let other = train(&examples, &options, &mut |_| {}).unwrap();
    assert_ne!(other.to_bytes(), bytes);
}

#[test]
fn the_budget_decides_how_much_it_abstains() {
    let messages = ["when", "is it", "my", "this week", "are there any", "books"];
    let abstained = |wrong_routes: f64| {
        let options = TrainOptions {
            wrong_routes,
            lost_answers: Some(1.0),
            ..TrainOptions::default()
        };
        let model = train(&library(), &options, &mut |_| {}).unwrap();
        assert!(model.held_out().wrong_routes <= wrong_routes);
        let classifier = Classifier::new(model, None).unwrap();
        let is_unknown = |message: &&&str| classifier.detect(message).intent == "unknown";
        messages.iter().filter(is_unknown).count()
    };
    assert_eq!(abstained(1.0), 0);
    assert!(abstained(0.0) > 1);
}

#[test]
fn explains_itself() {
    let classifier = classifier(&library());
    let found = classifier.explain("is my card lost?");
    let says = |intent: &str, feature: &str| {
        let is_it = |e: &&Evidence| e.intent == intent && e.feature == feature;
        found.iter().find(is_it).map(|evidence| evidence.weight)
    };
    assert!(says("card", "word \"card\"").unwrap() > 0.0, "{found:#?}");
    assert!(says("card", "bias").is_some());
    // What is shown for an intent adds up to its score.
    let runner_up = &found.iter().find(|e| e.intent != "card").unwrap().intent;
    for intent in ["card", runner_up] {
        let mut sum = 0.0;
        for evidence in found.iter().filter(|e| e.intent == intent) {
            if evidence.feature == "score" {
                assert!((sum - evidence.weight).abs() < 1e-3, "{found:#?}");
                break;
            }
            sum += evidence.weight;
        }
    }
    let last = found.last().unwrap();
    assert_eq!(last.intent, "card");
    assert!(last.feature.contains("reaches the threshold"), "{last:?}");
    let unknown = classifier.explain("zxqv wvvk");
    assert_eq!(unknown.last().unwrap().intent, "unknown");
    assert_eq!(classifier.explain("?"), []);
}

#[test]
fn says_how_far_training_is() {
    let mut seen = Vec::new();
    train(&library(), &TrainOptions::default(), &mut |p| seen.push(p)).unwrap();
    for stage in [Stage::Calibrate, Stage::Train] {
        let of: Vec<_> = seen.iter().filter(|p| p.stage == stage).collect();
        assert_eq!(of[0].done, 0);
        assert!(of.is_sorted_by_key(|p| p.done));
        assert_eq!(of[of.len() - 1].done, of[0].total);
    }
}

#[test]
fn says_why_it_cannot_train() {
    let fails = |examples: &[Example], options: TrainOptions| {
        train(examples, &options, &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    let default = TrainOptions::default;
    let two = "a model needs at least two, not counting `oos` and `unknown`";
    assert_eq!(
        fails(&[], default()),
        format!("too few intents in the examples (0); {two}")
    );
    let one = [
        example("a", "b"),
        example("c", "oos"),
        example("d", "unknown"),
    ];
    assert_eq!(
        fails(&one, default()),
        format!("too few intents in the examples (1); {two}")
    );
    let wordless = [example("?", "a"), example("!", "b")];
    assert_eq!(
        fails(&wordless, default()),
        "the examples contain no words to learn from"
    );
    let options = TrainOptions {
        wrong_routes: f64::NAN,
        ..default()
    };
    assert_eq!(
        fails(&library(), options),
        "wrong_routes is NaN; it must be from 0 to 1"
    );
    let options = TrainOptions {
        encoder: Some(Arc::new(Vowels { dimensions: 3 })),
        ..default()
    };
    assert_eq!(
        fails(&library(), options),
        "the sentence model returned a vector of 5 numbers instead of 3"
    );
}

/// One example an intent is enough to train, though nothing can be held out.
#[test]
fn trains_on_next_to_nothing() {
    let classifier = classifier(&[example("red", "a"), example("blue", "b")]);
    assert_eq!(classifier.best("blue").intent, "b");
}

/// A sentence model that counts vowels.
struct Vowels {
    dimensions: usize,
}

impl SentenceEncoder for Vowels {
    fn id(&self) -> &str {
        "vowels"
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn encode(&self, text: &str) -> Result<Vec<f32>, EncodeError> {
        if text.contains('#') {
            return Err(EncodeError::new("it knows no #"));
        }
        let count = |vowel| text.matches(vowel).count() as f32;
        Ok(["a", "e", "i", "o", "u"].map(count).to_vec())
    }
}

#[test]
fn a_sentence_vector_joins_the_ngrams() {
    let encoder = || Some(Arc::new(Vowels { dimensions: 5 }) as Arc<dyn SentenceEncoder>);
    let mut table = Vec::new();
    for i in 0..40 {
        // No two share an n-gram of two letters, so that the vector decides.
        let consonants = ["b", "c", "d", "f", "g", "h", "k", "l"];
        let (x, y) = (consonants[i % 8], consonants[i / 8]);
        table.push(example(&format!("{x}{y} aa{i}"), "with a"));
        table.push(example(&format!("{x}{y} uu{i}"), "with u"));
    }
    let options = TrainOptions {
        encoder: encoder(),
        ..TrainOptions::default()
    };
    let model = train(&table, &options, &mut |_| {}).unwrap();
    assert_eq!(model.encoder_id(), Some("vowels"));
    let missing = Classifier::new(model.clone(), None).unwrap_err();
    assert_eq!(missing, ModelError::EncoderMissing("vowels".to_owned()));
    let differs = Classifier::new(model.clone(), Some(Arc::new(Vowels { dimensions: 4 })));
    assert!(matches!(differs, Err(ModelError::EncoderDiffers { .. })));

    let classifier = Classifier::new(model, encoder()).unwrap();
    assert_eq!(classifier.best("mamama").intent, "with a");
    assert_eq!(classifier.best("mumumu").intent, "with u");
    assert_eq!(classifier.detect("#"), Detection::unknown());
    let vector = |evidence: &&Evidence| evidence.feature == "sentence vector";
    let explained = classifier.explain("mamama");
    let shares: Vec<_> = explained.iter().filter(vector).collect();
    assert_eq!([&shares[0].intent, &shares[1].intent], ["with a", "with u"]);
    assert!(shares[0].weight > shares[1].weight, "{shares:?}");
}

/// The work is bounded: only the start of a message is looked at.
#[test]
fn a_megabyte_costs_no_more_than_its_start() {
    let classifier = classifier(&library());
    let message = "when are you open ".repeat(60_000);
    check(&classifier, &message, "hours");
    for long in ["a", "ቤ", "\u{301}", "\u{fdfa}", "理"] {
        classifier.explain(&long.repeat(1_000_000 / long.len()));
    }
}
