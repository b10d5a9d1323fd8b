//! From examples to a model: checks the examples and encodes them.

use std::collections::BTreeMap;

use intent_model::{EncodeError, LinearModel};

use crate::corpus::Corpus;
use crate::trainer::Trainer;
use crate::{Example, Progress, Stage, TrainError, TrainOptions, background};

/// How many texts the sentence encoder gets at once.
const BATCH: usize = 64;

/// Trains a linear model on examples.
///
/// The features are word and character n-grams; each intent has a linear
/// support vector machine (Joachims 1998; Wang and Manning 2012 show how strong
/// such models are for short texts). With a sentence encoder, a network with
/// one hidden layer reads its vectors, and half of the logarithms of its
/// probabilities joins the scores.
///
/// Models trained on parts of the examples then predict the rest, from which the
/// confidence is calibrated and the threshold for abstaining is chosen: see
/// [`TrainOptions::wrong_routes`]. Examples [out of
/// scope](Example::is_out_of_scope) take part in both. Without any, each of those
/// models leaves out some intents, whose examples stand in for them. In both
/// cases synthetic messages are used too, whose distinctive words are replaced by
/// nonsense words. [`TrainOptions::background`] adds general messages out of
/// scope.
///
/// The same examples in the same order with the same options give the same
/// bytes, on any number of threads; all processors of the machine are used.
///
/// Costs time proportional to the intents times the n-grams of all examples, and
/// about 10 KB of memory per example.
///
/// # Errors
/// See [`TrainError`].
///
/// ```
/// use intent_model::Classifier;
/// use intent_train::{Example, TrainOptions, train};
///
/// let mut examples = Vec::new();
/// for place in ["in the town", "at the lake", "today", "on sunday", "now"] {
///     examples.push(Example::new(format!("are you open {place}"), "opening_hours"));
///     examples.push(Example::new(format!("how do I get a library card {place}"), "card"));
/// }
/// let model = train(&examples, &TrainOptions::default(), &mut |_| {})?;
/// let classifier = Classifier::new(model, None)?;
/// assert_eq!(classifier.detect("when are you open").intent, "opening_hours");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn train(
    examples: &[Example],
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<LinearModel, TrainError> {
    options.check()?;
    let has_own_out_of_scope = examples.iter().any(Example::is_out_of_scope);
    let mut with_background = examples.to_vec();
    if options.background {
        with_background.extend(background::messages_unlike(examples));
    }
    let examples = with_background.as_slice();
    let in_scope = examples.iter().filter(|e| !e.is_out_of_scope());
    let mut column_of: BTreeMap<&str, u32> = in_scope.map(|e| (e.intent.as_str(), 0)).collect();
    for (column, place) in column_of.values_mut().zip(0..) {
        *column = place;
    }
    let intents: Vec<String> = column_of.keys().map(|name| (*name).to_owned()).collect();
    match intents.len() {
        few @ ..2 => return Err(TrainError::TooFewIntents(few)),
        many if many > LinearModel::MAX_INTENTS => return Err(TrainError::TooManyIntents(many)),
        _ => {}
    }
    let longest = intents.iter().map(String::len).max().unwrap_or(0);
    if longest > LinearModel::MAX_NAME {
        return Err(TrainError::NameTooLong(longest));
    }
    let label = |example: &Example| column_of.get(example.intent.as_str()).copied();
    let labels = examples
        .iter()
        .map(|example| label(example).unwrap_or(intents.len() as u32));
    let trainer = Trainer {
        corpus: Corpus::new(examples),
        vectors: encode(examples, options, progress)?,
        labels: labels.collect(),
        has_out_of_scope: examples.iter().any(Example::is_out_of_scope),
        examples,
        intents,
        has_own_out_of_scope,
        options,
    };
    trainer.train(progress)
}

/// The sentence vectors of all examples; empty without a sentence encoder.
fn encode(
    examples: &[Example],
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Vec<f32>>, TrainError> {
    let Some(encoder) = &options.encoder else {
        return Ok(Vec::new());
    };
    if encoder.id().len() > LinearModel::MAX_NAME {
        return Err(TrainError::NameTooLong(encoder.id().len()));
    }
    let mut vectors = Vec::with_capacity(examples.len());
    let mut report = |done| progress(Progress::new(Stage::Encode, done, examples.len()));
    for batch in examples.chunks(BATCH) {
        report(vectors.len());
        let texts: Vec<&str> = batch.iter().map(|example| example.text.as_str()).collect();
        let encoded = encoder.encode_all(&texts)?;
        if let Some(wrong) = encoded.iter().find(|v| v.len() != encoder.dimensions()) {
            return Err(TrainError::Dimensions {
                expected: encoder.dimensions(),
                found: wrong.len(),
            });
        }
        if encoded.len() != texts.len() {
            return Err(EncodeError::new("it returned the wrong number of vectors").into());
        }
        vectors.extend(encoded);
    }
    report(examples.len());
    Ok(vectors)
}
