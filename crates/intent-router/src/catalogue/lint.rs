//! What is allowed in a catalogue but deserves a second look.
//!
//! Rules look at the catalogue with the keyword detector at hand, which every
//! catalogue can be used with; `docs/catalogue.md` lists them. All take a time
//! that grows with the catalogue and not with its square.

mod examples;
mod phrases;
mod queries;

use std::collections::BTreeMap;

use super::places::{IntentPlaces, Places};
use super::{Catalogue, CatalogueError, Intent, Problem};
use crate::detect::KeywordDetector;
use crate::text::{normalise, words};

/// A phrase in more intents than these tells none of them apart. It also
/// bounds what the detection of an example can cost.
const MOST_SPEAKERS: usize = 64;

pub(super) fn lint(toml: &str) -> Result<Vec<Problem>, CatalogueError> {
    let places = Places::of(toml)?;
    let mut linter = Linter::new(&places);
    linter.phrases();
    linter.examples();
    linter.queries();
    let mut problems = linter.problems;
    problems.sort_by_key(|problem| problem.line);
    Ok(problems)
}

/// One phrase of one intent.
#[derive(Clone, Copy)]
struct Speaker {
    intent: usize,
    phrase: usize,
    weight: f64,
}

struct Linter<'p> {
    places: &'p Places,
    detector: KeywordDetector,
    /// Who has each phrase, by its words; in the order of the file.
    speakers: BTreeMap<String, Vec<Speaker>>,
    problems: Vec<Problem>,
}

impl<'p> Linter<'p> {
    fn new(places: &'p Places) -> Self {
        let catalogue = places.catalogue();
        let mut speakers = BTreeMap::<String, Vec<Speaker>>::new();
        for (i, intent) in catalogue.intents().iter().enumerate() {
            for (n, phrase) in intent.phrases.iter().enumerate() {
                speakers
                    .entry(joined(&phrase.text))
                    .or_default()
                    .push(Speaker {
                        intent: i,
                        phrase: n,
                        weight: phrase.weight,
                    });
            }
        }
        Self {
            places,
            detector: KeywordDetector::new(catalogue),
            speakers,
            problems: Vec::new(),
        }
    }

    fn catalogue(&self) -> &'p Catalogue {
        self.places.catalogue()
    }

    /// Every intent with its number and its places.
    fn intents(&self) -> impl Iterator<Item = (usize, &'p Intent, &'p IntentPlaces)> + use<'p> {
        let intents = self.places.catalogue().intents().iter();
        let both = intents.zip(&self.places.intents).enumerate();
        both.map(|(i, (intent, places))| (i, intent, places))
    }

    fn name(&self, intent: usize) -> &'p str {
        &self.catalogue().intents()[intent].name
    }

    /// Whether detecting a message costs no more than a fixed multiple of its
    /// length.
    fn is_detection_cheap(&self) -> bool {
        let mut speakers = self.speakers.values();
        speakers.all(|speakers| speakers.len() <= MOST_SPEAKERS)
    }

    fn add(&mut self, intent: usize, part: &str, at: usize, message: String) {
        let problem = self.places.of_intent(intent, part, at, message);
        self.problems.push(problem);
    }
}

/// The words of a text in normal form, as the detector compares them.
fn joined(text: &str) -> String {
    words(&normalise(text)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
