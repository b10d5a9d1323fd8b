//! Phrases and intents that the keyword detector cannot tell apart or find.

use super::{Linter, MOST_USES, PhraseUse, joined};
use crate::catalogue::{Diagnostic, Intent};
use crate::detect::{Detector, KeywordDetector};

/// Weights with a relative difference up to this count as equal, as sums of
/// weights are rounded.
const ROUNDING: f64 = 1e-9;

impl Linter<'_> {
    pub(super) fn phrases(&mut self) {
        if self.uses.is_empty() {
            // A catalogue for a trained detector alone.
            return;
        }
        self.overlapping();
        self.unreachable();
    }

    /// Phrases with the same weight in two intents.
    fn overlapping(&mut self) {
        let mut found = Vec::new();
        for (text, uses) in &self.uses {
            if uses.len() > MOST_USES {
                let message = format!(
                    "phrase \"{text}\" is listed in {} intents, so it does not distinguish them",
                    uses.len()
                );
                let remedy = "remove it; until then, no example is checked against the phrases";
                found.push((uses[1], Diagnostic::warning(message).with_remedy(remedy)));
            } else if uses.len() > 1 {
                let winner = self.detector.detect(text).intent;
                let first = uses.iter().find(|s| self.name(s.intent) == winner);
                // If no intent reaches the threshold, the order does not matter.
                let Some(first) = first else { continue };
                let yields = |s: &PhraseUse| self.catalogue().intents()[s.intent].yields;
                let rivals = uses.iter().filter(|other| {
                    other.intent != first.intent
                        && yields(other) == yields(first)
                        && first.weight - other.weight <= ROUNDING * first.weight
                });
                let line = self.spans.position(self.phrase_at(first)).line;
                found.extend(rivals.map(|rival| {
                    let message = format!(
                        "phrase \"{text}\" has the same weight in intent \"{winner}\" on line {line}, so a \
                         message with only this phrase is detected as \"{winner}\""
                    );
                    let warning = Diagnostic::warning(message);
                    (*rival, warning.with_remedy("give it a higher weight in one of them"))
                }));
            }
        }
        for (used, warning) in found {
            let part = format!("phrases[{}]", used.phrase);
            self.warn(used.intent, &part, self.phrase_at(&used), warning);
        }
    }

    fn phrase_at(&self, used: &PhraseUse) -> usize {
        self.spans.intents[used.intent].phrases[used.phrase]
    }

    /// Intents that the keyword detector cannot find.
    fn unreachable(&mut self) {
        let may_detect = self.is_detection_cheap();
        for (i, intent, spans) in self.intents() {
            let warning = if intent.phrases.is_empty() {
                Some(if intent.yields {
                    Diagnostic::warning(
                        "has `yields = true`, which applies only to phrases, but no phrases",
                    )
                    .with_remedy("add phrases, such as \"hello\"")
                } else {
                    Diagnostic::warning("has no phrases, so only a trained detector can detect it")
                })
            } else {
                let weight: f64 = intent.phrases.iter().map(|phrase| phrase.weight).sum();
                // The least weight at which an intent without a rival is named.
                let needed = -2.0 * (1.0 - KeywordDetector::THRESHOLD).ln();
                if weight < needed {
                    let message = format!(
                        "cannot be detected by its phrases: their total weight is {weight:.3}, \
                         but {needed:.3} is needed"
                    );
                    let remedy = "give them higher weights, or add phrases";
                    Some(Diagnostic::warning(message).with_remedy(remedy))
                } else if may_detect && !self.is_found(intent) {
                    let message = match self.shadow(i, intent) {
                        Some(other) => format!(
                            "cannot be detected by its phrases: each of them has at least the \
                             same weight in intent \"{}\"",
                            self.name(other)
                        ),
                        None => "is not detected in any of its own phrases and examples".to_owned(),
                    };
                    let remedy = "give its phrases higher weights, or add phrases that no other \
                                  intent has";
                    Some(Diagnostic::warning(message).with_remedy(remedy))
                } else {
                    None
                }
            };
            if let Some(warning) = warning {
                self.warn(i, "", spans.at, warning);
            }
        }
    }

    /// Whether the detector finds the intent in one of its phrases or examples.
    fn is_found(&self, intent: &Intent) -> bool {
        let phrases = intent.phrases.iter().map(|phrase| &phrase.text);
        let mut texts = phrases.chain(&intent.examples);
        texts.any(|text| self.detector.detect(text).intent == intent.name)
    }

    /// Another intent that wins with every phrase of this one.
    fn shadow(&self, i: usize, intent: &Intent) -> Option<usize> {
        let mut shadows: Option<Vec<usize>> = None;
        for phrase in &intent.phrases {
            let uses = self.uses.get(&joined(&phrase.text))?;
            let wins = |s: &&PhraseUse| {
                let yields = self.catalogue().intents()[s.intent].yields;
                s.intent != i
                    && (intent.yields || !yields)
                    && (s.weight > phrase.weight || (s.weight == phrase.weight && s.intent < i))
            };
            let winners = uses.iter().filter(wins).map(|s| s.intent);
            shadows = Some(match shadows {
                None => winners.collect(),
                Some(before) => winners.filter(|i| before.contains(i)).collect(),
            });
        }
        shadows?.into_iter().next()
    }
}
