//! Identifiers such as `CLM-2025-000123`, found by a pattern.
//!
//! In a pattern `#` matches a digit, `@` a letter from A to Z, and every other
//! character itself, in any case. A match is separate: no letter or digit
//! adjoins it, either directly or across a `-`, `/` or `_`. A pattern that begins
//! with a literal letter, such as `CLM-####-######`, tolerates variants of its
//! dashes: `CLM 2025 000123`, `clm2025000123` and an en dash match as well.
//! Values have the form of the pattern, in upper case.

use std::ops::Range;

use super::taken::Taken;

/// The longest pattern, in bytes; it bounds the work at each word.
const MAX_LENGTH: usize = 64;

/// What is wrong with a pattern, if anything.
pub(crate) fn problem(pattern: &str) -> Option<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '#' || c == '@';
    let message = if pattern.len() > MAX_LENGTH {
        format!("has more than {MAX_LENGTH} characters")
    } else if !pattern
        .chars()
        .all(|c| is_part(c) || matches!(c, '-' | '/' | '_' | '.'))
    {
        "may contain only letters, digits, #, @, and - / _ .".to_owned()
    } else if !pattern.starts_with(is_part) || !pattern.ends_with(is_part) {
        "must begin and end with a letter, a digit, # or @".to_owned()
    } else if !pattern.contains(['#', '@']) {
        "has neither # nor @, so it would match only one value".to_owned()
    } else {
        return None;
    };
    Some(format!("pattern \"{pattern}\" {message}"))
}

/// The values in a text in normal form, from left to right.
pub(super) fn find(pattern: &str, text: &str) -> Vec<Taken<String>> {
    let mut found = Vec::new();
    // Most messages have no digit, and so no number of a record.
    let has_digit = || text.bytes().any(|byte| byte.is_ascii_digit());
    if pattern.contains('#') && !has_digit() {
        return found;
    }
    let mut next = 0;
    for (start, c) in text.char_indices() {
        if start < next || !c.is_ascii_alphanumeric() || is_joined_before(text, start) {
            continue;
        }
        if let Some((value, end)) = match_at(pattern, &text[start..]) {
            let place = start..start + end;
            if !is_joined_after(text, place.end) {
                next = place.end;
                found.push(Taken { value, place });
            }
        }
    }
    found
}

/// The values alone, each with its bytes in the text.
pub(crate) fn values(
    pattern: &str,
    text: &str,
) -> impl Iterator<Item = (String, Range<usize>)> + use<> {
    let found = find(pattern, text).into_iter();
    found.map(|taken| (taken.value, taken.place))
}

/// The value that a text begins with, and its length in the text.
fn match_at(pattern: &str, text: &str) -> Option<(String, usize)> {
    let tolerant = pattern.starts_with(|c: char| c.is_ascii_alphabetic());
    let mut value = String::with_capacity(pattern.len());
    let mut rest = text;
    for part in pattern.chars() {
        if part == '-' {
            rest = skip_dash(rest, tolerant)?;
            value.push('-');
            continue;
        }
        let c = rest.chars().next()?;
        let fits = match part {
            '#' => c.is_ascii_digit(),
            '@' => c.is_ascii_alphabetic(),
            literal => c.eq_ignore_ascii_case(&literal),
        };
        if !fits {
            return None;
        }
        value.push(c.to_ascii_uppercase());
        rest = &rest[c.len_utf8()..];
    }
    Some((value, text.len() - rest.len()))
}

/// The text after a dash. A tolerant pattern also accepts spaces around it, or a
/// space or nothing instead. The text has no two spaces in a row.
fn skip_dash(text: &str, tolerant: bool) -> Option<&str> {
    if !tolerant {
        return text.strip_prefix(is_dash);
    }
    let text = text.strip_prefix(' ').unwrap_or(text);
    let text = text.strip_prefix(is_dash).unwrap_or(text);
    Some(text.strip_prefix(' ').unwrap_or(text))
}

/// A hyphen or an en dash, in any of the forms that normalisation leaves.
pub(super) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '‐' | '‒' | '–' | '−')
}

fn is_joint(c: char) -> bool {
    is_dash(c) || c == '/' || c == '_'
}

/// Whether the text from `at` on continues a longer token.
pub(super) fn is_joined_before(text: &str, at: usize) -> bool {
    let mut before = text[..at].chars().rev();
    match before.next() {
        Some(c) if is_joint(c) => before.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric(),
        None => false,
    }
}

/// Whether the token before `at` continues after it.
pub(super) fn is_joined_after(text: &str, at: usize) -> bool {
    let mut after = text[at..].chars();
    match after.next() {
        Some(c) if is_joint(c) => after.next().is_some_and(char::is_alphanumeric),
        Some(c) => c.is_alphanumeric(),
        None => false,
    }
}
