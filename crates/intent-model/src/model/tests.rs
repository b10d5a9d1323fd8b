use super::*;
use crate::testing::{head, letters, model, parts};
use crate::{Classifier, Detection, ModelError};

/// New n-grams in a message take their share of its length.
#[test]
fn what_was_never_seen_leaves_less_for_the_rest() {
    let model = model(None);
    let length = |message: &str| {
        let values = model.input(message, None).values;
        values.iter().map(|(_, value)| value * value).sum::<f32>()
    };
    assert!((length("when are you open") - 2.0).abs() < 1e-5);
    assert!(length("when are you open zxqv wvvk") < 1.6);
    assert_eq!(length("ካሳ"), 0.0);
}

#[test]
fn words_out_of_scope_alone_are_unseen() {
    let model = model(None);
    let share = |message: &str| model.unseen_share(message, |word| word == "known");
    assert_eq!(share("will my card rain"), 0.5);
    assert_eq!(share("my known card zxqv"), 0.25);
    assert_eq!(share(""), 0.0);
    let input = model.input("will my card zxqv", None);
    assert_eq!((input.words, input.unseen_words), (4, 2));
}

#[test]
fn names_the_best_intent_or_abstains() {
    let classifier = Classifier::new(model(None), None).unwrap();
    let found = classifier.detect("Where is my CARD?");
    assert_eq!(found.intent, "card");
    assert!(found.confidence >= classifier.model().threshold());
    assert_eq!(classifier.detect("when are you open").intent, "hours");
    for message in ["", " ?!", "zxqv wvvk", "will it rain"] {
        assert_eq!(
            classifier.detect(message),
            Detection::unknown(),
            "{message:?}"
        );
    }
    // The best is known even where it is not good enough.
    let best = classifier.best("a card, zxqv wvvk zvxw qqvw");
    assert_eq!(best.intent, "card");
    assert!(best.confidence < classifier.model().threshold());
    assert_eq!(classifier.best("?!"), Detection::unknown());
    // Among those that may be.
    let message = "when are you open, I lost my card";
    let among = |name: &'static str| classifier.detect_among(message, move |may| may == name);
    assert!(among("none").is_none());
    for name in ["card", "hours"] {
        assert!(among(name).is_none_or(|found| found.intent == name));
    }
}

#[test]
fn what_is_shown_for_an_intent_adds_up_to_its_score() {
    let classifier = Classifier::new(model(Some(head())), letters()).unwrap();
    let found = classifier.explain("where is my card");
    for intent in ["card", "hours"] {
        let of_intent = found.iter().filter(|evidence| evidence.intent == intent);
        let mut sum = 0.0;
        let mut parts = of_intent.take_while(|evidence| {
            sum += evidence.weight;
            evidence.feature != "score"
        });
        assert!(parts.any(|evidence| evidence.feature == "sentence vector"));
        parts.for_each(drop);
        let score = found
            .iter()
            .find(|evidence| evidence.intent == intent && evidence.feature == "score");
        let score = score.unwrap().weight;
        assert!((sum - 2.0 * score).abs() < 1e-3, "{found:#?}");
    }
    assert!(found.last().unwrap().feature.contains("the threshold"));
    assert_eq!(classifier.explain("?"), []);
}

#[test]
fn the_encoder_is_the_one_that_the_model_was_trained_with() {
    let missing = Classifier::new(model(Some(head())), None).unwrap_err();
    assert_eq!(missing, ModelError::EncoderMissing("letters".to_owned()));
    let mut other = head();
    other.0.id = "vowels".to_owned();
    let differs = Classifier::new(model(Some(other)), letters());
    assert!(matches!(differs, Err(ModelError::EncoderDiffers { .. })));
    let classifier = Classifier::new(model(Some(head())), letters()).unwrap();
    assert_eq!(classifier.best("foo foo foo oo").intent, "card");
    assert_eq!(classifier.best("baa baa baa aa").intent, "hours");
    // A message that cannot be encoded is unknown.
    assert_eq!(classifier.best("where is my card #1"), Detection::unknown());
}

#[test]
#[should_panic(expected = "sorted by name")]
fn intents_out_of_order_make_no_model() {
    let mut parts = parts(None);
    parts.intents.reverse();
    LinearModel::new(parts);
}

#[test]
#[should_panic(expected = "each n-gram must have a weight")]
fn a_missing_weight_makes_no_model() {
    let mut parts = parts(None);
    parts.weights[1].pop();
    LinearModel::new(parts);
}

#[test]
#[should_panic(expected = "the network must map sentence vectors to columns")]
fn a_network_of_other_vectors_makes_no_model() {
    let (mut spec, head) = head();
    spec.dimensions = 3;
    LinearModel::new(parts(Some((spec, head))));
}
