//! Detection by weighted phrases.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use intent_model::{Detection, Evidence};

use super::detector::Detector;
use super::spelling::Spelling;
use crate::catalogue::Catalogue;
use crate::text::{fold_message, normalise, words};

/// Finds the intent of a message by weighted phrases.
///
/// **Matching.** The message is [normalised](normalise) and split into words. A
/// word that is in no phrase is corrected to a word of five to 24 letters that
/// is, if they differ by one letter other than the first. All phrases are
/// searched at once (Aho and Corasick 1975), as whole words only. A phrase inside
/// a longer match does not count, and a phrase counts once, however often it
/// occurs.
///
/// **Confidence.** The evidence *e* of an intent is the sum of the weights of
/// its phrases in the message. With *r* for the evidence of the next best
/// intent, the confidence is (1 − exp(−*e*/2)) · *e*/(*e* + *r*): it grows with
/// the evidence and with the distance to the runner-up, is half of what it
/// could be when two intents have the same evidence, and never reaches 1. Below
/// [`THRESHOLD`](Self::THRESHOLD) the message is unknown, with confidence 0.
/// Of intents with the same evidence the first in the catalogue wins.
///
/// **Greetings.** Intents that [yield](crate::catalogue::Intent::yields) are
/// considered only when no other intent reaches the threshold.
///
/// Costs one pass over the message, whatever the number of phrases and intents.
///
/// ```
/// use intent_router::{Catalogue, Detector, KeywordDetector};
///
/// let detector = KeywordDetector::new(Catalogue::built_in());
/// assert_eq!(detector.detect("Hello, what is my clam status?").intent, "claim_status");
/// assert_eq!(detector.detect("what is this").intent, "unknown");
/// ```
#[derive(Clone, Debug)]
pub struct KeywordDetector {
    intents: Vec<NamedIntent>,
    /// Finds `" phrase "` in `" word word … "`; patterns index `phrases`.
    automaton: AhoCorasick,
    phrases: Vec<WeightedPhrase>,
    spelling: Spelling,
}

/// The name of an intent, and whether it yields to others.
#[derive(Clone, Debug)]
struct NamedIntent {
    name: String,
    yields: bool,
}

/// A phrase with its weight for each intent that has it.
#[derive(Clone, Debug)]
struct WeightedPhrase {
    text: String,
    weights: Vec<(usize, f64)>,
}

impl KeywordDetector {
    /// The least confidence with which an intent is named.
    pub const THRESHOLD: f64 = 0.3;

    /// How many words of a message, from its start, have their spelling
    /// corrected. It bounds the cost of the longest message.
    pub const CORRECTED_WORDS: usize = 1_000;

    /// A detector of the catalogue's phrases.
    pub fn new(catalogue: &Catalogue) -> Self {
        let mut weights_of = BTreeMap::<String, Vec<(usize, f64)>>::new();
        let mut vocabulary = BTreeSet::new();
        for (i, intent) in catalogue.intents().iter().enumerate() {
            for phrase in &intent.phrases {
                let normal = normalise(&phrase.text);
                let text = spaced(words(&normal));
                weights_of.entry(text).or_default().push((i, phrase.weight));
                vocabulary.extend(words(&normal).map(|word| word.into_owned()));
            }
        }
        // It fails above 2^31 states only; a byte of a phrase makes at most one
        // of them, and the size of a catalogue is far below.
        let automaton = AhoCorasick::new(weights_of.keys())
            .expect("the phrases of a catalogue fit in one automaton");
        let intents = catalogue.intents().iter().map(|intent| NamedIntent {
            name: intent.name.clone(),
            yields: intent.yields,
        });
        let phrases = weights_of
            .into_iter()
            .map(|(text, weights)| WeightedPhrase {
                text: text.trim().to_owned(),
                weights,
            });
        Self {
            intents: intents.collect(),
            automaton,
            phrases: phrases.collect(),
            spelling: Spelling::new(vocabulary),
        }
    }

    /// Like [`detect`](Detector::detect), among some of the intents.
    pub(super) fn detect_among(
        &self,
        message: &str,
        may: impl Fn(&str) -> bool,
    ) -> Option<Detection> {
        // Only intents with a phrase in the message cost time.
        let mut evidence = BTreeMap::new();
        for phrase in self.found(message) {
            for (intent, weight) in &self.phrases[phrase].weights {
                *evidence.entry(*intent).or_default() += weight;
            }
        }
        let question = self.best(&evidence, |intent| !intent.yields && may(&intent.name));
        let found = question.or_else(|| self.best(&evidence, |intent| may(&intent.name)));
        found.map(|(i, confidence)| Detection {
            intent: self.intents[i].name.clone(),
            confidence,
        })
    }

    /// Whether a word is in a phrase, as it is or misspelt by a letter.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.spelling.knows(word)
    }

    /// Whether the message has a phrase of the intent; `None` for an intent
    /// without phrases.
    pub(super) fn has_phrase_of(&self, message: &str, intent: &str) -> Option<bool> {
        let at = self.intents.iter().position(|known| known.name == intent)?;
        let is_of = |phrase: &WeightedPhrase| phrase.weights.iter().any(|(i, _)| *i == at);
        let found = self.found(message);
        let any = found.into_iter().any(|phrase| is_of(&self.phrases[phrase]));
        (any || self.phrases.iter().any(is_of)).then_some(any)
    }

    /// The phrases in the message that are not inside a longer match.
    fn found(&self, message: &str) -> BTreeSet<usize> {
        let normal = fold_message(message).unwrap_or_default();
        let text = spaced(words(&normal).enumerate().map(|(i, word)| {
            if i >= Self::CORRECTED_WORDS {
                return word;
            }
            match self.spelling.correct(&word) {
                Some(known) => Cow::Borrowed(known),
                None => word,
            }
        }));
        // Matches come in the order of their ends. Those on the stack that
        // start no earlier than a new one are inside it; of two with the same
        // end the shorter may also come second.
        let mut stack: Vec<(usize, usize, usize)> = Vec::new();
        for found in self.automaton.find_overlapping_iter(&text) {
            let (start, end) = (found.start(), found.end());
            if stack
                .last()
                .is_some_and(|last| last.0 <= start && end <= last.1)
            {
                continue;
            }
            while stack.last().is_some_and(|last| start <= last.0) {
                stack.pop();
            }
            stack.push((start, end, found.pattern().as_usize()));
        }
        stack.into_iter().map(|(_, _, phrase)| phrase).collect()
    }

    /// The best of the intents that `among` accepts, with its confidence.
    fn best(
        &self,
        evidence: &BTreeMap<usize, f64>,
        among: impl Fn(&NamedIntent) -> bool,
    ) -> Option<(usize, f64)> {
        let (mut best, mut runner_up) = (None, 0.0);
        for (&i, &e) in evidence {
            if !among(&self.intents[i]) {
                continue;
            }
            match best {
                Some((_, most)) if e <= most => runner_up = e.max(runner_up),
                Some((_, most)) => (best, runner_up) = (Some((i, e)), most),
                None => best = Some((i, e)),
            }
        }
        let (i, e) = best?;
        let confidence = confidence(e, runner_up);
        (confidence >= Self::THRESHOLD).then_some((i, confidence))
    }
}

impl Detector for KeywordDetector {
    fn detect(&self, message: &str) -> Detection {
        self.detect_among(message, |_| true)
            .unwrap_or_else(Detection::unknown)
    }

    /// The phrases found in the message with their weights for each intent,
    /// sorted by phrase, then in the order of the catalogue.
    fn explain(&self, message: &str) -> Vec<Evidence> {
        let evidence = |phrase: usize| {
            let WeightedPhrase { text, weights } = &self.phrases[phrase];
            weights.iter().map(move |(intent, weight)| Evidence {
                intent: self.intents[*intent].name.clone(),
                feature: format!("phrase \"{text}\""),
                weight: *weight,
            })
        };
        self.found(message).into_iter().flat_map(evidence).collect()
    }
}

/// The confidence in the best intent, from its evidence and the runner-up's.
fn confidence(best: f64, runner_up: f64) -> f64 {
    // In a form that does not overflow for the largest evidence.
    let share = 1.0 / (1.0 + runner_up / best);
    (1.0 - (-best / 2.0).exp()) * share
}

/// The words with one space between them and at either end.
fn spaced<W: AsRef<str>>(words: impl Iterator<Item = W>) -> String {
    let mut text = String::from(" ");
    for word in words {
        text.push_str(word.as_ref());
        text.push(' ');
    }
    text
}

#[cfg(test)]
mod tests;
