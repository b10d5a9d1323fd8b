//! Finds which of many phrases begin at a word of a text.

use hashbrown::HashMap;

use crate::text::{Token, normalise, words};

/// Phrases of whole words, each with a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Phrases<T> {
    /// The phrases by their first word, the longest first.
    by_first: HashMap<String, Vec<Entry<T>>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry<T> {
    /// The words after the first.
    rest: Vec<String>,
    value: T,
}

impl<T> Default for Phrases<T> {
    fn default() -> Self {
        Self {
            by_first: HashMap::new(),
        }
    }
}

impl<T: Default> Phrases<T> {
    /// The value of a phrase; the default value if the phrase is new. `None` for
    /// a text without a word.
    pub(crate) fn entry(&mut self, phrase: &str) -> Option<&mut T> {
        let normal = normalise(phrase);
        let mut words = words(&normal).map(|word| word.into_owned());
        let entries = self.by_first.entry(words.next()?).or_default();
        let rest: Vec<_> = words.collect();
        let at = match entries.iter().position(|entry| entry.rest == rest) {
            Some(at) => at,
            None => {
                let at = entries.partition_point(|entry| entry.rest.len() >= rest.len());
                let value = T::default();
                entries.insert(at, Entry { rest, value });
                at
            }
        };
        Some(&mut entries[at].value)
    }
}

impl<T> Phrases<T> {
    /// The phrases that these words begin with, the longest first: the number of
    /// words and the value of each.
    ///
    /// Costs a look-up and a comparison with each phrase that begins with the
    /// first of the words.
    pub(crate) fn at<'a>(
        &'a self,
        tokens: &'a [Token<'_>],
    ) -> impl Iterator<Item = (usize, &'a T)> + use<'a, T> {
        let first = tokens.first().map(|token| &*token.word);
        let entries = first.and_then(|word| self.by_first.get(word));
        let rest = tokens.get(1..).unwrap_or_default();
        entries.into_iter().flatten().filter_map(move |entry| {
            let length = entry.rest.len();
            let next = rest.get(..length)?.iter();
            let fits = next
                .zip(&entry.rest)
                .all(|(token, word)| token.word == *word);
            fits.then_some((1 + length, &entry.value))
        })
    }

    /// The number of words of the longest phrase that these words begin with.
    pub(crate) fn longest_at(&self, tokens: &[Token<'_>]) -> Option<usize> {
        self.at(tokens).map(|(length, _)| length).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;

    #[test]
    fn the_longest_comes_first() {
        let mut phrases = Phrases::<u8>::default();
        for (phrase, value) in [("turned", 1), ("Turned down!", 2), ("turned down by", 3)] {
            *phrases.entry(phrase).unwrap() = value;
        }
        *phrases.entry("turned-down").unwrap() += 10;
        assert_eq!(phrases.entry(" ?! "), None);
        let check = |text: &str, expect: &[(usize, u8)]| {
            let tokens: Vec<_> = tokens(text).collect();
            let found: Vec<_> = phrases.at(&tokens).map(|(n, value)| (n, *value)).collect();
            assert_eq!(found, expect, "of {text:?}");
        };
        check("turned down by them", &[(3, 3), (2, 12), (1, 1)]);
        check("turned-down", &[(2, 12), (1, 1)]);
        check("turned up", &[(1, 1)]);
        check("it turned down", &[]);
        check("", &[]);
    }
}
