//! The n-grams of a message.
//!
//! Words and pairs of neighbouring words say what is asked; the character
//! n-grams inside each word, padded with a space at either end, carry over to
//! inflected, misspelt and compounded words, and are what there is in scripts
//! that put no spaces between words. (Cavnar and Trenkle 1994 classify texts
//! by such n-grams.)

use std::borrow::Cow;

use crate::detect::start_of;
use crate::text::{fold_message, words};

/// The lengths of the character n-grams.
const CHARS: std::ops::RangeInclusive<usize> = 2..=5;

/// The two groups of features, each of which is brought to length 1 on its
/// own: otherwise the many character n-grams would drown the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Words and pairs of words.
    Words,
    /// Character n-grams.
    Chars,
}

impl Group {
    pub(super) const COUNT: usize = 2;
}

/// One n-gram, by its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gram<'a> {
    Word(&'a str),
    Pair(&'a str, &'a str),
    /// Part of a word with a space at either end.
    Chars(&'a str),
}

impl Gram<'_> {
    pub(super) fn group(&self) -> Group {
        match self {
            Self::Word(_) | Self::Pair(..) => Group::Words,
            Self::Chars(_) => Group::Chars,
        }
    }

    pub(super) fn is_word(&self) -> bool {
        matches!(self, Self::Word(_))
    }

    /// The n-gram as a person reads it, with `_` for a word's edge.
    pub(super) fn readable(&self) -> String {
        match self {
            Self::Word(word) => format!("word \"{word}\""),
            Self::Pair(first, second) => format!("words \"{first} {second}\""),
            Self::Chars(chars) => format!("chars \"{}\"", chars.replace(' ', "_")),
        }
    }
}

/// The part of a message that is looked at, in normal form; empty if it is too
/// long to be folded.
pub(super) fn prepare(message: &str) -> Cow<'_, str> {
    fold_message(start_of(message)).unwrap_or_default()
}

/// Calls `see` with each n-gram of a text in normal form and its hash, in the
/// order in which they stand there. The cost is linear in the text.
pub(super) fn each_gram(normal: &str, mut see: impl FnMut(Gram<'_>, u64)) {
    let mut padded = String::with_capacity(32);
    let mut bounds = Vec::with_capacity(32);
    let mut last: Option<(Cow<'_, str>, u64)> = None;
    for word in words(normal) {
        let hash = Hash::of(b'w', word.as_bytes());
        see(Gram::Word(&word), hash.finish());
        if let Some((before, before_hash)) = &last {
            let pair = Hash::of(b'p', &before_hash.to_le_bytes()).then(&hash.0.to_le_bytes());
            see(Gram::Pair(before, &word), pair.finish());
        }

        padded.clear();
        padded.push(' ');
        padded.push_str(&word);
        padded.push(' ');
        bounds.clear();
        bounds.extend(padded.char_indices().map(|(at, _)| at));
        bounds.push(padded.len());
        for start in 0..bounds.len() - 1 {
            let mut hash = Hash::of(b'c', b"");
            for length in 1..=*CHARS.end() {
                let (Some(from), Some(to)) =
                    (bounds.get(start + length - 1), bounds.get(start + length))
                else {
                    break;
                };
                hash = hash.then(&padded.as_bytes()[*from..*to]);
                if length >= *CHARS.start() {
                    see(Gram::Chars(&padded[bounds[start]..*to]), hash.finish());
                }
            }
        }
        last = Some((word, hash.0));
    }
}

/// FNV-1a (Fowler, Noll and Vo) with the finish of MurmurHash3 (A. Appleby):
/// the first takes a byte at a time, so that an n-gram's hash goes on from the
/// shorter one's, the second spreads it over all bits.
#[derive(Clone, Copy)]
struct Hash(u64);

impl Hash {
    fn of(kind: u8, bytes: &[u8]) -> Self {
        Self(0xcbf2_9ce4_8422_2325).then(&[kind]).then(bytes)
    }

    fn then(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn finish(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(message: &str) -> Vec<String> {
        let mut found = Vec::new();
        each_gram(&prepare(message), |gram, _| found.push(gram.readable()));
        found
    }

    #[test]
    fn cuts_words_pairs_and_parts_of_words() {
        assert_eq!(
            readable("Is IT?"),
            [
                "word \"is\"",
                "chars \"_i\"",
                "chars \"_is\"",
                "chars \"_is_\"",
                "chars \"is\"",
                "chars \"is_\"",
                "chars \"s_\"",
                "word \"it\"",
                "words \"is it\"",
                "chars \"_i\"",
                "chars \"_it\"",
                "chars \"_it_\"",
                "chars \"it\"",
                "chars \"it_\"",
                "chars \"t_\"",
            ]
        );
        assert_eq!(readable(" …?! "), [""; 0]);
        assert!(readable("我的理赔进度").contains(&"chars \"理赔\"".to_owned()));
    }

    #[test]
    fn different_grams_have_different_hashes() {
        let mut seen = std::collections::BTreeMap::new();
        let text = prepare("a ab abc b bc c a ab is it isit የካሳ ጥያቄዬ ካሳ");
        each_gram(&text, |gram, hash| {
            let readable = gram.readable();
            assert_eq!(*seen.entry(hash).or_insert(readable.clone()), readable);
        });
        assert!(seen.len() > 40);
    }

    #[test]
    fn the_longest_message_is_cut_between_two_characters() {
        let long = "ቤ".repeat(1_000_000);
        assert_eq!(prepare(&long).len(), 4_096 / 3 * 3);
    }
}
