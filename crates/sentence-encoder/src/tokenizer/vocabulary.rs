//! Splits words into the longest pieces of the vocabulary.

use std::collections::HashMap;

use super::words::floor;

/// The pieces by their text: those that begin a word, and those that continue one.
#[derive(Debug)]
pub(super) struct Vocabulary {
    first: HashMap<Box<str>, u32>,
    further: HashMap<Box<str>, u32>,
    unknown: u32,
    /// The maximum length of a word in characters; longer ones are unknown.
    longest_word: usize,
    /// The length of the longest piece in bytes, which bounds look-ups in a long word.
    longest_piece: usize,
}

impl Vocabulary {
    /// `prefix` marks the entries that continue a word.
    pub(super) fn new(
        vocab: HashMap<String, u32>,
        prefix: &str,
        unknown: u32,
        longest_word: usize,
    ) -> Self {
        let longest_piece = vocab.keys().map(String::len).max().unwrap_or_default();
        let (mut first, mut further) = (HashMap::new(), HashMap::new());
        for (piece, number) in vocab {
            match piece.strip_prefix(prefix) {
                Some(rest) if !prefix.is_empty() => further.insert(rest.into(), number),
                _ => first.insert(piece.into(), number),
            };
        }
        Self {
            first,
            further,
            unknown,
            longest_word,
            longest_piece,
        }
    }

    /// One more than the largest number of a piece.
    pub(super) fn size(&self) -> usize {
        let numbers = self.first.values().chain(self.further.values());
        let greatest = numbers.copied().max().unwrap_or_default();
        greatest.max(self.unknown) as usize + 1
    }

    /// Appends the pieces of a word: the longest one that it begins with, then
    /// the longest that the rest begins with, and so on. A word that pieces
    /// do not cover completely is one unknown token.
    pub(super) fn pieces(&self, word: &str, tokens: &mut Vec<u32>) {
        if word.chars().nth(self.longest_word).is_some() {
            tokens.push(self.unknown);
            return;
        }
        let before = tokens.len();
        let mut rest = word;
        while !rest.is_empty() {
            let known = match rest.len() == word.len() {
                true => &self.first,
                false => &self.further,
            };
            let mut end = floor(rest, self.longest_piece);
            let number = loop {
                if end == 0 {
                    tokens.truncate(before);
                    tokens.push(self.unknown);
                    return;
                }
                if let Some(number) = known.get(&rest[..end]) {
                    break *number;
                }
                end = floor(rest, end - 1);
            };
            tokens.push(number);
            rest = &rest[end..];
        }
    }
}
