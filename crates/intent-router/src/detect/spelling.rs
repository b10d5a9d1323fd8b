//! Words misspelt by one letter.

use std::collections::{BTreeSet, HashMap};

/// The lengths of the words that a misspelt one is taken for. Among shorter
/// words too many are one letter apart; a bound keeps the index small.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=24;

/// A vocabulary that corrects one letter left out, added, replaced, or swapped
/// with its neighbour, but never the first letter.
///
/// Every word is found under itself and under each text that leaves out one of
/// its letters; so a look-up costs as many probes as the misspelt word has
/// letters, however large the vocabulary is (symmetric deletion, as in
/// W. Garbe's SymSpell).
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

    /// Whether a word is known, or a misspelling of one that is.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.words.contains(word) || self.correct(word).is_some()
    }

    /// The first known word in alphabetical order that an unknown one may be
    /// meant for; `None` for a known word and for one that is like none.
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

    /// The first known word under `text` that `word` may be meant for.
    fn nearest(&self, text: &str, word: &str) -> Option<&str> {
        let known = self.by_deletion.get(text)?.iter().map(String::as_str);
        known.filter(|known| is_one_apart(known, word)).min()
    }
}

/// The word without one of its letters, but for the first one.
fn deletions(word: &str) -> impl Iterator<Item = String> {
    word.char_indices()
        .skip(1)
        .map(|(i, c)| [&word[..i], &word[i + c.len_utf8()..]].concat())
}

/// Whether one letter left out, added, replaced or swapped makes `b` of `a`.
fn is_one_apart(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        let (tail_a, tail_b) = (a.as_str(), b.as_str());
        let (next_a, next_b) = (a.next(), b.next());
        if next_a == next_b && next_a.is_some() {
            continue;
        }
        // The first difference: what follows it has to be equal, with the
        // letter left out here, there or in both, or with two swapped.
        let (rest_a, rest_b) = (a.as_str(), b.as_str());
        let swapped = (next_a, next_b) == (b.next(), a.next()) && a.as_str() == b.as_str();
        return next_a != next_b
            && (tail_a == rest_b || rest_a == tail_b || rest_a == rest_b || swapped);
    }
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

    /// Optimal string alignment distance by the textbook table.
    fn distance(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let change = usize::from(a[i - 1] != b[j - 1]);
                    let mut least = (table[i - 1][j - 1] + change)
                        .min(table[i - 1][j] + 1)
                        .min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        least = least.min(table[i - 2][j - 2] + 1);
                    }
                    least
                };
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn prop_finds_what_a_search_of_all_words_finds(
            words in prop::collection::btree_set("[abé]{1,7}", 0..20),
            word in "[abé]{1,8}",
        ) {
            let letters = |word: &str| word.chars().collect::<Vec<_>>();
            let near = |known: &&String| {
                known.chars().count() >= 5
                    && known.chars().next() == word.chars().next()
                    && distance(&letters(known), &letters(&word)) == 1
            };
            let nearest = words.iter().find(near).unwrap_or(&word);
            let expect = if words.contains(&word) { &word } else { nearest }.clone();
            let spelling = Spelling::new(words);
            prop_assert_eq!(spelling.correct(&word).unwrap_or(&word), expect);
        }
    }
}
