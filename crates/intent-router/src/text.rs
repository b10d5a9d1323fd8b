//! A message with its normal form, and checks for what folding loses.

use std::borrow::Cow;

pub use intent_model::text::normalise;
pub(crate) use intent_model::text::{
    Token, fold_message, is_apostrophe, is_closing, tokens, words,
};
use unicode_normalization::UnicodeNormalization;

/// A message and its normal form, which is computed once.
#[derive(Debug, Default)]
pub(crate) struct Folded<'a> {
    /// The message as it came.
    pub(crate) message: &'a str,
    /// Its normal form; `None` where [`fold_message`] gives up.
    pub(crate) normal: Option<Cow<'a, str>>,
}

impl<'a> Folded<'a> {
    pub(crate) fn of(message: &'a str) -> Self {
        let normal = fold_message(message);
        Self { message, normal }
    }
}

/// Whether [`normalise`] turns a character that is more than a digit into plain
/// digits: `m²` becomes `m2`, `1½` becomes `11⁄2`.
///
/// Digits of another width or typeface are plain digits, so folding them is safe.
pub(crate) fn folds_a_number(message: &str) -> bool {
    let is_styled =
        |c| matches!(c, '０'..='９' | '\u{1D7CE}'..='\u{1D7FF}' | '\u{1FBF0}'..='\u{1FBF9}');
    let changes = |c: char| {
        let mut folded = std::iter::once(c).nfkc();
        let brings_digits = folded.clone().any(|c| c.is_ascii_digit());
        brings_digits || c.is_numeric() && folded.next() != Some(c)
    };
    let mut beyond_ascii = message.chars().filter(|c| !c.is_ascii());
    beyond_ascii.any(|c| !is_styled(c) && changes(c))
}

/// Whether a message ends in an ellipsis ("March…", "March ..?"), which
/// [`normalise`] drops.
pub(crate) fn trails_off(message: &str) -> bool {
    let backwards = message.chars().rev();
    let closing = backwards
        .flat_map(|c| std::iter::once(c).nfkc())
        .take_while(|c| is_closing(*c))
        .filter(|c| !c.is_whitespace());
    let mut last = None;
    closing
        .into_iter()
        .any(|c| last.replace(c) == Some('.') && c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipsis_at_the_end_is_seen_though_it_is_folded_away() {
        for end in [
            "...",
            "..",
            "…",
            " …",
            ". .",
            "\u{2025}",
            "\u{FE19}?",
            "...!",
            "․․",
            "…  ",
        ] {
            let message = format!("March{end}");
            assert!(trails_off(&message), "{message:?}");
            assert_eq!(normalise(&message), "march", "{message:?}");
        }
        for message in [
            "",
            "March",
            "March.",
            "March?!",
            "March... 2025",
            "March.?.",
            "March。",
        ] {
            assert!(!trails_off(message), "{message:?}");
        }
    }
}
