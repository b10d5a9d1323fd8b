//! Text folding: the normal form of a message, and its words.

use std::borrow::Cow;
use std::ops::Range;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Folds compatibility forms, case, white space and closing punctuation.
///
/// In this order: Unicode compatibility composition (NFKC) and full case
/// folding, as the compatibility caseless match of the Unicode Standard
/// (definition D146) joins them; every run of white space becomes one space,
/// none at either end; a run of closing punctuation (`.`, `!`, `?`, `,`, `;`,
/// `:` and their counterparts in other scripts) at the very end is dropped.
///
/// The function is idempotent. Its cost is linear in the message and the
/// result, which may be eleven times as long: U+FDFA becomes 18 characters.
/// [`fold_message`] bounds that. A plain ASCII message that is already folded
/// is returned as it is.
///
/// ```
/// use intent_model::text::normalise;
///
/// assert_eq!(normalise("  What is my\tCLAIM status ?!"), "what is my claim status");
/// assert_eq!(normalise("Straße ①…"), "strasse 1");
/// ```
pub fn normalise(message: &str) -> Cow<'_, str> {
    // No text is longer than `usize::MAX` bytes.
    fold_within(message, usize::MAX).unwrap_or_default()
}

/// The most bytes of a message that is not ASCII.
const MAX_BEYOND_ASCII: usize = 64 << 10;

/// The most bytes that the folded text of a message of this length may have.
fn most_folded(length: usize) -> usize {
    length.saturating_mul(2).saturating_add(1_024)
}

/// Folds a message as [`normalise`] does, within bounds: `None` if it is not
/// ASCII and longer than 64 KiB, or if its folded text has more than twice its
/// bytes and 1,024. The cost is linear in the message, however it folds.
#[inline]
pub fn fold_message(message: &str) -> Option<Cow<'_, str>> {
    let is_short = message.len() <= MAX_BEYOND_ASCII || message.is_ascii();
    is_short.then(|| fold_within(message, most_folded(message.len())))?
}

/// The normal form; `None` once the folded text has more than `most` bytes.
fn fold_within(message: &str, most: usize) -> Option<Cow<'_, str>> {
    if is_folded_ascii(message) {
        return Some(Cow::Borrowed(message));
    }
    let folded = fold_case_and_form(message, most)?;
    let mut text = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text.truncate(text.trim_end_matches(is_closing).len());
    Some(Cow::Owned(text))
}

/// Whether a text is ASCII in normal form, by a cheap check that may be false for
/// a text that is.
fn is_folded_ascii(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |b: &u8| (b' '..=b'~').contains(b) && !b.is_ascii_uppercase();
    bytes.iter().all(plain)
        && !bytes.windows(2).any(|pair| pair == b"  ")
        && !text.starts_with(' ')
        && !text.ends_with(is_closing)
}

fn fold_case_and_form(text: &str, most: usize) -> Option<Cow<'_, str>> {
    if text.is_ascii() {
        Some(Cow::Owned(text.to_ascii_lowercase()))
    } else if is_folded(text) {
        Some(Cow::Borrowed(text))
    } else {
        fold_any(text, most).map(Cow::Owned)
    }
}

/// Folds any text; `None` once the result has more than `most` bytes.
///
/// Canonical decomposition first lets the case folding reach the letters of
/// composed characters; the second case folding reaches those that the
/// compatibility decomposition produces. Characters come one by one, so the
/// rest of a text that is too long is not folded.
fn fold_any(text: &str, most: usize) -> Option<String> {
    let decomposed = text.nfd().flat_map(fold);
    let mut folded = String::new();
    for c in decomposed.nfkd().flat_map(fold).nfkc() {
        folded.push(c);
        if folded.len() > most {
            return None;
        }
    }
    Some(folded)
}

/// Whether folding would give the same text back: it is composed already, and
/// no character has a case to fold.
fn is_folded(text: &str) -> bool {
    is_nfkc_quick(text.chars()) == IsNormalized::Yes
        && text.chars().all(|c| fold(c).eq(std::iter::once(c)))
}

/// Full case folding of one character.
///
/// The lower case of the upper case of the lower case is what the Unicode
/// table `CaseFolding` says, but for the dotless i, which folds to itself,
/// and for Cherokee, where the table prefers the other case of each pair.
fn fold(c: char) -> impl Iterator<Item = char> {
    let plain = c.is_ascii() || c == 'ı';
    let folded = (!plain).then(|| {
        c.to_lowercase()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
    });
    plain
        .then(|| c.to_ascii_lowercase())
        .into_iter()
        .chain(folded.into_iter().flatten())
}

/// Whether a character is white space or closing punctuation.
#[inline]
pub fn is_closing(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '.' | '!'
                | '?'
                | ','
                | ';'
                | ':'
                | '‽'
                | '؟'
                | '،'
                | '؛'
                | '۔'
                | '।'
                | '॥'
                | '。'
                | '、'
                | '։'
                | '՞'
                | '።'
                | '፧'
        )
}

/// The words of a text in normal form: runs of letters, digits and combining
/// marks. An apostrophe inside a word joins its halves (`what's`).
#[inline]
pub fn words(normal: &str) -> impl Iterator<Item = Cow<'_, str>> {
    tokens(normal).map(|token| token.word)
}

/// A word of a text in normal form, with its byte range.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// The word without the apostrophes inside it.
    pub word: Cow<'a, str>,
    /// Its bytes in the text.
    pub place: Range<usize>,
}

/// The [`words`] of a text in normal form with their places.
#[inline]
pub fn tokens(normal: &str) -> impl Iterator<Item = Token<'_>> {
    let is_part = |c: char| is_word_char(c) || is_apostrophe(c);
    let mut end = 0;
    let pieces = std::iter::from_fn(move || {
        let start = end + normal[end..].find(is_part)?;
        let length = normal[start..].find(|c| !is_part(c));
        end = length.map_or(normal.len(), |length| start + length);
        Some((start, &normal[start..end]))
    });
    pieces.filter_map(|(start, piece)| {
        let head = piece.trim_start_matches(is_apostrophe);
        let start = start + piece.len() - head.len();
        let piece = head.trim_end_matches(is_apostrophe);
        let word = if piece.contains(is_apostrophe) {
            Cow::Owned(piece.replace(is_apostrophe, ""))
        } else {
            Cow::Borrowed(piece)
        };
        let place = start..start + piece.len();
        (!piece.is_empty()).then_some(Token { word, place })
    })
}

/// Whether a character is part of a word: a letter, a digit, or a combining mark.
#[inline]
fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}

/// Whether a character is an apostrophe, which joins the halves of a word.
#[inline]
pub fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | 'ʼ' | '＇' | '`' | '´')
}

#[cfg(test)]
mod tests;
