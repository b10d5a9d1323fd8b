//! Linear models and their predictions.

use crate::features::{Gram, Group, each_gram, preprocess, weigh};
use crate::gate::{Gate, Signals};
use crate::head::Head;
use crate::held_out::HeldOut;
use crate::input::Input;
use crate::vocabulary::Vocabulary;
use crate::weights::{LANES, Weights, quantise};

/// A trained model: weights for the n-grams of messages, one per intent, with
/// the calibration and the threshold that were chosen on held-out examples.
///
/// A [`Classifier`](crate::Classifier) uses it; the crate `intent-train` trains
/// it. A weight takes a byte in memory and in the file; there are at most
/// [`MAX_WEIGHTS`](Self::MAX_WEIGHTS).
#[derive(Clone, Debug, PartialEq)]
pub struct LinearModel {
    pub(crate) encoder: Option<EncoderSpec>,
    /// Present if there is an encoder.
    pub(crate) head: Option<Head>,
    pub(crate) intents: Vec<String>,
    /// Whether the last column scores messages out of scope, which the training
    /// data then had examples of.
    pub(crate) has_out_of_scope: bool,
    pub(crate) vocabulary: Vocabulary,
    /// The factor of each row's weights.
    pub(crate) scales: Vec<f32>,
    /// One per column.
    pub(crate) biases: Vec<f32>,
    pub(crate) weights: Weights,
    pub(crate) gate: Gate,
    pub(crate) held_out: HeldOut,
}

/// The sentence encoder whose vectors a model was trained with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderSpec {
    /// Its [id](crate::SentenceEncoder::id).
    pub id: String,
    /// The length of its vectors.
    pub dimensions: usize,
}

/// The trained parts of a model, for [`LinearModel::new`].
///
/// A column is an intent; with `has_out_of_scope` there is one more after
/// them, for messages that belong to none.
#[derive(Clone, Debug)]
pub struct ModelParts {
    /// The sentence encoder, with the network that reads its vectors.
    pub sentence: Option<(EncoderSpec, Head)>,
    /// The names of the intents: two at least, in ascending order.
    pub intents: Vec<String>,
    /// Whether there is a column for messages out of scope.
    pub has_out_of_scope: bool,
    /// The hashes of the n-grams, in ascending order.
    pub vocabulary: Vec<u64>,
    /// For each column one weight per n-gram, in the order of the vocabulary.
    pub weights: Vec<Vec<f32>>,
    /// One per column.
    pub biases: Vec<f32>,
}

/// The prediction of a model for a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Prediction {
    /// The index of the best intent in [`LinearModel::intents`].
    pub best: usize,
    /// The signals that the confidence is computed from.
    pub signals: Signals,
    /// The probability that the best intent is the right one.
    pub confidence: f64,
    pub(crate) input: Input,
    /// One per intent.
    pub(crate) scores: Vec<f32>,
    pub(crate) runner_up: Option<usize>,
}

impl LinearModel {
    /// The most weights of a model: n-grams times columns, and those of the
    /// network that reads sentence vectors.
    pub const MAX_WEIGHTS: usize = 9_000_000;

    /// The most intents of a model.
    pub const MAX_INTENTS: usize = 4_096;

    /// The most bytes of an intent's name or a sentence encoder's id.
    pub const MAX_NAME: usize = 1_000;

    /// Makes a model of trained parts, and quantises their weights. The model answers
    /// every message until [`with_calibration`](Self::with_calibration) says
    /// below which confidence to abstain.
    ///
    /// # Panics
    /// If the parts do not fit each other, or are not in order.
    pub fn new(parts: ModelParts) -> Self {
        let ModelParts {
            sentence,
            intents,
            has_out_of_scope,
            vocabulary,
            weights,
            biases,
        } = parts;
        let columns = intents.len() + usize::from(has_out_of_scope);
        assert!(
            intents.len() >= 2 && intents.is_sorted_by(|a, b| a < b),
            "there must be at least two intents, sorted by name"
        );
        assert!(
            vocabulary.is_sorted_by(|a, b| a < b),
            "the hashes must be in ascending order"
        );
        assert_eq!(
            (weights.len(), biases.len()),
            (columns, columns),
            "each column must have weights and a bias"
        );
        for column in &weights {
            assert_eq!(
                column.len(),
                vocabulary.len(),
                "each n-gram must have a weight"
            );
        }
        if let Some((encoder, head)) = &sentence {
            assert_eq!(
                head.shape(),
                (encoder.dimensions, columns),
                "the network must map sentence vectors to columns"
            );
        }
        let (scales, weights) = quantise(&weights, intents.len(), vocabulary.len());
        let (encoder, head) = sentence.unzip();
        Self {
            encoder,
            head,
            intents,
            has_out_of_scope,
            vocabulary: Vocabulary::new(vocabulary),
            scales,
            biases,
            weights,
            gate: Gate::open(),
            held_out: HeldOut::default(),
        }
    }

    /// The same model with the gate that was fitted to held-out examples, and the
    /// figures on them.
    pub fn with_calibration(self, gate: Gate, held_out: HeldOut) -> Self {
        Self {
            gate,
            held_out,
            ..self
        }
    }

    /// The names of its intents, sorted.
    pub fn intents(&self) -> &[String] {
        &self.intents
    }

    /// The id of the sentence encoder that it was trained with, if any.
    pub fn encoder_id(&self) -> Option<&str> {
        self.encoder.as_ref().map(|encoder| encoder.id.as_str())
    }

    /// Its figures on held-out examples.
    pub fn held_out(&self) -> &HeldOut {
        &self.held_out
    }

    /// The confidence below which it abstains.
    pub fn threshold(&self) -> f64 {
        self.gate.threshold
    }

    /// The best of the intents whose indices `may` accepts, with its confidence,
    /// however low; `None` if it accepts none. `vector` is the message's sentence
    /// vector, of the model's encoder.
    pub fn predict(
        &self,
        message: &str,
        vector: Option<&[f32]>,
        may: impl Fn(usize) -> bool,
    ) -> Option<Prediction> {
        let input = self.input(message, vector);
        let mut scores = self.scores(&input);
        let out_of_scope = self.has_out_of_scope.then(|| scores.pop()).flatten();
        let (best, runner_up) = top_two(&scores, &may)?;
        let signals = crate::gate::signals(&input, &scores, best, may, out_of_scope);
        Some(Prediction {
            best,
            signals,
            confidence: self.gate.probability(&signals),
            input,
            scores,
            runner_up,
        })
    }

    /// The share of a message's words that are in no example of an intent and
    /// that `knows` does not accept either.
    pub(crate) fn unseen_share(&self, message: &str, knows: impl Fn(&str) -> bool) -> f64 {
        let (mut all, mut unseen) = (0_u32, 0_u32);
        each_gram(&preprocess(message), |gram, hash| {
            if let Gram::Word(word) = gram {
                all += 1;
                unseen += u32::from(self.is_unseen(self.vocabulary.row(hash)) && !knows(word));
            }
        });
        f64::from(unseen) / f64::from(all.max(1))
    }

    /// Whether the n-gram of a row is in no example of an intent; true without a
    /// row.
    fn is_unseen(&self, row: Option<u32>) -> bool {
        row.is_none_or(|row| self.weights.is_unseen(row))
    }

    pub(crate) fn columns(&self) -> usize {
        self.intents.len() + usize::from(self.has_out_of_scope)
    }

    /// The features of a message.
    fn input(&self, message: &str, vector: Option<&[f32]>) -> Input {
        let normal = preprocess(message);
        let mut input = Input::default();
        let mut groups: [Vec<u32>; Group::COUNT] = Default::default();
        let mut counts = [0; Group::COUNT];
        each_gram(&normal, |gram, hash| {
            let row = self.vocabulary.row(hash);
            counts[gram.group() as usize] += 1;
            input.count(&gram, self.is_unseen(row));
            groups[gram.group() as usize].extend(row);
        });
        for (rows, count) in groups.iter_mut().zip(counts) {
            weigh(rows, count, &mut input.values);
        }
        if let (Some(head), Some(vector)) = (&self.head, vector) {
            input.sentence = head.scores(vector);
        }
        input
    }

    /// One score per column: above 0 counts for the intent, below 0 against it.
    fn scores(&self, input: &Input) -> Vec<f32> {
        let mut scores = self.gram_scores(input);
        for (score, sentence) in scores.iter_mut().zip(&input.sentence) {
            *score += sentence;
        }
        scores
    }

    /// The scores of the n-grams alone.
    ///
    /// Factors are rounded to 15 bits, so that the sums are exact integers, which
    /// a processor can add several at a time in any order.
    fn gram_scores(&self, input: &Input) -> Vec<f32> {
        let factor = |(row, value): &(u32, f32)| value * self.scales[*row as usize];
        let (mut most, mut sum) = (0.0_f32, 0.0);
        for size in input.values.iter().map(factor).map(f32::abs) {
            most = most.max(size);
            sum += size;
        }
        // Neither a factor nor a sum of factors times weights may overflow.
        let unit = (most / f32::from(i16::MAX)).max(sum * 128.0 / MAX_SUM);
        if !unit.is_normal() {
            return self.biases.clone();
        }
        let mut sums = vec![[0_i32; LANES]; self.weights.lanes];
        for entry in &input.values {
            let factor = i32::from((factor(entry) / unit) as i16);
            for (sums, weights) in sums.iter_mut().zip(self.weights.row(entry.0)) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += factor * i32::from(*weight);
                }
            }
        }
        let scores = self.biases.iter().zip(sums.as_flattened());
        scores
            .map(|(bias, sum)| bias + *sum as f32 * unit)
            .collect()
    }

    /// What a row adds to a column's score for each unit of its value.
    pub(crate) fn weight(&self, row: u32, column: usize) -> f32 {
        let row_weights = self.weights.row(row).as_flattened();
        self.scales[row as usize] * f32::from(row_weights[column])
    }
}

/// A little less than the largest sum, to leave room for rounding.
const MAX_SUM: f32 = 2.0e9;

/// The indices of the best and the second best score among those that `may`
/// accepts; of equal ones the first.
fn top_two(scores: &[f32], may: impl Fn(usize) -> bool) -> Option<(usize, Option<usize>)> {
    let (mut best, mut second): (Option<usize>, Option<usize>) = (None, None);
    let beats = |score: f32, other: Option<usize>| other.is_none_or(|i| score > scores[i]);
    for (i, score) in scores.iter().copied().enumerate() {
        if !beats(score, second) || !may(i) {
            continue;
        }
        if beats(score, best) {
            (best, second) = (Some(i), best);
        } else {
            second = Some(i);
        }
    }
    Some((best?, second))
}

#[cfg(test)]
mod tests;
