//! Detection by weighted phrases.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;

use super::spelling::Spelling;
use super::{Detection, Detector, Evidence};
use crate::catalogue::Catalogue;
use crate::text::{fold_message, normalise, words};

/// Finds the intent whose phrases a message holds.
///
/// **Matching.** The message is [normalised](normalise) and cut into words;
/// a word that stands in no phrase is taken for one of five to 24 letters that
/// does and that it differs from in one letter, but not in the first. All
/// phrases are looked for at once (Aho and Corasick 1975), over whole words
/// only. A phrase inside a longer one counts only where it stands on its own,
/// and a phrase counts once, however often it occurs.
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
/// Cost: one pass over the message, whatever the number of phrases and intents.
///
/// ```
/// use intent_router::Catalogue;
/// use intent_router::{Detector, KeywordDetector};
///
/// let detector = KeywordDetector::new(Catalogue::built_in());
/// assert_eq!(detector.detect("Hello, what is my clam status?").intent, "claim_status");
/// assert_eq!(detector.detect("what is this").intent, "unknown");
/// ```
#[derive(Clone, Debug)]
pub struct KeywordDetector {
    intents: Vec<Candidate>,
    /// Finds `" phrase "` in `" word word … "`; patterns index `phrases`.
    automaton: AhoCorasick,
    phrases: Vec<Speaker>,
    spelling: Spelling,
}

#[derive(Clone, Debug)]
struct Candidate {
    name: String,
    yields: bool,
}

/// A phrase and the intents that it speaks for.
#[derive(Clone, Debug)]
struct Speaker {
    text: String,
    speaks_for: Vec<(usize, f64)>,
}

impl KeywordDetector {
    /// The least confidence with which an intent is named.
    pub const THRESHOLD: f64 = 0.3;

    /// How many words of a message, from its start, are corrected when they
    /// are misspelt. It bounds what the longest message can cost.
    pub const CORRECTED_WORDS: usize = 1_000;

    /// A detector of the catalogue's phrases.
    pub fn new(catalogue: &Catalogue) -> Self {
        let mut speakers = BTreeMap::<String, Vec<(usize, f64)>>::new();
        let mut vocabulary = BTreeSet::new();
        for (i, intent) in catalogue.intents().iter().enumerate() {
            for phrase in &intent.phrases {
                let normal = normalise(&phrase.text);
                let text = spaced(words(&normal));
                speakers.entry(text).or_default().push((i, phrase.weight));
                vocabulary.extend(words(&normal).map(|word| word.into_owned()));
            }
        }
        // An automaton cannot have more than 2^31 states, of which each byte of
        // a phrase makes at most one; the size of a catalogue is far below.
        let automaton = AhoCorasick::new(speakers.keys()).expect("a catalogue is small");
        let intents = catalogue.intents().iter().map(|intent| Candidate {
            name: intent.name.clone(),
            yields: intent.yields,
        });
        let phrases = speakers.into_iter().map(|(text, speaks_for)| Speaker {
            text: text.trim().to_owned(),
            speaks_for,
        });
        Self {
            intents: intents.collect(),
            automaton,
            phrases: phrases.collect(),
            spelling: Spelling::new(vocabulary),
        }
    }

    /// What [`detect`](Detector::detect) finds among some of the intents.
    pub(super) fn detect_among(
        &self,
        message: &str,
        may: impl Fn(&str) -> bool,
    ) -> Option<Detection> {
        // Only of intents that some phrase speaks for, however many there are.
        let mut evidence = BTreeMap::new();
        for phrase in self.found(message) {
            for (intent, weight) in &self.phrases[phrase].speaks_for {
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

    /// Whether a word stands in a phrase, as it is or misspelt by a letter.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.spelling.knows(word)
    }

    /// Whether a phrase of the intent stands in the message; `None` for an
    /// intent without phrases.
    pub(super) fn speaks_for(&self, message: &str, intent: &str) -> Option<bool> {
        let at = self.intents.iter().position(|known| known.name == intent)?;
        let speaks = |phrase: &Speaker| phrase.speaks_for.iter().any(|(i, _)| *i == at);
        let found = self.found(message);
        let any = found
            .into_iter()
            .any(|phrase| speaks(&self.phrases[phrase]));
        (any || self.phrases.iter().any(speaks)).then_some(any)
    }

    /// The phrases that stand in the message on their own.
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
        // start no earlier than a new one stand inside it; of two with the same
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

    /// The best of the intents that `among` lets through, with its confidence.
    fn best(
        &self,
        evidence: &BTreeMap<usize, f64>,
        among: impl Fn(&Candidate) -> bool,
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

    /// The phrases found in the message with the intents that they speak for
    /// and their weights, sorted by phrase, then in the order of the catalogue.
    fn explain(&self, message: &str) -> Vec<Evidence> {
        let evidence = |phrase: usize| {
            let Speaker { text, speaks_for } = &self.phrases[phrase];
            speaks_for.iter().map(move |(intent, weight)| Evidence {
                intent: self.intents[*intent].name.clone(),
                feature: format!("phrase \"{text}\""),
                weight: *weight,
            })
        };
        self.found(message).into_iter().flat_map(evidence).collect()
    }
}

/// How sure the evidence for the best intent is, given the runner-up's.
fn confidence(best: f64, runner_up: f64) -> f64 {
    // Written so that it holds for evidence as large as a number can be.
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
