//! Examples that are too few, too alike, or taken for something else.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Linter, joined};
use crate::detect::{Detection, Detector};
use crate::slots::{Date, Slots};

/// With fewer examples than these a trained detector learns little more of an
/// intent than their very words, and there is nothing to measure it on.
const FEWEST_EXAMPLES: usize = 10;

/// Of shorter examples, one word more is another question.
pub(super) const FEWEST_SHARED_WORDS: usize = 5;

/// How many bytes of examples are searched for slots, once for each slot of
/// their intents. What is not found within these is not reported.
const MOST_SEARCHED: usize = 8 << 20;

impl Linter<'_> {
    pub(super) fn examples(&mut self) {
        self.few();
        if self.is_detection_cheap() {
            self.misread();
        }
        self.alike();
        self.without_slots();
    }

    fn few(&mut self) {
        for (i, intent, places) in self.intents() {
            let count = intent.examples.len();
            if count < FEWEST_EXAMPLES {
                let plural = if count == 1 { "" } else { "s" };
                let message = format!(
                    "has {count} example{plural}; about {FEWEST_EXAMPLES} are needed to train a detector and to check one"
                );
                self.add(i, "", places.at, message);
            }
        }
    }

    /// Examples that the detector takes for another intent.
    fn misread(&mut self) {
        for (i, intent, places) in self.intents() {
            for (n, (example, at)) in intent.examples.iter().zip(&places.examples).enumerate() {
                let found = self.detector.detect(example).intent;
                if found == intent.name || found == Detection::UNKNOWN {
                    continue;
                }
                let because = self.detector.explain(example);
                let because: Vec<_> = because
                    .iter()
                    .filter(|evidence| evidence.intent == found)
                    .map(|evidence| evidence.feature.as_str())
                    .collect();
                let message = format!(
                    "example \"{example}\" of intent \"{}\" is taken for intent \"{found}\", because of {}",
                    intent.name,
                    because.join(", ")
                );
                self.add(i, &format!("examples[{n}]"), *at, message);
            }
        }
    }

    /// Examples of different intents that have the same words, or all but one.
    fn alike(&mut self) {
        let mut examples: Vec<Example<'_>> = Vec::new();
        let mut index = Index::default();
        let mut found = Vec::new();
        for (i, intent, places) in self.intents() {
            for (n, (text, at)) in intent.examples.iter().zip(&places.examples).enumerate() {
                let example = Example::new(i, n, text, *at);
                if let Some(other) = index.other(&examples, example.sum, i, |other| {
                    other.words == example.words
                }) {
                    found.push((examples.len(), other, None));
                }
                index.add(&examples, &example);
                examples.push(example);
            }
        }
        for (e, example) in examples.iter().enumerate() {
            if example.words.len() <= FEWEST_SHARED_WORDS {
                continue;
            }
            let shorter = example.words.iter().enumerate().find_map(|(n, word)| {
                let sum = example.sum.wrapping_sub(number(word));
                let rest = || example.words[..n].iter().chain(&example.words[n + 1..]);
                let same = |other: &Example<'_>| other.words.iter().eq(rest());
                Some((index.other(&examples, sum, example.intent, same)?, word))
            });
            found.extend(shorter.map(|(other, word)| (e, other, Some(word))));
        }
        for (e, other, more) in found {
            let (example, other) = (&examples[e], &examples[other]);
            let but = more.map_or(String::new(), |word| format!(" but for \"{word}\""));
            let message = format!(
                "example \"{}\" has the same words{but} as \"{}\" of intent \"{}\", on line {}",
                example.text,
                other.text,
                self.name(other.intent),
                self.places.line(other.at)
            );
            let part = format!("examples[{}]", example.index);
            self.add(example.intent, &part, example.at, message);
        }
    }

    /// Slots that no example of the intent names.
    fn without_slots(&mut self) {
        // The day that periods count from does not decide whether they are found.
        let today = Date::from_unix_seconds(0);
        let mut searched = 0;
        for (i, intent, places) in self.intents() {
            if intent.examples.is_empty() {
                continue;
            }
            let mut missing: Vec<usize> = (0..intent.slots.len()).collect();
            for example in &intent.examples {
                if missing.is_empty() {
                    break;
                }
                searched += (1 + example.len()) * intent.slots.len();
                if searched > MOST_SEARCHED {
                    return;
                }
                let found = Slots::find(intent, self.catalogue(), example, today);
                missing.retain(|n| found.get(&intent.slots[*n]).is_none());
            }
            for n in missing {
                let message = format!(
                    "slot \"{}\" is found in none of the examples; add one that names it",
                    intent.slots[n]
                );
                self.add(i, &format!("slots[{n}]"), places.slots[n], message);
            }
        }
    }
}

/// An example with its distinct words, sorted.
struct Example<'p> {
    intent: usize,
    index: usize,
    text: &'p str,
    at: usize,
    words: Vec<String>,
    /// The sum of the words' numbers, from which one can be taken away.
    sum: u64,
}

impl<'p> Example<'p> {
    fn new(intent: usize, index: usize, text: &'p str, at: usize) -> Self {
        let joined = joined(text);
        let mut words: Vec<_> = joined.split_whitespace().map(str::to_owned).collect();
        words.sort_unstable();
        words.dedup();
        Self {
            intent,
            index,
            text,
            at,
            sum: words
                .iter()
                .fold(0, |sum, word| sum.wrapping_add(number(word))),
            words,
        }
    }
}

/// A number for a word. Two words may share one, so that what is found by
/// numbers is compared afterwards.
fn number(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

/// Examples by the sum of their words: of those with the same, the first, and
/// the first of another intent than that one's. Whoever looks for an example
/// of another intent finds one, however many there are.
#[derive(Default)]
struct Index(HashMap<u64, (usize, Option<usize>)>);

impl Index {
    /// Adds the example that comes after those so far.
    fn add(&mut self, examples: &[Example<'_>], example: &Example<'_>) {
        let (first, second) = self.0.entry(example.sum).or_insert((examples.len(), None));
        let is_other = |first: &Example<'_>| first.intent != example.intent;
        if second.is_none() && examples.get(*first).is_some_and(is_other) {
            *second = Some(examples.len());
        }
    }

    /// An example of another intent with this sum that is `wanted`.
    fn other(
        &self,
        examples: &[Example<'_>],
        sum: u64,
        intent: usize,
        wanted: impl Fn(&Example<'_>) -> bool,
    ) -> Option<usize> {
        let (first, second) = self.0.get(&sum)?;
        [Some(*first), *second]
            .into_iter()
            .flatten()
            .find(|e| examples[*e].intent != intent && wanted(&examples[*e]))
    }
}
