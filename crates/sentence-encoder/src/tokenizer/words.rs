//! Splits texts into words: cleaned, without accents, in lower case, with punctuation
//! separated.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Which differences in spelling are ignored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spelling {
    pub(super) lowercase: bool,
    pub(super) strip_accents: bool,
}

/// Calls `each` with one word after the other until it returns false. Words
/// end at white space; a punctuation mark or a Chinese character is a word.
pub(super) fn for_each_word(text: &str, spelling: Spelling, mut each: impl FnMut(&str) -> bool) {
    let clean = text.chars().filter(|one| !is_dropped(*one));
    let mut word = String::new();
    let mut take = |one: Option<char>| -> bool {
        let Some(one) = one.filter(|one| !one.is_whitespace()) else {
            let goes_on = word.is_empty() || each(&word);
            word.clear();
            return goes_on;
        };
        if !(is_punctuation(one) || is_chinese(one)) {
            word.push(one);
            return true;
        }
        if !word.is_empty() && !each(&word) {
            return false;
        }
        word.clear();
        each(one.encode_utf8(&mut [0; 4]))
    };
    let mut lower = |one: char| -> bool {
        match spelling.lowercase {
            true => one.to_lowercase().all(|one| take(Some(one))),
            false => take(Some(one)),
        }
    };
    // In decomposed form an accent is a separate character, which is omitted.
    let goes_on = match spelling.strip_accents {
        true => clean
            .nfd()
            .filter(|one| one.general_category() != GeneralCategory::NonspacingMark)
            .all(&mut lower),
        false => clean.into_iter().all(&mut lower),
    };
    if goes_on {
        take(None);
    }
}

/// Whether a character is ignored: controls, formats, the replacement character. Tabs
/// and line ends are white space.
fn is_dropped(one: char) -> bool {
    match one {
        '\t' | '\n' | '\r' => false,
        '\0' | char::REPLACEMENT_CHARACTER => true,
        _ => !one.is_ascii_graphic() && one.general_category_group() == GeneralCategoryGroup::Other,
    }
}

fn is_punctuation(one: char) -> bool {
    match one.is_ascii() {
        true => one.is_ascii_punctuation(),
        false => one.general_category_group() == GeneralCategoryGroup::Punctuation,
    }
}

/// The ideographs that BERT's authors listed. Words in kana and hangul are separated
/// by spaces or found by the vocabulary.
fn is_chinese(one: char) -> bool {
    matches!(
        one,
        '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{2a6df}'
            | '\u{2a700}'..='\u{2ceaf}'
            | '\u{2f800}'..='\u{2fa1f}'
    )
}

/// The last character boundary not beyond `at`.
/// (`str::floor_char_boundary` needs a newer Rust than this crate.)
pub(super) fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
