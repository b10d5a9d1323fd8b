//! Detection by a trained model, with rules above it and phrases below it.

use std::collections::HashMap;

use super::{Detection, Detector, Evidence, KeywordDetector, LinearDetector};
use crate::catalogue::{Catalogue, Intent};
use crate::phrases::Phrases;
use crate::text::{Token, fold_message, tokens};

/// Finds the intent of a message by a trained model, which the catalogue's
/// rules overrule, and by the catalogue's phrases where the model abstains.
///
/// 1. **Overrule.** A message that holds an intent's
///    [overruling phrase](Intent::overrule) has that intent, with confidence 1;
///    of several the longest decides, of equally long ones the first in the
///    catalogue.
/// 2. **Veto.** A message that holds a [vetoing phrase](Intent::veto) of an
///    intent never has that intent: the next best that is sure enough, or none.
/// 3. **The model** says the intent, where it is sure enough. Where an intent
///    has phrases and none of them stands in the message, the model may be
///    wrong a tenth as often as its threshold allows; and the doubt that it
///    allows shrinks with the square of the share of words that stand in an
///    example or phrase. A greeting, or another
///    intent that [yields](Intent::yields), gives way to an intent that the
///    phrases find; and where the model abstains on a message with a greeting,
///    it is asked again without it.
/// 4. **Phrases.** Where the model abstains, the [`KeywordDetector`] decides, if
///    it is as sure as the model would have to be, and 0.75 at least. Its
///    confidence shrinks by the share of words that stand in no example.
///
/// Phrases of rules are found as whole words in the
/// [normalised](crate::normalise) message. Only its first 4,096 bytes are
/// looked at for rules and by the model.
///
/// ```
/// use intent_router::{Catalogue, CombinedDetector, Detector, LinearDetector, LinearModel};
///
/// let model = LinearDetector::new(LinearModel::built_in().clone(), None)?;
/// let detector = CombinedDetector::new(Catalogue::built_in(), model);
/// let found = detector.detect("Hello, how far are you with my claim?");
/// assert_eq!(found.intent, "claim_status");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CombinedDetector {
    intents: Vec<Candidate>,
    /// Their positions, by their names.
    by_name: HashMap<String, usize>,
    /// Of each phrase the intents that it makes a message's.
    overrules: Phrases<Vec<usize>>,
    /// Of each phrase the intents that a message with it cannot have.
    vetoes: Phrases<Vec<usize>>,
    /// The phrases of intents that yield.
    openings: Phrases<()>,
    model: LinearDetector,
    phrases: KeywordDetector,
}

#[derive(Debug)]
struct Candidate {
    name: String,
    yields: bool,
    /// Whether a message of this intent nearly always holds one of its phrases,
    /// so that it says something if none is there.
    expects_phrases: bool,
}

/// What is left of the doubt that the model's threshold allows where a phrase is
/// expected, and none stands in the message.
const UNSUPPORTED: f64 = 0.1;

/// The share of an intent's examples that have to hold one of its phrases for
/// one to be expected: a few phrases beside many examples are no list of all
/// that can be said.
const NEARLY_ALWAYS: f64 = 0.9;

/// The least confidence of phrases that decide where the model abstains.
const SURE: f64 = 0.75;

/// A rule of the catalogue that a message falls under.
struct Rule {
    intent: usize,
    phrase: String,
}

/// What the rules leave of a message.
struct Read {
    overruled: Option<Rule>,
    vetoed: Vec<Rule>,
    /// The message without openings; `None` where there are none, or nothing
    /// else.
    question: Option<String>,
}

/// Which of the steps decided, on which text.
enum Step {
    Overruled,
    Question,
    Whole,
    Phrases,
}

impl CombinedDetector {
    /// A detector of the catalogue's intents. Those of the model that the
    /// catalogue does not have are never named.
    pub fn new(catalogue: &Catalogue, model: LinearDetector) -> Self {
        let intents = catalogue.intents();
        let rules = |of: fn(&Intent) -> &[String]| {
            let mut phrases = Phrases::<Vec<usize>>::default();
            for (i, intent) in intents.iter().enumerate() {
                for phrase in of(intent) {
                    if let Some(found) = phrases.entry(phrase) {
                        found.push(i);
                    }
                }
            }
            phrases
        };
        let mut openings = Phrases::<()>::default();
        for intent in intents.iter().filter(|intent| intent.yields) {
            for phrase in &intent.phrases {
                openings.entry(&phrase.text);
            }
        }
        let phrases = KeywordDetector::new(catalogue);
        let expects_phrases = |intent: &Intent| {
            let examples = intent.examples.iter();
            let speaks = |example: &&String| phrases.speaks_for(example, &intent.name);
            let spoken = examples
                .filter(|example| speaks(example) == Some(true))
                .count();
            spoken > 0 && spoken as f64 >= NEARLY_ALWAYS * intent.examples.len() as f64
        };
        let names = intents.iter().map(|intent| intent.name.clone());
        let candidates = intents.iter().map(|intent| Candidate {
            name: intent.name.clone(),
            yields: intent.yields,
            expects_phrases: expects_phrases(intent),
        });
        Self {
            overrules: rules(|intent| &intent.overrule),
            vetoes: rules(|intent| &intent.veto),
            openings,
            by_name: names.zip(0..).collect(),
            intents: candidates.collect(),
            model,
            phrases,
        }
    }

    /// The trained model.
    pub fn model(&self) -> &LinearDetector {
        &self.model
    }

    /// Finds the rules' phrases. Costs a look-up or two a word.
    fn read(&self, message: &str) -> Read {
        let start = super::start_of(message);
        let normal = fold_message(start).unwrap_or_default();
        let words: Vec<Token<'_>> = tokens(&normal).collect();
        let mut overruled: Option<(usize, Rule)> = None;
        let mut vetoed: Vec<Rule> = Vec::new();
        let mut question = String::new();
        let mut opened = 0;
        for (at, word) in words.iter().enumerate() {
            let rest = &words[at..];
            let rule = |length: usize, intent: &usize| Rule {
                intent: *intent,
                phrase: phrase(&rest[..length]),
            };
            for (length, found) in self.overrules.at(rest) {
                for intent in found {
                    let is_better = overruled.as_ref().is_none_or(|(longest, best)| {
                        length > *longest || (length == *longest && *intent < best.intent)
                    });
                    if is_better {
                        overruled = Some((length, rule(length, intent)));
                    }
                }
            }
            for (length, found) in self.vetoes.at(rest) {
                let new = |intent: &&usize| vetoed.iter().all(|rule| rule.intent != **intent);
                let found: Vec<&usize> = found.iter().filter(new).collect();
                vetoed.extend(found.into_iter().map(|intent| rule(length, intent)));
            }
            if let Some((length, ())) = self.openings.at(rest).next() {
                opened = opened.max(at + length);
            }
            if at >= opened {
                question.push_str(&word.word);
                question.push(' ');
            }
        }
        Read {
            overruled: overruled.map(|(_, rule)| rule),
            vetoed,
            question: (opened > 0 && !question.is_empty()).then_some(question),
        }
    }

    fn decide(&self, message: &str, read: &Read) -> (Detection, Step) {
        if let Some(rule) = &read.overruled {
            let detection = Detection {
                intent: self.intents[rule.intent].name.clone(),
                confidence: 1.0,
            };
            return (detection, Step::Overruled);
        }
        let may = |name: &str| self.may(name, read);
        let asks = |name: &str| may(name) && !self.yields(name);
        let question = read.question.as_deref();
        let whole = self.sure(message, may);
        match &whole {
            Some(found) if !self.yields(&found.intent) => {
                return (found.clone(), Step::Whole);
            }
            None => {
                if let Some(found) = question.and_then(|question| self.sure(question, asks)) {
                    return (found, Step::Question);
                }
            }
            _ => {}
        }
        let surely = |may: &dyn Fn(&str) -> bool| self.surely_by_phrases(message, may);
        let among = |may: &dyn Fn(&str) -> bool| self.phrases.detect_among(message, may);
        // A greeting gives way to whatever the phrases find beside it.
        match whole {
            Some(found) => match among(&asks) {
                Some(other) => (other, Step::Phrases),
                None => (found, Step::Whole),
            },
            None => {
                let found = surely(&asks).or_else(|| surely(&may));
                (found.unwrap_or_else(Detection::unknown), Step::Phrases)
            }
        }
    }

    /// What the phrases find, where that is sure enough to speak against a
    /// model that abstains. Every word that stands in no example takes its
    /// share of the confidence: a phrase is no proof among strange words.
    fn surely_by_phrases(&self, message: &str, may: impl Fn(&str) -> bool) -> Option<Detection> {
        let mut found = self.phrases.detect_among(message, may)?;
        found.confidence *= self.familiar_share(message);
        let least = self.model.model().threshold().max(SURE);
        (found.confidence >= least).then_some(found)
    }

    /// What the model says, where that is sure enough.
    fn sure(&self, message: &str, may: impl Fn(&str) -> bool) -> Option<Detection> {
        let found = self.model.detect_among(message, may)?;
        let doubt = 1.0 - self.model.model().threshold();
        let is_expected = |at: &usize| self.intents[*at].expects_phrases;
        let is_unsupported = self.by_name.get(&found.intent).is_some_and(is_expected)
            && self.phrases.speaks_for(message, &found.intent) == Some(false);
        let mut allowed = doubt * self.familiar_share(message).powi(2);
        if is_unsupported {
            allowed *= UNSUPPORTED;
        }
        (1.0 - found.confidence <= allowed).then_some(found)
    }

    /// The share of a message's words that the catalogue's intents know: from
    /// an example, from a phrase (misspelt or not), or as part of a number.
    fn familiar_share(&self, message: &str) -> f64 {
        let is_number = |word: &str| word.contains(|c: char| c.is_numeric());
        let knows = |word: &str| is_number(word) || self.phrases.knows(word);
        1.0 - self.model.foreign_share(message, knows)
    }

    /// Whether the rules let a message have an intent.
    fn may(&self, name: &str, read: &Read) -> bool {
        let at = self.by_name.get(name);
        at.is_some_and(|at| read.vetoed.iter().all(|rule| rule.intent != *at))
    }

    fn yields(&self, name: &str) -> bool {
        let at = self.by_name.get(name);
        at.is_some_and(|at| self.intents[*at].yields)
    }
}

impl Detector for CombinedDetector {
    fn detect(&self, message: &str) -> Detection {
        self.decide(message, &self.read(message)).0
    }

    fn is_costly(&self) -> bool {
        true
    }

    /// The rules that the message falls under, then what the model was moved
    /// by, and the phrases where it abstained.
    fn explain(&self, message: &str) -> Vec<Evidence> {
        let read = self.read(message);
        let (_, step) = self.decide(message, &read);
        let rule = |rule: &Rule, does: &str, weight: f64| Evidence {
            intent: self.intents[rule.intent].name.clone(),
            feature: format!("{does} phrase \"{}\"", rule.phrase),
            weight,
        };
        let overruled = read.overruled.iter();
        let mut found: Vec<Evidence> = overruled.map(|r| rule(r, "overruling", 1.0)).collect();
        found.extend(read.vetoed.iter().map(|r| rule(r, "vetoing", -1.0)));
        let may = |name: &str| self.may(name, &read);
        match (step, &read.question) {
            (Step::Overruled, _) => {}
            (Step::Question, Some(question)) => {
                let may = |name: &str| may(name) && !self.yields(name);
                found.extend(self.model.explain_among(question, may));
            }
            (Step::Question | Step::Whole, _) => {
                found.extend(self.model.explain_among(message, may));
            }
            (Step::Phrases, _) => {
                found.extend(self.model.explain_among(message, may));
                found.extend(self.phrases.explain(message));
            }
        }
        found
    }
}

fn phrase(words: &[Token<'_>]) -> String {
    let words: Vec<&str> = words.iter().map(|token| token.word.as_ref()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests;
