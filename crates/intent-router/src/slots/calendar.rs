//! Dates, and spans of days such as months, read from a text.
//!
//! A text is read word by word, from left to right. At each word:
//!
//! - [`phrase`] reads a preposition with its object: `since March 2025`;
//! - [`sequence`] reads lists and ranges: `March, April and May 2025`;
//! - [`absolute`] and [`relative`] read one member of those: `Q1 2025`, `last month`.
//!
//! A phrase is taken as a whole or not at all. An ambiguous phrase is not taken,
//! so its words and numbers are left for the guards. Years run from 1900 to 2099.

mod absolute;
mod member;
mod phrase;
mod relative;
mod sequence;

use super::amount::Marks;
use super::date::Date;
use super::pattern::{is_dash, is_joined_after, is_joined_before};
use super::span::Spans;
use super::taken::Taken;
use crate::text::is_apostrophe;

/// The dates and spans that a text in normal form names, from left to right.
///
/// A number next to one of the marks of `amounts` is not part of a date. Costs
/// one pass over the text, and for each number a comparison with the marks.
pub(super) fn scan(text: &str, today: Date, amounts: &Marks) -> Vec<Taken<Spans>> {
    let tokens = tokens(text, amounts);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let reader = Reader {
            text,
            tokens: &tokens,
            at,
            today,
        };
        let Some((spans, length)) = reader.phrase() else {
            at += 1;
            continue;
        };
        if let Some(value) = spans {
            let place = tokens[at].start..tokens[at + length - 1].end;
            found.push(Taken { value, place });
        }
        at += length;
    }
    found
}

/// A run of letters and digits, with its byte range.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    /// Whether it is a number that is an amount of money.
    is_amount: bool,
}

fn tokens<'a>(text: &'a str, amounts: &Marks) -> Vec<Token<'a>> {
    let mut tokens = Vec::new();
    let mut end = 0;
    while let Some(skip) = text[end..].find(char::is_alphanumeric) {
        let start = end + skip;
        let length = text[start..].find(|c: char| !c.is_alphanumeric());
        end = length.map_or(text.len(), |length| start + length);
        let word = &text[start..end];
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        tokens.push(Token {
            text: word,
            start,
            end,
            is_amount: is_number && amounts.is_next_to(text, start, end),
        });
    }
    tokens
}

/// A view of the tokens of a text, from one of them onwards.
#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
    today: Date,
}

impl<'a> Reader<'a> {
    /// The view from `length` tokens further on.
    fn after(&self, length: usize) -> Self {
        let at = self.at + length;
        Self { at, ..*self }
    }

    fn token(&self, i: usize) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at + i)
    }

    fn word(&self, i: usize) -> Option<&'a str> {
        self.token(i).map(|token| token.text)
    }

    /// The word `back` tokens before this place, from 1.
    fn word_before(&self, back: usize) -> Option<&'a str> {
        let at = self.at.checked_sub(back)?;
        self.tokens.get(at).map(|token| token.text)
    }

    /// The text between token `i` and the next one.
    fn gap(&self, i: usize) -> Option<&'a str> {
        let (left, right) = (self.token(i)?, self.token(i + 1)?);
        Some(&self.text[left.end..right.start])
    }

    /// The text between the previous token and this one.
    fn gap_before(&self) -> Option<&'a str> {
        let left = self.tokens.get(self.at.checked_sub(1)?)?;
        Some(&self.text[left.end..self.token(0)?.start])
    }

    /// The number of tokens of `phrase`, if it occurs here with spaces between
    /// its words.
    fn says(&self, phrase: &str) -> Option<usize> {
        let mut length = 0;
        for word in phrase.split(' ') {
            let close = length == 0 || self.gap(length - 1) == Some(" ");
            if !close || self.word(length) != Some(word) {
                return None;
            }
            length += 1;
        }
        Some(length)
    }

    /// Like [`says`](Self::says), for the first of several phrases that occurs
    /// here.
    fn says_any(&self, phrases: &[&str]) -> Option<usize> {
        phrases.iter().find_map(|phrase| self.says(phrase))
    }

    /// Whether a space and nothing else follows each of the first tokens but
    /// the last.
    fn is_spaced(&self, length: usize) -> bool {
        (1..length).all(|i| self.gap(i - 1) == Some(" "))
    }

    /// Whether the first `length` tokens are not part of something longer.
    fn stands_alone(&self, length: usize) -> bool {
        let (Some(first), Some(last)) = (self.token(0), self.token(length - 1)) else {
            return false;
        };
        !is_joined_before(self.text, first.start) && !is_joined_after(self.text, last.end)
    }

    /// A number of one or two digits that is not an amount.
    fn number(&self, i: usize) -> Option<u8> {
        let token = self.token(i).filter(|token| !token.is_amount)?;
        let word = token.text;
        let digits = word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| word.parse().ok())?
    }

    /// A year of the twentieth or the twenty-first century that is not an amount.
    fn year(&self, i: usize) -> Option<u16> {
        let token = self.token(i).filter(|token| !token.is_amount)?;
        let word = token.text;
        let digits = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        let year = digits.then(|| word.parse().ok())??;
        (1900..2100).contains(&year).then_some(year)
    }

    /// A year that is not part of a number with decimals or thousands.
    fn plain_year(&self, i: usize) -> Option<u16> {
        let token = self.token(i)?;
        let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let is_point = |c: Option<char>| c.is_some_and(|c| matches!(c, '.' | ','));
        let mut before = self.text[..token.start].chars().rev();
        let mut after = self.text[token.end..].chars();
        let is_part = is_point(before.next()) && is_digit(before.next())
            || is_point(after.next()) && is_digit(after.next());
        self.year(i).filter(|_| !is_part)
    }

    /// A day of a month, with or without its ordinal ending.
    fn day(&self, i: usize) -> Option<u8> {
        let endings = ["st", "nd", "rd", "th"];
        let token = self.token(i).filter(|token| !token.is_amount)?;
        let bare = endings
            .iter()
            .find_map(|ending| token.text.strip_suffix(ending))
            .unwrap_or(token.text);
        let digits = bare.len() <= 2 && bare.bytes().all(|byte| byte.is_ascii_digit());
        let day: Option<u8> = digits.then(|| bare.parse().ok())?;
        day.filter(|day| (1..=31).contains(day))
    }

    /// A month by its English name or an abbreviation of it; not the verb "may".
    fn month(&self, i: usize) -> Option<u8> {
        const NAMES: [&str; 12] = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        const ASKERS: [&str; 9] = ["i", "we", "you", "he", "she", "it", "they", "be", "have"];
        let word = self.word(i)?;
        let short = if word == "sept" { "sep" } else { word };
        let is_name = |name: &str| name == word || short.len() == 3 && name.starts_with(short);
        let index = NAMES.iter().position(|name| is_name(name))?;
        let asks = word == "may"
            && self.gap(i) == Some(" ")
            && self.word(i + 1).is_some_and(|next| ASKERS.contains(&next));
        (!asks).then(|| u8::try_from(index + 1).ok())?
    }
}

/// A separator between the numbers of a date.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    Dash,
    Slash,
    Dot,
}

impl Joint {
    fn of(gap: &str) -> Option<Self> {
        let mut chars = gap.chars();
        match (chars.next()?, chars.next()) {
            (c, None) if is_dash(c) => Some(Self::Dash),
            ('/' | '⁄', None) => Some(Self::Slash),
            ('.', None) => Some(Self::Dot),
            _ => None,
        }
    }
}

fn is_slash(gap: &str) -> bool {
    Joint::of(gap) == Some(Joint::Slash)
}

/// Whether a gap may separate the words of a date.
fn is_loose(gap: &str) -> bool {
    matches!(gap, " " | "," | ", " | ". ") || Joint::of(gap) == Some(Joint::Dash)
}

/// Whether a gap is an apostrophe, with or without a space before it.
fn is_apostrophe_gap(gap: &str) -> bool {
    let mut chars = gap.trim_start_matches(' ').chars();
    chars.next().is_some_and(is_apostrophe) && chars.next().is_none()
}

#[cfg(test)]
mod tests;
