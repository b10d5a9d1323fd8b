//! Warnings about a valid catalogue: parts that probably do not have the intended
//! effect.
//!
//! Rules use the keyword detector, which works with every catalogue;
//! `docs/catalogue.md` lists them. Their time grows linearly with the catalogue.

mod examples;
mod phrases;
mod queries;

use std::collections::BTreeMap;

use super::definition::Catalogue;
use super::diagnostic::{CatalogueError, Diagnostic};
use super::intent::Intent;
use super::spans::{CatalogueSpans, IntentSpans};
use crate::detect::KeywordDetector;
use crate::text::{normalise, words};

/// A phrase in more intents than this distinguishes none of them. The bound also
/// limits the cost of detecting an example.
const MOST_USES: usize = 64;

impl Catalogue {
    /// Warnings about parts of a valid catalogue that are probably mistakes,
    /// sorted by line: phrases with the same weight in two intents, intents that
    /// the [keyword detector](crate::KeywordDetector) cannot find, examples that
    /// are too few, that it takes for another intent, or that are nearly the same
    /// as those of another one, and slots that occur in no example.
    /// `docs/catalogue.md` describes every rule.
    ///
    /// Costs a few times as much as parsing, and the detection of every phrase
    /// and example.
    ///
    /// # Errors
    /// As [`Catalogue::parse`].
    ///
    /// ```
    /// use intent_router::Catalogue;
    ///
    /// let warnings = Catalogue::lint(
    ///     r#"
    ///     [[intent]]
    ///     name = "opening_hours"
    ///     kind = "knowledge_base"
    ///     phrases = [{ text = "open", weight = 0.5 }]
    ///     "#,
    /// )?;
    /// assert!(warnings[0].message.contains("cannot be detected by its phrases"));
    /// # Ok::<(), intent_router::CatalogueError>(())
    /// ```
    pub fn lint(toml: &str) -> Result<Vec<Diagnostic>, CatalogueError> {
        warnings(toml)
    }
}

fn warnings(toml: &str) -> Result<Vec<Diagnostic>, CatalogueError> {
    let spans = CatalogueSpans::of(toml)?;
    let mut linter = Linter::new(&spans);
    linter.phrases();
    linter.examples();
    linter.queries();
    let mut warnings = linter.warnings;
    warnings.sort_by_key(Diagnostic::line);
    Ok(warnings)
}

/// A phrase of an intent.
#[derive(Clone, Copy)]
struct PhraseUse {
    intent: usize,
    phrase: usize,
    weight: f64,
}

struct Linter<'p> {
    spans: &'p CatalogueSpans,
    detector: KeywordDetector,
    /// The uses of each phrase in the order of the file, by its words.
    uses: BTreeMap<String, Vec<PhraseUse>>,
    warnings: Vec<Diagnostic>,
}

impl<'p> Linter<'p> {
    fn new(spans: &'p CatalogueSpans) -> Self {
        let catalogue = spans.catalogue();
        let mut uses = BTreeMap::<String, Vec<PhraseUse>>::new();
        for (i, intent) in catalogue.intents().iter().enumerate() {
            for (n, phrase) in intent.phrases.iter().enumerate() {
                uses.entry(joined(&phrase.text))
                    .or_default()
                    .push(PhraseUse {
                        intent: i,
                        phrase: n,
                        weight: phrase.weight,
                    });
            }
        }
        Self {
            spans,
            detector: KeywordDetector::new(catalogue),
            uses,
            warnings: Vec::new(),
        }
    }

    fn catalogue(&self) -> &'p Catalogue {
        self.spans.catalogue()
    }

    /// Every intent with its index and its spans.
    fn intents(&self) -> impl Iterator<Item = (usize, &'p Intent, &'p IntentSpans)> + use<'p> {
        let intents = self.spans.catalogue().intents().iter();
        let both = intents.zip(&self.spans.intents).enumerate();
        both.map(|(i, (intent, spans))| (i, intent, spans))
    }

    fn name(&self, intent: usize) -> &'p str {
        &self.catalogue().intents()[intent].name
    }

    /// Whether the cost of detection is bounded by a constant times the length of
    /// the message.
    fn is_detection_cheap(&self) -> bool {
        let mut uses = self.uses.values();
        uses.all(|uses| uses.len() <= MOST_USES)
    }

    fn warn(&mut self, intent: usize, part: &str, at: usize, warning: Diagnostic) {
        let warning = self.spans.in_intent(intent, part, at, warning);
        self.warnings.push(warning);
    }
}

/// The words of a text in the normal form that the detector compares.
fn joined(text: &str) -> String {
    words(&normalise(text)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
