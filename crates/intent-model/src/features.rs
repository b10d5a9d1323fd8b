//! Features: the n-grams of a message.
//!
//! Words and pairs of neighbouring words are word n-grams. The character
//! n-grams inside each word, padded with a space at either end, carry over to
//! inflected, misspelt and compounded words, and to scripts without spaces
//! between words (Cavnar and Trenkle 1994).

use std::borrow::Cow;

use crate::text::{fold_message, words};

/// How much of a message is read, in bytes from its start. It bounds the cost
/// of the longest message.
pub const MAX_BYTES: usize = 4_096;

/// The lengths of the character n-grams.
const CHARS: std::ops::RangeInclusive<usize> = 2..=5;

/// The two groups of features. Each is normalised to length 1 on its own, so
/// that the many character n-grams do not outweigh the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Words and pairs of words.
    Words,
    /// Character n-grams.
    Chars,
}

impl Group {
    /// How many groups there are.
    pub const COUNT: usize = 2;
}

/// An n-gram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gram<'a> {
    /// A word.
    Word(&'a str),
    /// Two neighbouring words.
    Pair(&'a str, &'a str),
    /// Part of a word padded with a space at either end.
    Chars(&'a str),
}

impl Gram<'_> {
    /// The group that it belongs to.
    pub fn group(&self) -> Group {
        match self {
            Self::Word(_) | Self::Pair(..) => Group::Words,
            Self::Chars(_) => Group::Chars,
        }
    }

    /// The n-gram as a person reads it, with `_` for a word's edge.
    pub fn readable(&self) -> String {
        match self {
            Self::Word(word) => format!("word \"{word}\""),
            Self::Pair(first, second) => format!("words \"{first} {second}\""),
            Self::Chars(chars) => format!("chars \"{}\"", chars.replace(' ', "_")),
        }
    }
}

/// The start of a message, at most [`MAX_BYTES`] of it, in normal form; empty
/// if [`fold_message`] gives up.
pub fn preprocess(message: &str) -> Cow<'_, str> {
    let mut end = message.len().min(MAX_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    fold_message(&message[..end]).unwrap_or_default()
}

/// Calls `see` with each n-gram of a text in normal form and its hash, in the
/// order of the text. The cost is linear in the text.
pub fn each_gram(normal: &str, mut see: impl FnMut(Gram<'_>, u64)) {
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

/// Adds the values of the rows of one group: the square root of how often each
/// row occurs, so that repetition counts, but less than in proportion.
///
/// All `count` n-grams of the group together have length 1. Those without a row
/// are missing from `rows`, so a message that is mostly new has small values,
/// and scores near the biases.
pub fn weigh(rows: &mut [u32], count: usize, values: &mut Vec<(u32, f32)>) {
    rows.sort_unstable();
    // The sum of the squares of the square roots.
    let factor = 1.0 / (count as f32).sqrt();
    for run in rows.chunk_by(|a, b| a == b) {
        values.push((run[0], (run.len() as f32).sqrt() * factor));
    }
}

/// FNV-1a (Fowler, Noll and Vo) with the finaliser of MurmurHash3 (A. Appleby).
/// FNV takes a byte at a time, so an n-gram's hash continues that of the
/// shorter one; the finaliser spreads it over all bits.
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
        each_gram(&preprocess(message), |gram, _| found.push(gram.readable()));
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
        let text = preprocess("a ab abc b bc c a ab is it isit የካሳ ጥያቄዬ ካሳ");
        each_gram(&text, |gram, hash| {
            let readable = gram.readable();
            assert_eq!(*seen.entry(hash).or_insert(readable.clone()), readable);
        });
        assert!(seen.len() > 40);
    }

    #[test]
    fn the_longest_message_is_cut_between_two_characters() {
        let long = "ቤ".repeat(1_000_000);
        assert_eq!(preprocess(&long).len(), 4_096 / 3 * 3);
    }
}
