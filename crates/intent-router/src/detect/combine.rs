//! Detection by a trained model, with rules before it and phrases after it.

use std::collections::HashMap;

use intent_model::features::preprocess;
use intent_model::{Detection, Evidence};

use super::detector::Detector;
use super::keyword::KeywordDetector;
use super::linear::LinearDetector;
use crate::catalogue::{Catalogue, Intent};
use crate::phrases::Phrases;
use crate::text::{Token, tokens};

/// Finds the intent of a message by a trained model, which the catalogue's
/// rules overrule, and by the catalogue's phrases where the model abstains.
///
/// 1. **Overrule.** A message with an [overruling phrase](Intent::overrule) of
///    an intent has that intent, with confidence 1. Of several phrases the
///    longest decides, of equally long ones that of the first intent in the
///    catalogue.
/// 2. **Veto.** A message with a [vetoing phrase](Intent::veto) of an intent
///    never has that intent; the next best may be named instead.
/// 3. **Model.** The model decides if its doubt (1 minus its confidence) is at
///    most the doubt that its threshold allows. The allowed doubt is multiplied
///    by the square of the share of words that are in an example or phrase, and
///    by a tenth if the intent's messages nearly always have one of its phrases
///    and this one has none. An intent that [yields](Intent::yields), such as a
///    greeting, gives way to one that the phrases find. If the model abstains on
///    a message with a greeting, it is asked again without the greeting.
/// 4. **Phrases.** If the model abstains, the [`KeywordDetector`] decides if its
///    confidence reaches the model's threshold, and 0.75 at least. Its confidence
///    is multiplied by the share of words that are in an example or phrase.
///
/// Phrases of rules match whole words of the [normalised](crate::normalise)
/// message. Rules and the model read its first 4,096 bytes.
///
/// ```
/// use intent_router::{Catalogue, CombinedDetector, Detector, LinearDetector};
///
/// let detector = CombinedDetector::new(Catalogue::built_in(), LinearDetector::built_in());
/// let found = detector.detect("Hello, how far are you with my claim?");
/// assert_eq!(found.intent, "claim_status");
/// ```
#[derive(Debug)]
pub struct CombinedDetector {
    intents: Vec<IntentTraits>,
    /// Their indices, by name.
    by_name: HashMap<String, usize>,
    /// Overruling phrases, with the intents that they decide for.
    overrules: Phrases<Vec<usize>>,
    /// Vetoing phrases, with the intents that they exclude.
    vetoes: Phrases<Vec<usize>>,
    /// The phrases of intents that yield.
    openings: Phrases<()>,
    model: LinearDetector,
    phrases: KeywordDetector,
}

/// What the detector knows of an intent.
#[derive(Debug)]
struct IntentTraits {
    name: String,
    yields: bool,
    /// Whether nearly all of its examples have one of its phrases, so that a
    /// message without any is less likely to have the intent.
    expects_phrases: bool,
}

/// The factor of the allowed doubt (1 minus the model's threshold), if a phrase
/// is expected and the message has none.
const UNSUPPORTED: f64 = 0.1;

/// The share of an intent's examples with one of its phrases from which a phrase
/// is expected in a message.
const NEARLY_ALWAYS: f64 = 0.9;

/// The least confidence with which phrases decide if the model abstains.
const SURE: f64 = 0.75;

/// A rule of the catalogue that a message matches.
struct Rule {
    intent: usize,
    phrase: String,
}

/// The rules that a message matches.
struct RuleMatches {
    overruled: Option<Rule>,
    vetoed: Vec<Rule>,
    /// The message without the phrases of intents that yield; `None` if it has
    /// none of them, or nothing else.
    question: Option<String>,
}

/// The step that decided, and on which text.
enum DecidedBy {
    /// An overruling phrase.
    Overruled,
    /// The model, on the message without the phrases of intents that yield.
    Question,
    /// The model, on the whole message.
    Whole,
    /// The phrases, or no step.
    Phrases,
}

impl CombinedDetector {
    /// A detector of the catalogue's intents. Other intents of the model are
    /// never named.
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
            let speaks = |example: &&String| phrases.has_phrase_of(example, &intent.name);
            let spoken = examples
                .filter(|example| speaks(example) == Some(true))
                .count();
            spoken > 0 && spoken as f64 >= NEARLY_ALWAYS * intent.examples.len() as f64
        };
        let names = intents.iter().map(|intent| intent.name.clone());
        let traits = intents.iter().map(|intent| IntentTraits {
            name: intent.name.clone(),
            yields: intent.yields,
            expects_phrases: expects_phrases(intent),
        });
        Self {
            overrules: rules(|intent| &intent.overrule),
            vetoes: rules(|intent| &intent.veto),
            openings,
            by_name: names.zip(0..).collect(),
            intents: traits.collect(),
            model,
            phrases,
        }
    }

    /// The trained model.
    pub fn model(&self) -> &LinearDetector {
        &self.model
    }

    /// The rules that a message matches. Costs a look-up or two a word.
    fn match_rules(&self, message: &str) -> RuleMatches {
        let normal = preprocess(message);
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
        RuleMatches {
            overruled: overruled.map(|(_, rule)| rule),
            vetoed,
            question: (opened > 0 && !question.is_empty()).then_some(question),
        }
    }

    fn decide(&self, message: &str, matched: &RuleMatches) -> (Detection, DecidedBy) {
        if let Some(rule) = &matched.overruled {
            let detection = Detection {
                intent: self.intents[rule.intent].name.clone(),
                confidence: 1.0,
            };
            return (detection, DecidedBy::Overruled);
        }
        let may = |name: &str| self.may(name, matched);
        let asks = |name: &str| may(name) && !self.yields(name);
        let question = matched.question.as_deref();
        let whole = self.sure(message, may);
        match &whole {
            Some(found) if !self.yields(&found.intent) => {
                return (found.clone(), DecidedBy::Whole);
            }
            None => {
                if let Some(found) = question.and_then(|question| self.sure(question, asks)) {
                    return (found, DecidedBy::Question);
                }
            }
            _ => {}
        }
        let surely = |may: &dyn Fn(&str) -> bool| self.surely_by_phrases(message, may);
        let among = |may: &dyn Fn(&str) -> bool| self.phrases.detect_among(message, may);
        // An intent that yields gives way to one that the phrases find.
        match whole {
            Some(found) => match among(&asks) {
                Some(other) => (other, DecidedBy::Phrases),
                None => (found, DecidedBy::Whole),
            },
            None => {
                let found = surely(&asks).or_else(|| surely(&may));
                (found.unwrap_or_else(Detection::unknown), DecidedBy::Phrases)
            }
        }
    }

    /// The detection by phrases, if its confidence is high enough although the
    /// model abstains. The confidence is multiplied by the share of familiar
    /// words: among unknown words a phrase is weak evidence.
    fn surely_by_phrases(&self, message: &str, may: impl Fn(&str) -> bool) -> Option<Detection> {
        let mut found = self.phrases.detect_among(message, may)?;
        found.confidence *= self.familiar_share(message);
        let least = self.model.model().threshold().max(SURE);
        (found.confidence >= least).then_some(found)
    }

    /// The model's prediction, if its confidence is high enough.
    fn sure(&self, message: &str, may: impl Fn(&str) -> bool) -> Option<Detection> {
        let found = self.model.classifier().detect_among(message, may)?;
        let doubt = 1.0 - self.model.model().threshold();
        let is_expected = |at: &usize| self.intents[*at].expects_phrases;
        let is_unsupported = self.by_name.get(&found.intent).is_some_and(is_expected)
            && self.phrases.has_phrase_of(message, &found.intent) == Some(false);
        let mut allowed = doubt * self.familiar_share(message).powi(2);
        if is_unsupported {
            allowed *= UNSUPPORTED;
        }
        (1.0 - found.confidence <= allowed).then_some(found)
    }

    /// The share of a message's words that are in an example, or in a phrase,
    /// misspelt or not, or have a digit.
    fn familiar_share(&self, message: &str) -> f64 {
        let is_number = |word: &str| word.contains(|c: char| c.is_numeric());
        let knows = |word: &str| is_number(word) || self.phrases.knows(word);
        1.0 - self.model.classifier().unseen_share(message, knows)
    }

    /// Whether the rules allow a message to have an intent.
    fn may(&self, name: &str, matched: &RuleMatches) -> bool {
        let at = self.by_name.get(name);
        at.is_some_and(|at| matched.vetoed.iter().all(|rule| rule.intent != *at))
    }

    fn yields(&self, name: &str) -> bool {
        let at = self.by_name.get(name);
        at.is_some_and(|at| self.intents[*at].yields)
    }
}

impl Detector for CombinedDetector {
    fn detect(&self, message: &str) -> Detection {
        self.decide(message, &self.match_rules(message)).0
    }

    fn is_costly(&self) -> bool {
        true
    }

    /// The rules that the message matches, then the evidence of the model, and
    /// that of the phrases where it abstained.
    fn explain(&self, message: &str) -> Vec<Evidence> {
        let matched = self.match_rules(message);
        let (_, decided_by) = self.decide(message, &matched);
        let rule = |rule: &Rule, does: &str, weight: f64| Evidence {
            intent: self.intents[rule.intent].name.clone(),
            feature: format!("{does} phrase \"{}\"", rule.phrase),
            weight,
        };
        let overruled = matched.overruled.iter();
        let mut found: Vec<Evidence> = overruled.map(|r| rule(r, "overruling", 1.0)).collect();
        found.extend(matched.vetoed.iter().map(|r| rule(r, "vetoing", -1.0)));
        let may = |name: &str| self.may(name, &matched);
        match (decided_by, &matched.question) {
            (DecidedBy::Overruled, _) => {}
            (DecidedBy::Question, Some(question)) => {
                let may = |name: &str| may(name) && !self.yields(name);
                found.extend(self.model.classifier().explain_among(question, may));
            }
            (DecidedBy::Question | DecidedBy::Whole, _) => {
                found.extend(self.model.classifier().explain_among(message, may));
            }
            (DecidedBy::Phrases, _) => {
                found.extend(self.model.classifier().explain_among(message, may));
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
