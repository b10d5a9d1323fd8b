//! Synthetic messages out of scope, made from examples of intents.
//!
//! Without examples out of scope, the examples of an intent left out of training
//! stand in for messages that are similar to the intents. For dissimilar
//! messages, which are the majority, the distinctive words of an example are
//! replaced by nonsense words; what remains are words common to the messages of
//! all intents.

use std::collections::{BTreeMap, BTreeSet};

use intent_model::features::preprocess;
use intent_model::text::words;

use crate::Example;

/// Makes synthetic messages out of scope.
pub(crate) struct Synthesiser {
    common: BTreeSet<String>,
}

impl Synthesiser {
    /// Takes the most frequent words, which make up half of all text, as
    /// common.
    pub(crate) fn new(examples: &[Example]) -> Self {
        let mut counts = BTreeMap::<String, usize>::new();
        for example in examples {
            for word in words(&preprocess(&example.text)) {
                *counts.entry(word.into_owned()).or_default() += 1;
            }
        }
        let total: usize = counts.values().sum();
        let mut sorted: Vec<(String, usize)> = counts.into_iter().collect();
        sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut covered = 0;
        let common = sorted.into_iter().take_while(|(_, count)| {
            covered += count;
            covered * 2 <= total
        });
        Self {
            common: common.map(|(word, _)| word).collect(),
        }
    }

    /// The message with every word that is not common reversed, which keeps its
    /// letters and hardly any of its n-grams. `None` if that changes nothing.
    pub(crate) fn distort(&self, text: &str) -> Option<String> {
        let normal = preprocess(text);
        let all: Vec<_> = words(&normal).collect();
        let changed: Vec<String> = all
            .iter()
            .map(|word| match self.common.contains(word.as_ref()) {
                true => word.clone().into_owned(),
                false => word.chars().rev().collect(),
            })
            .collect();
        (changed != all).then(|| changed.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_what_is_not_common() {
        let texts = [
            "where is my card",
            "where is my book",
            "where is my money",
            "lost it",
        ];
        let examples = texts.map(|text| Example {
            text: text.to_owned(),
            intent: "any".to_owned(),
        });
        let synthesiser = Synthesiser::new(&examples);
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(synthesiser.distort(text).as_deref(), expect, "of {text:?}");
        };
        check("Where is my CARD?", Some("erehw is my drac"));
        check("is my", None);
        check("", None);
        check("is ካሳ", Some("is ሳካ"));
    }
}
