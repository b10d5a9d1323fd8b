//! Messages that no intent could have, made of ones that have one.
//!
//! Without examples of messages out of scope, the examples of an intent that
//! was left out of training stand in for some of them: those near the intents.
//! For those far off, which are the most, the telling words of a message are
//! replaced by ones that nobody uses. What is left are the words that the
//! messages of every intent have in common.

use std::collections::{BTreeMap, BTreeSet};

use crate::detect::Example;
use crate::detect::linear::features::prepare;
use crate::text::words;

/// Makes strangers of examples.
pub(super) struct Strangers {
    common: BTreeSet<String>,
}

impl Strangers {
    /// The most frequent words, which make up half of all text, are common.
    pub(super) fn new(examples: &[Example]) -> Self {
        let mut counts = BTreeMap::<String, usize>::new();
        for example in examples {
            for word in words(&prepare(&example.text)) {
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

    /// The message with every word that is not common written backwards, which
    /// keeps its letters and hardly any of its n-grams. `None` where that
    /// changes nothing.
    pub(super) fn of(&self, text: &str) -> Option<String> {
        let normal = prepare(text);
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
        let strangers = Strangers::new(&examples);
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(strangers.of(text).as_deref(), expect, "of {text:?}");
        };
        check("Where is my CARD?", Some("erehw is my drac"));
        check("is my", None);
        check("", None);
        check("is ካሳ", Some("is ሳካ"));
    }
}
