//! From examples to a model.

mod background;
mod calibrate;
mod corpus;
mod options;
mod stranger;

use thiserror::Error;

use super::gate::{Gate, Signals, signals};
use super::head::{Examples, Head, heads};
use super::model::{EncoderSpec, LinearModel, Vocabulary, columns_of, quantise, top_two};
use super::report::HeldOut;
use super::solver::{Matrix, Random, machines};
use crate::detect::{EncodeError, Example};
use calibrate::{Judged, Origin, calibrate};
use corpus::Corpus;
pub use options::TrainOptions;
use stranger::Strangers;

/// What [`train`] is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Asking the sentence model for the examples' vectors.
    Encode,
    /// Training the network that reads the vectors.
    Network,
    /// Training on parts of the examples, to calibrate on the rest.
    Calibrate,
    /// Training on all examples.
    Train,
}

/// How far [`train`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// How much of that is done; each phase starts at 0 and ends with `total`.
    pub done: usize,
    /// How much there is to do; above 0.
    pub total: usize,
}

/// Why no model could be trained.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// There are not two intents to choose from.
    #[error(
        "the examples name {0} intents; a model needs at least two, beside `oos` and `unknown`"
    )]
    TooFewIntents(usize),
    /// There are more intents than a model can have.
    #[error("the examples name {0} intents; a model can have {MAX_INTENTS}")]
    TooManyIntents(usize),
    /// An intent has a name that no file can hold.
    #[error("the name of an intent has {0} bytes; {MAX_NAME} are allowed")]
    NameTooLong(usize),
    /// No n-gram occurs in enough examples to learn anything from it.
    #[error("the examples hold no words to learn from")]
    NoWords,
    /// An option is not in its range.
    #[error("{option} is {value}; it has to be from {least} to {most}")]
    Option {
        /// The name of the option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// The least value allowed.
        least: f64,
        /// The largest value allowed.
        most: f64,
    },
    /// The sentence model failed.
    #[error("{0}")]
    Encode(#[from] EncodeError),
    /// The sentence model gave a vector of another size than it says.
    #[error("the sentence model gave a vector of {found} numbers instead of {expected}")]
    Dimensions {
        /// How many numbers it says that a vector has.
        expected: usize,
        /// How many it gave.
        found: usize,
    },
}

/// The most intents of a model.
pub(super) const MAX_INTENTS: usize = 4_096;

/// The most bytes of an intent's name or a sentence model's id.
pub(super) const MAX_NAME: usize = 1_000;

/// How many texts the sentence model is given at once.
const BATCH: usize = 64;

/// Trains a linear model on examples.
///
/// The features are word and character n-grams; each intent has a linear
/// support vector machine
/// (Joachims 1998; Wang and Manning 2012 show how strong such models are for
/// short texts). Where there is a sentence model, a network with one hidden
/// layer reads its vectors, and half of the logarithms of its probabilities
/// joins the scores. Models that are trained on a part of the examples each then
/// show, on the rest, how to make a probability of the scores, and below which
/// confidence to abstain: see [`TrainOptions::wrong_routes`]. Examples that are
/// [out of scope](Example::is_out_of_scope) take part in both. Without any,
/// each of those models leaves out some intents, whose examples stand in; and
/// with or without, so do messages whose telling words were replaced by ones
/// that nobody uses. [`TrainOptions::background`] adds general messages out of
/// scope.
///
/// The same examples in the same order with the same options give the same
/// bytes, on any number of threads; it uses as many as the machine has.
///
/// Costs time proportional to the intents times the n-grams of all examples,
/// and about 10 KB of memory an example.
///
/// # Errors
/// See [`TrainError`].
///
/// ```
/// use intent_router::{Detector, Example, LinearDetector, TrainOptions, train};
///
/// let example = |text: &str, intent: &str| Example {
///     text: text.to_owned(),
///     intent: intent.to_owned(),
/// };
/// let mut examples = Vec::new();
/// for place in ["in the town", "at the lake", "today", "on sunday", "now"] {
///     examples.push(example(&format!("are you open {place}"), "opening_hours"));
///     examples.push(example(&format!("how do I get a library card {place}"), "card"));
/// }
/// let model = train(&examples, &TrainOptions::default(), &mut |_| {})?;
/// let detector = LinearDetector::new(model, None)?;
/// assert_eq!(detector.detect("when are you open").intent, "opening_hours");
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
        with_background.extend(background::away_from(examples));
    }
    let examples = with_background.as_slice();
    let in_scope = examples.iter().filter(|e| !e.is_out_of_scope());
    let (intents, column_of) = columns_of(in_scope.map(|e| e.intent.as_str()));
    match intents.len() {
        few @ ..2 => return Err(TrainError::TooFewIntents(few)),
        many if many > MAX_INTENTS => return Err(TrainError::TooManyIntents(many)),
        _ => {}
    }
    let longest = intents.iter().map(String::len).max().unwrap_or(0);
    if longest > MAX_NAME {
        return Err(TrainError::NameTooLong(longest));
    }
    let has_out_of_scope = examples.iter().any(Example::is_out_of_scope);
    let label = |example: &Example| column_of.get(example.intent.as_str());
    let labels: Vec<u32> = examples
        .iter()
        .map(|example| label(example).map_or(intents.len(), |column| *column) as u32)
        .collect();
    let trainer = Trainer {
        corpus: Corpus::new(examples),
        vectors: vectors(examples, options, progress)?,
        examples,
        labels,
        intents,
        has_out_of_scope,
        has_own_out_of_scope,
        options,
    };
    trainer.train(progress)
}

/// The vectors of all examples; empty without a sentence model.
fn vectors(
    examples: &[Example],
    options: &TrainOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Vec<f32>>, TrainError> {
    let Some(encoder) = &options.encoder else {
        return Ok(Vec::new());
    };
    if encoder.id().len() > MAX_NAME {
        return Err(TrainError::NameTooLong(encoder.id().len()));
    }
    let mut vectors = Vec::with_capacity(examples.len());
    for batch in examples.chunks(BATCH) {
        progress(Progress {
            phase: Phase::Encode,
            done: vectors.len(),
            total: examples.len(),
        });
        let texts: Vec<&str> = batch.iter().map(|example| example.text.as_str()).collect();
        let found = encoder.encode_all(&texts)?;
        if let Some(wrong) = found.iter().find(|v| v.len() != encoder.dimensions()) {
            return Err(TrainError::Dimensions {
                expected: encoder.dimensions(),
                found: wrong.len(),
            });
        }
        if found.len() != texts.len() {
            return Err(EncodeError::new("it gave too few vectors, or too many").into());
        }
        vectors.extend(found);
    }
    progress(Progress {
        phase: Phase::Encode,
        done: examples.len(),
        total: examples.len(),
    });
    Ok(vectors)
}

/// The examples that a model is trained on, and the others.
struct Split {
    seen: Vec<usize>,
    rest: Vec<usize>,
}

struct Trainer<'a> {
    examples: &'a [Example],
    corpus: Corpus,
    /// The sentence vectors, one an example, or none at all.
    vectors: Vec<Vec<f32>>,
    /// The column of each example; that after the intents when out of scope.
    labels: Vec<u32>,
    intents: Vec<String>,
    /// Whether there are examples out of scope, the background included.
    has_out_of_scope: bool,
    /// Whether there are any without the background.
    has_own_out_of_scope: bool,
    options: &'a TrainOptions,
}

impl Trainer<'_> {
    fn train(&self, progress: &mut dyn FnMut(Progress)) -> Result<LinearModel, TrainError> {
        let all: Vec<usize> = (0..self.examples.len()).collect();
        if self.vocabulary(&all).is_empty() && self.vectors.is_empty() {
            return Err(TrainError::NoWords);
        }
        let folds = self.splits();
        let (head, heads) = self.heads(&all, &folds, progress);
        let judged = self.held_out(folds, heads, progress);
        let (gate, held_out) = calibrate(&judged, self.options, self.has_own_out_of_scope);
        let mut report = |done| {
            progress(Progress {
                phase: Phase::Train,
                done,
                total: self.columns(),
            });
        };
        report(0);
        let mut model = self.fit(&all, head, &mut report);
        model.gate = gate;
        model.held_out = held_out;
        Ok(model)
    }

    fn vocabulary(&self, examples: &[usize]) -> Vec<u64> {
        let dimensions = self.vectors.first().map_or(0, Vec::len);
        let beside = match dimensions {
            0 => 0,
            _ => Head::size(dimensions, self.columns()),
        };
        self.corpus.vocabulary(examples, self.columns(), beside)
    }

    /// The networks of all examples, and of those that each fold sees.
    fn heads(
        &self,
        all: &[usize],
        folds: &[Split],
        progress: &mut dyn FnMut(Progress),
    ) -> (Option<Head>, Vec<Option<Head>>) {
        if self.vectors.is_empty() {
            return (None, vec![None; folds.len()]);
        }
        let mut report = |done| {
            progress(Progress {
                phase: Phase::Network,
                done,
                total: 1000,
            });
        };
        report(0);
        let examples = Examples {
            vectors: &self.vectors,
            labels: &self.labels,
            columns: self.columns(),
        };
        // That of all takes the longest, and so begins.
        let parts = std::iter::once(all).chain(folds.iter().map(|split| split.seen.as_slice()));
        let parts: Vec<_> = parts.collect();
        let mut found = heads(&examples, &parts, self.options.seed, report).into_iter();
        (found.next(), found.map(Some).collect())
    }

    fn columns(&self) -> usize {
        self.intents.len() + usize::from(self.has_out_of_scope)
    }

    /// What models that saw only a part of the examples make of the rest.
    fn held_out(
        &self,
        folds: Vec<Split>,
        heads: Vec<Option<Head>>,
        progress: &mut dyn FnMut(Progress),
    ) -> Vec<Judged> {
        let strangers = self
            .vectors
            .is_empty()
            .then(|| Strangers::new(self.examples));
        let mut judged = Vec::with_capacity(self.examples.len());
        let total = folds.len() * self.columns();
        for (fold, (Split { seen, rest }, head)) in folds.into_iter().zip(heads).enumerate() {
            let mut report = |done| {
                progress(Progress {
                    phase: Phase::Calibrate,
                    done: fold * self.columns() + done,
                    total,
                });
            };
            report(0);
            let left_out = |example: usize| self.is_left_out(self.labels[example], fold);
            let model = self.fit(&seen, head, &mut report);
            let mut known = vec![false; self.columns()];
            for example in &seen {
                known[self.labels[*example] as usize] = true;
            }
            for example in rest {
                let label = self.labels[example] as usize;
                let is_left_out = left_out(example);
                let in_scope = label < self.intents.len() && !is_left_out;
                // An intent of which every example is held out by chance is
                // none that the model could find.
                if in_scope && !known[label] {
                    continue;
                }
                let text = &self.examples[example].text;
                let vector = self.vectors.get(example).map(Vec::as_slice);
                let Some((best, signals)) = self.judge(&model, text, vector, &known) else {
                    continue;
                };
                let origin = match (in_scope, is_left_out) {
                    (true, _) => Origin::InScope,
                    (false, true) => Origin::LeftOut,
                    (false, false) => Origin::Labelled,
                };
                judged.push(Judged {
                    signals,
                    origin,
                    right: in_scope && best == label,
                });
                let stranger = strangers.as_ref().filter(|_| in_scope);
                let stranger = stranger.and_then(|strangers| strangers.of(text));
                let stranger = stranger.and_then(|text| self.judge(&model, &text, vector, &known));
                judged.extend(stranger.map(|(_, signals)| Judged {
                    signals,
                    origin: Origin::Stranger,
                    right: false,
                }));
            }
        }
        judged
    }

    /// What the model of each fold is trained on and judged by.
    fn splits(&self) -> Vec<Split> {
        let folds = (1.0 / self.options.held_out).round() as usize;
        let fold_of = self.folds(folds);
        let split = |fold| {
            let is_rest = |example: &usize| {
                fold_of[*example] == fold || self.is_left_out(self.labels[*example], fold)
            };
            let (rest, seen) = (0..self.examples.len()).partition(is_rest);
            Split { seen, rest }
        };
        let share = self.examples.len().div_ceil(folds).max(1);
        let used = folds.min(ENOUGH.div_ceil(share));
        (0..used).map(split).collect()
    }

    /// Whether the model of a fold is trained without the intent of a column,
    /// so that its examples can stand in for messages that have no intent.
    fn is_left_out(&self, column: u32, fold: usize) -> bool {
        !self.has_own_out_of_scope
            && (column as usize) < self.intents.len()
            && self.intents.len() >= MIN_TO_LEAVE_OUT
            && column as usize % 10 == fold
    }

    /// The part of the examples that each is held out with; every intent is
    /// spread over all of them.
    fn folds(&self, folds: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.examples.len()).collect();
        Random::new(self.options.seed).shuffle(&mut order);
        let mut next = vec![0; self.intents.len() + 1];
        let mut fold_of = vec![0; self.examples.len()];
        for example in order {
            let label = self.labels[example] as usize;
            // Intents start with different folds, so that all get as many.
            fold_of[example] = (next[label] + label) % folds;
            next[label] += 1;
        }
        fold_of
    }

    /// The best column that a model may name, and the signals for the gate.
    fn judge(
        &self,
        model: &LinearModel,
        text: &str,
        vector: Option<&[f32]>,
        known: &[bool],
    ) -> Option<(usize, Signals)> {
        let input = model.input(text, vector);
        let mut scores = model.scores(&input);
        let out_of_scope = self.has_out_of_scope.then(|| scores.pop()).flatten();
        let may = |column: usize| known[column];
        let (best, _) = top_two(&scores, may)?;
        let signals = signals(&input, &scores, best, may, out_of_scope);
        Some((best, signals))
    }

    /// A model, yet without a gate, of some of the examples.
    fn fit(
        &self,
        examples: &[usize],
        head: Option<Head>,
        report: &mut dyn FnMut(usize),
    ) -> LinearModel {
        let vocabulary = self.vocabulary(examples);
        let rows = vocabulary.len();
        let row_of = self.corpus.rows(&vocabulary);
        let mut matrix = Matrix::new(rows);
        let mut values = Vec::new();
        for example in examples {
            values.clear();
            self.corpus.values(*example, &row_of, &mut values);
            matrix.push(values.iter().copied());
        }
        let labels: Vec<u32> = examples
            .iter()
            .map(|example| self.labels[*example])
            .collect();
        let found = machines(&matrix, &labels, self.columns(), self.options.seed, report);
        let (columns, biases): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let (scales, weights) = quantise(&columns, self.intents.len(), rows);
        LinearModel {
            encoder: self.options.encoder.as_ref().map(|encoder| EncoderSpec {
                id: encoder.id().to_owned(),
                dimensions: encoder.dimensions(),
            }),
            head,
            intents: self.intents.clone(),
            has_out_of_scope: self.has_out_of_scope,
            vocabulary: Vocabulary::new(vocabulary),
            scales,
            biases,
            weights,
            gate: Gate::open(),
            held_out: HeldOut::default(),
        }
    }
}

/// How many examples are enough to calibrate on: with as many, a share of a
/// hundredth is known to about a seventh of its value (its standard error).
const ENOUGH: usize = 5_000;

/// With fewer intents, one of them left out would be too much of the whole.
const MIN_TO_LEAVE_OUT: usize = 4;
