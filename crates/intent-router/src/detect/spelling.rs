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

    /// The word itself if it is known or like no known word, else the first
    /// known word in alphabetical order that it may be meant for.
    pub(super) fn correct<'a>(&'a self, word: &'a str) -> &'a str {
        let length = word.chars().take(LENGTHS.end() + 2).count();
        if !(LENGTHS.start() - 1..=LENGTHS.end() + 1).contains(&length) || self.words.contains(word)
        {
            return word;
        }
        let candidates = deletions(word).chain([word.to_owned()]);
        candidates
            .filter_map(|text| self.by_deletion.get(&text))
            .flatten()
            .filter(|known| is_one_apart(known, word))
            .min()
            .map_or(word, String::as_str)
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
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    let same = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    match (&a[..a.len() - same], &b[..b.len() - same]) {
        ([], [_]) | ([_], []) | ([_], [_]) => true,
        ([a, b], [c, d]) => (a, b) == (d, c),
        _ => false,
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
        let check =
            |word: &str, expect: &str| assert_eq!(spelling.correct(word), expect, "of {word}");
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
        fn finds_what_a_search_of_all_words_finds(
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
            prop_assert_eq!(spelling.correct(&word), expect);
        }
    }
}
