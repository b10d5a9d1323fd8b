//! The background: general messages that belong to no intent of any business.
//!
//! A model trained on one business's examples alone takes any message that
//! shares a word with an intent for that intent. The background adds other
//! topics as examples out of scope.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use intent_model::features::preprocess;
use intent_model::text::words;

use crate::Example;

/// The messages with comments, one per line.
const MESSAGES: &str = include_str!("background.txt");

/// The similarity to an example from which a message is left out.
const NEAR: f64 = 0.6;

/// The messages of the background that are not similar to any example.
///
/// The similarity is the cosine of the two messages' sets of words, each word
/// weighted by the logarithm of how rare it is (its inverse document
/// frequency). An example out of scope leaves out only its own text.
pub(crate) fn messages_unlike(examples: &[Example]) -> Vec<Example> {
    let lines = MESSAGES.lines().filter(|line| !line.starts_with('#'));
    let lines: Vec<(&str, BTreeSet<String>)> = lines.map(|line| (line, word_set(line))).collect();
    let sets: Vec<BTreeSet<String>> = examples.iter().map(|e| word_set(&e.text)).collect();

    let mut counts = HashMap::<&str, f64>::new();
    for word in lines.iter().map(|(_, set)| set).chain(&sets).flatten() {
        *counts.entry(word).or_default() += 1.0;
    }
    let total = (lines.len() + sets.len()) as f64;
    let weight = |word: &str| (1.0 + total / counts[word]).ln();
    let square = |set: &BTreeSet<String>| set.iter().map(|word| weight(word).powi(2)).sum::<f64>();

    let mut holders = HashMap::<&str, Vec<usize>>::new();
    for (at, set) in sets.iter().enumerate() {
        for word in set {
            holders.entry(word).or_default().push(at);
        }
    }
    let squares: Vec<f64> = sets.iter().map(square).collect();
    let is_near = |set: &BTreeSet<String>| {
        let mut shared = BTreeMap::<usize, f64>::new();
        for word in set {
            for at in holders.get(word.as_str()).into_iter().flatten() {
                *shared.entry(*at).or_default() += weight(word).powi(2);
            }
        }
        let own = square(set);
        shared.into_iter().any(|(at, product)| {
            let cosine = product / (own * squares[at]).sqrt();
            match examples[at].is_out_of_scope() {
                true => cosine > 1.0 - 1e-9,
                false => cosine >= NEAR,
            }
        })
    };
    let away = lines.iter().filter(|(_, set)| !is_near(set));
    away.map(|(line, _)| Example {
        text: (*line).to_owned(),
        intent: Example::OUT_OF_SCOPE.to_owned(),
    })
    .collect()
}

/// The words of a message in normal form, each once.
fn word_set(text: &str) -> BTreeSet<String> {
    let normal = preprocess(text);
    words(&normal).map(|word| word.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(text: &str, intent: &str) -> Example {
        Example {
            text: text.to_owned(),
            intent: intent.to_owned(),
        }
    }

    fn texts(examples: &[Example]) -> Vec<String> {
        messages_unlike(examples)
            .into_iter()
            .map(|e| e.text)
            .collect()
    }

    #[test]
    fn leaves_out_what_is_near_an_example() {
        let all = texts(&[]);
        assert!(all.len() > 450, "{}", all.len());
        let known = "what is my credit score";
        assert!(all.iter().any(|text| text == known));
        let near = texts(&[example("What's my CREDIT score?", "credit_score")]);
        assert!(!near.iter().any(|text| text == known));
        assert!(near.len() > all.len() - 5, "{}", near.len());
    }

    #[test]
    fn an_example_out_of_scope_hides_its_own_text_alone() {
        let all = texts(&[]);
        let found = texts(&[example("What is my credit score", "oos")]);
        assert_eq!(found.len() + 1, all.len());
    }

    #[test]
    fn no_message_stands_there_twice() {
        let all: Vec<String> = texts(&[]);
        let sets: BTreeSet<_> = all
            .iter()
            .map(|text| preprocess(text).into_owned())
            .collect();
        assert_eq!(sets.len(), all.len());
    }
}
