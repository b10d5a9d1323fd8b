//! Spelling correction of one letter.

use std::collections::{BTreeSet, HashMap};

/// The lengths of the words that a misspelt one is corrected to. Too many
/// shorter words are one letter apart; the upper bound keeps the index small.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=24;

/// A vocabulary that corrects one letter left out, added, replaced, or swapped
/// with its neighbour, but never the first letter: an optimal string alignment
/// distance of 1.
///
/// The index is that of symmetric deletion (W. Garbe's SymSpell): every word is
/// found under itself and under each text that leaves out one of its letters. A
/// look-up costs as many probes as the misspelt word has letters, however large
/// the vocabulary, and a distance for each word found.
#[derive(Clone, Debug)]
pub(super) struct Spelling {
    words: BTreeSet<String>,
    by_deletion: HashMap<String, Vec<String>>,
}

impl Spelling {
    pub(super) fn new(words: BTreeSet<String>) -> Self {
        let mut by_deletion = HashMap::<String, Vec<String>>::new();
        for word in words
            .iter()
            .filter(|word| LENGTHS.contains(&word.chars().count()))
        {
            // A doubled letter gives the same text twice.
            let texts: BTreeSet<_> = deletions(word).chain([word.clone()]).collect();
            for text in texts {
                by_deletion.entry(text).or_default().push(word.clone());
            }
        }
        Self { words, by_deletion }
    }

    /// Whether a word is in the vocabulary, or can be corrected to one that is.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.words.contains(word) || self.correct(word).is_some()
    }

    /// The first word of the vocabulary, in alphabetical order, that differs from
    /// an unknown word by one letter; `None` for a word of the vocabulary, or if
    /// no word differs so little.
    pub(super) fn correct(&self, word: &str) -> Option<&str> {
        let length = word.chars().take(LENGTHS.end() + 2).count();
        if !(LENGTHS.start() - 1..=LENGTHS.end() + 1).contains(&length) || self.words.contains(word)
        {
            return None;
        }
        let mut best = self.nearest(word, word);
        let mut shorter = String::with_capacity(word.len());
        for (i, c) in word.char_indices().skip(1) {
            shorter.clear();
            shorter.push_str(&word[..i]);
            shorter.push_str(&word[i + c.len_utf8()..]);
            best = match (best, self.nearest(&shorter, word)) {
                (Some(best), Some(other)) => Some(best.min(other)),
                (best, other) => best.or(other),
            };
        }
        best
    }

    /// The first word indexed under `text` that differs from `word` by one letter.
    fn nearest(&self, text: &str, word: &str) -> Option<&str> {
        let known = self.by_deletion.get(text)?.iter().map(String::as_str);
        known
            .filter(|known| strsim::osa_distance(known, word) == 1)
            .min()
    }
}

/// The texts that leave out one letter of a word, but not the first.
fn deletions(word: &str) -> impl Iterator<Item = String> {
    word.char_indices()
        .skip(1)
        .map(|(i, c)| [&word[..i], &word[i + c.len_utf8()..]].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelling(words: &[&str]) -> Spelling {
        Spelling::new(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn corrects_one_letter() {
        let spelling = spelling(&["claim", "status", "payment", "payments", "hi", "where"]);
        let check = |word: &str, expect: &str| {
            assert_eq!(spelling.correct(word).unwrap_or(word), expect, "of {word}")
        };
        check("claim", "claim");
        check("clam", "claim");
        check("clame", "clame");
        check("calim", "claim");
        check("claaim", "claim");
        check("clain", "claim");
        check("staus", "status");
        check("payments", "payments");
        check("paymens", "payment");
        check("there", "there");
        check("xclaim", "xclaim");
        check("lcaim", "lcaim");
        check("laim", "laim");
        check("ho", "ho");
        check("", "");
    }

    proptest! {
        #[test]
        fn prop_finds_what_a_search_of_all_words_finds(
            words in prop::collection::btree_set("[abé]{1,7}", 0..20),
            word in "[abé]{1,8}",
        ) {
            let near = |known: &&String| {
                known.chars().count() >= 5
                    && known.chars().next() == word.chars().next()
                    && strsim::osa_distance(known, &word) == 1
            };
            let nearest = words.iter().find(near).unwrap_or(&word);
            let expect = if words.contains(&word) { &word } else { nearest }.clone();
            let spelling = Spelling::new(words);
            prop_assert_eq!(spelling.correct(&word).unwrap_or(&word), expect);
        }
    }
}
