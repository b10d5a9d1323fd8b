//! Examples that are too few, too similar, or detected as another intent.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Linter, joined};
use crate::catalogue::Diagnostic;
use crate::detect::{Detection, Detector};
use crate::slots::{Date, Slots};

/// With fewer examples a trained detector learns little more than their words,
/// and none are left to measure it on.
const FEWEST_EXAMPLES: usize = 10;

/// In shorter examples a single word makes a different question.
pub(super) const FEWEST_SHARED_WORDS: usize = 5;

/// The budget of the search for slots: bytes of examples times slots of their
/// intents. Slots beyond it are not reported.
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
        for (i, intent, spans) in self.intents() {
            let count = intent.examples.len();
            if count < FEWEST_EXAMPLES {
                let plural = if count == 1 { "" } else { "s" };
                let message = format!(
                    "has {count} example{plural}; about {FEWEST_EXAMPLES} are needed to train and check a detector"
                );
                self.warn(i, "", spans.at, Diagnostic::warning(message));
            }
        }
    }

    /// Examples that the detector takes for another intent.
    fn misread(&mut self) {
        for (i, intent, spans) in self.intents() {
            for (n, (example, at)) in intent.examples.iter().zip(&spans.examples).enumerate() {
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
                    "example \"{example}\" of intent \"{}\" is detected as intent \"{found}\" because of {}",
                    intent.name,
                    because.join(", ")
                );
                let warning = Diagnostic::warning(message);
                self.warn(i, &format!("examples[{n}]"), *at, warning);
            }
        }
    }

    /// Examples of different intents with the same words, or all but one.
    fn alike(&mut self) {
        let mut examples: Vec<ExampleWords<'_>> = Vec::new();
        let mut index = Index::default();
        let mut found = Vec::new();
        for (i, intent, spans) in self.intents() {
            for (n, (text, at)) in intent.examples.iter().zip(&spans.examples).enumerate() {
                let example = ExampleWords::new(i, n, text, *at);
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
                let sum = example.sum.wrapping_sub(word_hash(word));
                let rest = || example.words[..n].iter().chain(&example.words[n + 1..]);
                let same = |other: &ExampleWords<'_>| other.words.iter().eq(rest());
                Some((index.other(&examples, sum, example.intent, same)?, word))
            });
            found.extend(shorter.map(|(other, word)| (e, other, Some(word))));
        }
        for (e, other, more) in found {
            let (example, other) = (&examples[e], &examples[other]);
            let but = more.map_or(String::new(), |word| format!(", except for \"{word}\","));
            let message = format!(
                "example \"{}\" has the same words{but} as \"{}\" of intent \"{}\" on line {}",
                example.text,
                other.text,
                self.name(other.intent),
                self.spans.position(other.at).line
            );
            let part = format!("examples[{}]", example.index);
            let warning = Diagnostic::warning(message);
            self.warn(example.intent, &part, example.at, warning);
        }
    }

    /// Slots that are found in no example of their intent.
    fn without_slots(&mut self) {
        // Whether a period is found does not depend on the day.
        let today = Date::from_unix_seconds(0);
        let mut searched = 0;
        for (i, intent, spans) in self.intents() {
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
                let message = format!("slot \"{}\" is not found in any example", intent.slots[n]);
                let warning =
                    Diagnostic::warning(message).with_remedy("add an example that names it");
                self.warn(i, &format!("slots[{n}]"), spans.slots[n], warning);
            }
        }
    }
}

/// An example with its distinct words, sorted.
struct ExampleWords<'p> {
    intent: usize,
    index: usize,
    text: &'p str,
    at: usize,
    words: Vec<String>,
    /// The sum of the hashes of the words, from which one word can be subtracted.
    sum: u64,
}

impl<'p> ExampleWords<'p> {
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
                .fold(0, |sum, word| sum.wrapping_add(word_hash(word))),
            words,
        }
    }
}

/// The hash of a word. Two words may share one, so matches are compared by their
/// words.
fn word_hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

/// Examples by the sum of their words: the first with each sum, and the first of
/// another intent. These two are enough to find an example of another intent.
#[derive(Default)]
struct Index(HashMap<u64, (usize, Option<usize>)>);

impl Index {
    /// Adds the example that follows `examples`.
    fn add(&mut self, examples: &[ExampleWords<'_>], example: &ExampleWords<'_>) {
        let (first, second) = self.0.entry(example.sum).or_insert((examples.len(), None));
        let is_other = |first: &ExampleWords<'_>| first.intent != example.intent;
        if second.is_none() && examples.get(*first).is_some_and(is_other) {
            *second = Some(examples.len());
        }
    }

    /// An example of another intent with this sum that is `wanted`.
    fn other(
        &self,
        examples: &[ExampleWords<'_>],
        sum: u64,
        intent: usize,
        wanted: impl Fn(&ExampleWords<'_>) -> bool,
    ) -> Option<usize> {
        let (first, second) = self.0.get(&sum)?;
        [Some(*first), *second]
            .into_iter()
            .flatten()
            .find(|e| examples[*e].intent != intent && wanted(&examples[*e]))
    }
}
