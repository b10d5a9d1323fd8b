//! The training itself: the folds, their models, and the model of all examples.

use intent_model::{EncoderSpec, Head, LinearModel, ModelParts};

use crate::calibrate::{Sample, Source, calibrate};
use crate::corpus::Corpus;
use crate::head::{self, LabelledVectors};
use crate::random::Random;
use crate::svm::{self, SparseMatrix};
use crate::synthetic::Synthesiser;
use crate::{Example, Progress, Stage, TrainError, TrainOptions};

/// How many examples are enough for calibration: the standard error of a share of
/// one hundredth is then about a seventh of it.
const ENOUGH: usize = 5_000;

/// With fewer intents than these, leaving one out would lose too much.
const MIN_TO_LEAVE_OUT: usize = 4;

/// A fold: the examples that its model is trained on, and the held-out rest.
struct Fold {
    seen: Vec<usize>,
    rest: Vec<usize>,
}

/// The checked input of a training.
pub(crate) struct Trainer<'a> {
    pub(crate) examples: &'a [Example],
    pub(crate) corpus: Corpus,
    /// The sentence vectors, one per example, or none at all.
    pub(crate) vectors: Vec<Vec<f32>>,
    /// The column of each example; the one after the intents if it is out of
    /// scope.
    pub(crate) labels: Vec<u32>,
    /// The names of the intents, in ascending order.
    pub(crate) intents: Vec<String>,
    /// Whether there are examples out of scope, the background included.
    pub(crate) has_out_of_scope: bool,
    /// Whether there are examples out of scope other than the background.
    pub(crate) has_own_out_of_scope: bool,
    pub(crate) options: &'a TrainOptions,
}

impl Trainer<'_> {
    /// The calibrated model of all examples.
    pub(crate) fn train(
        &self,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<LinearModel, TrainError> {
        let all: Vec<usize> = (0..self.examples.len()).collect();
        if self.vocabulary(&all).is_empty() && self.vectors.is_empty() {
            return Err(TrainError::NoWords);
        }
        let folds = self.folds();
        let (head, heads) = self.heads(&all, &folds, progress);
        let samples = self.held_out(folds, heads, progress);
        let (gate, held_out) = calibrate(&samples, self.options, self.has_own_out_of_scope);
        let mut report = |done| progress(Progress::new(Stage::Train, done, self.columns()));
        report(0);
        let model = self.fit(&all, head, &mut report);
        Ok(model.with_calibration(gate, held_out))
    }

    /// The hashes of the n-grams that a model of some examples has.
    fn vocabulary(&self, examples: &[usize]) -> Vec<u64> {
        let dimensions = self.vectors.first().map_or(0, Vec::len);
        let reserved = match dimensions {
            0 => 0,
            _ => head::size(dimensions, self.columns()),
        };
        self.corpus.vocabulary(examples, self.columns(), reserved)
    }

    /// The networks of all examples, and of those that each fold sees.
    fn heads(
        &self,
        all: &[usize],
        folds: &[Fold],
        progress: &mut dyn FnMut(Progress),
    ) -> (Option<Head>, Vec<Option<Head>>) {
        if self.vectors.is_empty() {
            return (None, vec![None; folds.len()]);
        }
        let mut report = |done| progress(Progress::new(Stage::Network, done, 1000));
        report(0);
        let examples = LabelledVectors {
            vectors: &self.vectors,
            labels: &self.labels,
            columns: self.columns(),
        };
        // The model of all examples takes the longest, so it starts first.
        let parts = std::iter::once(all).chain(folds.iter().map(|fold| fold.seen.as_slice()));
        let parts: Vec<_> = parts.collect();
        let mut trained = head::train(&examples, &parts, self.options.seed, report).into_iter();
        (trained.next(), trained.map(Some).collect())
    }

    fn columns(&self) -> usize {
        self.intents.len() + usize::from(self.has_out_of_scope)
    }

    /// What the model of each fold predicts of the fold's held-out examples,
    /// and of synthetic messages made from them.
    fn held_out(
        &self,
        folds: Vec<Fold>,
        heads: Vec<Option<Head>>,
        progress: &mut dyn FnMut(Progress),
    ) -> Vec<Sample> {
        let synthesiser = self
            .vectors
            .is_empty()
            .then(|| Synthesiser::new(self.examples));
        let mut samples = Vec::with_capacity(self.examples.len());
        let total = folds.len() * self.columns();
        for (number, (Fold { seen, rest }, head)) in folds.into_iter().zip(heads).enumerate() {
            let mut report = |done| {
                let done = number * self.columns() + done;
                progress(Progress::new(Stage::Calibrate, done, total));
            };
            report(0);
            let model = self.fit(&seen, head, &mut report);
            let mut known = vec![false; self.columns()];
            for example in &seen {
                known[self.labels[*example] as usize] = true;
            }
            for example in rest {
                let label = self.labels[example] as usize;
                let is_left_out = self.is_left_out(self.labels[example], number);
                let in_scope = label < self.intents.len() && !is_left_out;
                // The model cannot find an intent whose examples all happen to
                // be held out.
                if in_scope && !known[label] {
                    continue;
                }
                let text = &self.examples[example].text;
                let vector = self.vectors.get(example).map(Vec::as_slice);
                let predict = |text: &str| model.predict(text, vector, |column| known[column]);
                let Some(predicted) = predict(text) else {
                    continue;
                };
                samples.push(Sample {
                    signals: predicted.signals,
                    source: match (in_scope, is_left_out) {
                        (true, _) => Source::InScope,
                        (false, true) => Source::LeftOutIntent,
                        (false, false) => Source::LabelledOutOfScope,
                    },
                    right: in_scope && predicted.best == label,
                });
                let synthesiser = synthesiser.as_ref().filter(|_| in_scope);
                let synthetic = synthesiser.and_then(|synthesiser| synthesiser.distort(text));
                let predicted = synthetic.and_then(|text| predict(&text));
                samples.extend(predicted.map(|predicted| Sample {
                    signals: predicted.signals,
                    source: Source::SyntheticOutOfScope,
                    right: false,
                }));
            }
        }
        samples
    }

    /// The folds that calibration uses.
    fn folds(&self) -> Vec<Fold> {
        let count = (1.0 / self.options.held_out).round() as usize;
        let fold_of = self.fold_of(count);
        let fold = |number| {
            let is_rest = |example: &usize| {
                fold_of[*example] == number || self.is_left_out(self.labels[*example], number)
            };
            let (rest, seen) = (0..self.examples.len()).partition(is_rest);
            Fold { seen, rest }
        };
        let share = self.examples.len().div_ceil(count).max(1);
        let used = count.min(ENOUGH.div_ceil(share));
        (0..used).map(fold).collect()
    }

    /// Whether the model of a fold is trained without the intent of a column,
    /// so that its examples can stand in for messages out of scope.
    fn is_left_out(&self, column: u32, fold: usize) -> bool {
        !self.has_own_out_of_scope
            && (column as usize) < self.intents.len()
            && self.intents.len() >= MIN_TO_LEAVE_OUT
            && column as usize % 10 == fold
    }

    /// The number of the fold that holds out each example; every intent is
    /// spread over all of them.
    fn fold_of(&self, folds: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.examples.len()).collect();
        Random::new(self.options.seed).shuffle(&mut order);
        let mut next = vec![0; self.intents.len() + 1];
        let mut fold_of = vec![0; self.examples.len()];
        for example in order {
            let label = self.labels[example] as usize;
            // Intents start with different folds, so that all folds get equally
            // many examples.
            fold_of[example] = (next[label] + label) % folds;
            next[label] += 1;
        }
        fold_of
    }

    /// The model of some of the examples, without calibration.
    fn fit(
        &self,
        examples: &[usize],
        head: Option<Head>,
        report: &mut dyn FnMut(usize),
    ) -> LinearModel {
        let vocabulary = self.vocabulary(examples);
        let row_of = self.corpus.rows(&vocabulary);
        let mut matrix = SparseMatrix::new(vocabulary.len());
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
        let svms = svm::train(&matrix, &labels, self.columns(), self.options.seed, report);
        let (weights, biases) = svms.into_iter().unzip();
        let encoder = self.options.encoder.as_ref().map(|encoder| EncoderSpec {
            id: encoder.id().to_owned(),
            dimensions: encoder.dimensions(),
        });
        LinearModel::new(ModelParts {
            sentence: encoder.zip(head),
            intents: self.intents.clone(),
            has_out_of_scope: self.has_out_of_scope,
            vocabulary,
            weights,
            biases,
        })
    }
}
