//! Phrases that do not do what they are there for.

use super::{Linter, MOST_SPEAKERS, Speaker, joined};
use crate::catalogue::Intent;
use crate::detect::{Detector, KeywordDetector};

/// Two weights nearer than this, in parts of them, are as good as equal: the
/// rounding of a sum may be as large.
const ROUNDING: f64 = 1e-9;

impl Linter<'_> {
    pub(super) fn phrases(&mut self) {
        if self.speakers.is_empty() {
            // A catalogue for a trained detector alone.
            return;
        }
        self.overlapping();
        self.unreachable();
    }

    /// A phrase that speaks as strongly for two intents.
    fn overlapping(&mut self) {
        let mut found = Vec::new();
        for (text, speakers) in &self.speakers {
            if speakers.len() > MOST_SPEAKERS {
                let message = format!(
                    "phrase \"{text}\" stands in {} intents, so it tells none of them apart; \
                     leave it out (the examples are not compared with the phrases meanwhile)",
                    speakers.len()
                );
                found.push((speakers[1], message));
            } else if speakers.len() > 1 {
                let winner = self.detector.detect(text).intent;
                let first = speakers.iter().find(|s| self.name(s.intent) == winner);
                // Where no intent is sure enough, the order decides nothing.
                let Some(first) = first else { continue };
                let yields = |s: &Speaker| self.catalogue().intents()[s.intent].yields;
                let rivals = speakers.iter().filter(|other| {
                    other.intent != first.intent
                        && yields(other) == yields(first)
                        && first.weight - other.weight <= ROUNDING * first.weight
                });
                let line = self.places.line(self.phrase_at(first));
                found.extend(rivals.map(|rival| {
                    let message = format!(
                        "phrase \"{text}\" speaks as strongly for intent \"{winner}\" on line {line}, \
                         which wins only by its place in the file; give one of them more weight"
                    );
                    (*rival, message)
                }));
            }
        }
        for (speaker, message) in found {
            let part = format!("phrases[{}]", speaker.phrase);
            self.add(speaker.intent, &part, self.phrase_at(&speaker), message);
        }
    }

    fn phrase_at(&self, speaker: &Speaker) -> usize {
        self.places.intents[speaker.intent].phrases[speaker.phrase]
    }

    /// An intent that the keyword detector finds in nothing of its own.
    fn unreachable(&mut self) {
        let may_detect = self.is_detection_cheap();
        for (i, intent, places) in self.intents() {
            let message = if intent.phrases.is_empty() {
                Some(if intent.yields {
                    "yields, which means something for phrases only, and has none; add some, such as \"hello\""
                        .to_owned()
                } else {
                    "has no phrases, so only a trained detector can find it".to_owned()
                })
            } else {
                let weight: f64 = intent.phrases.iter().map(|phrase| phrase.weight).sum();
                // The evidence at which an intent without a rival is named.
                let needed = -2.0 * (1.0 - KeywordDetector::THRESHOLD).ln();
                if weight < needed {
                    Some(format!(
                        "cannot be found by its phrases: together they weigh {weight:.2}, and {needed:.2} are needed"
                    ))
                } else if may_detect && !self.is_found(intent) {
                    Some(match self.shadow(i, intent) {
                        Some(other) => format!(
                            "cannot be found by its phrases: each of them speaks at least as strongly for intent \"{}\"",
                            self.name(other)
                        ),
                        None => "is found by none of its own phrases and examples; give it more weight, or phrases of its own"
                            .to_owned(),
                    })
                } else {
                    None
                }
            };
            if let Some(message) = message {
                self.add(i, "", places.at, message);
            }
        }
    }

    /// Whether one of the intent's own phrases or examples is taken for it.
    fn is_found(&self, intent: &Intent) -> bool {
        let phrases = intent.phrases.iter().map(|phrase| &phrase.text);
        let mut texts = phrases.chain(&intent.examples);
        texts.any(|text| self.detector.detect(text).intent == intent.name)
    }

    /// Another intent that wins whichever of this one's phrases a message has.
    fn shadow(&self, i: usize, intent: &Intent) -> Option<usize> {
        let mut shadows: Option<Vec<usize>> = None;
        for phrase in &intent.phrases {
            let speakers = self.speakers.get(&joined(&phrase.text))?;
            let wins = |s: &&Speaker| {
                let yields = self.catalogue().intents()[s.intent].yields;
                s.intent != i
                    && (intent.yields || !yields)
                    && (s.weight > phrase.weight || (s.weight == phrase.weight && s.intent < i))
            };
            let winners = speakers.iter().filter(wins).map(|s| s.intent);
            shadows = Some(match shadows {
                None => winners.collect(),
                Some(before) => winners.filter(|i| before.contains(i)).collect(),
            });
        }
        shadows?.into_iter().next()
    }
}
