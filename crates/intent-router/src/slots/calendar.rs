//! Dates, and months and years as periods.
//!
//! Dates: `2025-03-14`, `14/03/2025` (day first), `14 March 2025`,
//! `March 14, 2025`. Periods: `March 2025`, `2025-03`, `in 2025` and the
//! relative ones. Years run from 1900 to 2099. A date is no period.

use std::collections::BTreeSet;

use super::Date;
use super::pattern::{is_dash, is_joined_after, is_joined_before};

/// The distinct dates in a text in normal form, as `YYYY-MM-DD`, sorted.
pub(super) fn dates(text: &str) -> BTreeSet<String> {
    let dates = scan(text, None)
        .into_iter()
        .filter_map(|found| match found {
            Found::Date(date) => Some(date.to_string()),
            Found::Period(_) => None,
        });
    dates.collect()
}

/// The distinct periods in a text in normal form, as `YYYY-MM` or `YYYY`,
/// sorted.
pub(super) fn periods(text: &str, today: Date) -> BTreeSet<String> {
    let periods = scan(text, Some(today))
        .into_iter()
        .filter_map(|found| match found {
            Found::Date(_) => None,
            Found::Period(period) => Some(period),
        });
    periods.collect()
}

enum Found {
    Date(Date),
    Period(String),
}

/// A run of letters and digits, and where it stands in the text.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

/// Reads from left to right, taking at each word the longest form that fits.
fn scan(text: &str, today: Option<Date>) -> Vec<Found> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut rest = tokens.as_slice();
    while !rest.is_empty() {
        let reader = Reader { text, rest };
        let hit = reader.date().or_else(|| reader.period(today));
        rest = match hit {
            Some((hit, length)) => {
                found.push(hit);
                &rest[length..]
            }
            None => &rest[1..],
        };
    }
    found
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut end = 0;
    while let Some(skip) = text[end..].find(char::is_alphanumeric) {
        let start = end + skip;
        let length = text[start..].find(|c: char| !c.is_alphanumeric());
        end = length.map_or(text.len(), |length| start + length);
        let text = &text[start..end];
        tokens.push(Token { text, start, end });
    }
    tokens
}

/// The tokens from one place of the text on.
#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
    rest: &'a [Token<'a>],
}

impl<'a> Reader<'a> {
    fn word(&self, i: usize) -> Option<&'a str> {
        self.rest.get(i).map(|token| token.text)
    }

    /// What stands between token `i` and the one after it.
    fn gap(&self, i: usize) -> Option<&'a str> {
        let (left, right) = (self.rest.get(i)?, self.rest.get(i + 1)?);
        Some(&self.text[left.end..right.start])
    }

    /// Whether the first `length` tokens are no part of something longer.
    fn stands_alone(&self, length: usize) -> bool {
        !is_joined_before(self.text, self.rest[0].start)
            && !is_joined_after(self.text, self.rest[length - 1].end)
    }

    fn date(&self) -> Option<(Found, usize)> {
        let (date, length) = self.numeric_date().or_else(|| self.written_date())?;
        self.stands_alone(length)
            .then_some((Found::Date(date), length))
    }

    fn numeric_date(&self) -> Option<(Date, usize)> {
        let (a, b, c) = (self.word(0)?, self.word(1)?, self.word(2)?);
        let (first, second) = (Joint::of(self.gap(0)?)?, Joint::of(self.gap(1)?)?);
        if first != second {
            return None;
        }
        let date = match year(a) {
            Some(year) => Date::new(year, number(b)?, number(c)?),
            None => Date::new(year(c)?, number(b)?, number(a)?),
        };
        Some((date?, 3))
    }

    fn written_date(&self) -> Option<(Date, usize)> {
        if let Some(day) = day(self.word(0)?) {
            // "14 March 2025", "14th of March, 2025"
            let of = usize::from(self.word(1)? == "of" && is_loose(self.gap(1)?));
            let month = month(self.word(1 + of)?)?;
            let year = year(self.word(2 + of)?)?;
            let close = is_loose(self.gap(0)?) && is_loose(self.gap(1 + of)?);
            return Some((close.then(|| Date::new(year, month, day))??, 3 + of));
        }
        // "March 14, 2025"
        let month = month(self.word(0)?)?;
        let (day, year) = (day(self.word(1)?)?, year(self.word(2)?)?);
        let close = is_loose(self.gap(0)?) && is_loose(self.gap(1)?);
        Some((close.then(|| Date::new(year, month, day))??, 3))
    }

    fn period(&self, today: Option<Date>) -> Option<(Found, usize)> {
        let (period, length) = self
            .numeric_month()
            .or_else(|| self.written_month())
            .or_else(|| self.bare_year())
            .or_else(|| self.relative(today?))?;
        self.stands_alone(length)
            .then_some((Found::Period(period), length))
    }

    /// "2025-03" or "03/2025"
    fn numeric_month(&self) -> Option<(String, usize)> {
        let (a, b) = (self.word(0)?, self.word(1)?);
        if !matches!(Joint::of(self.gap(0)?)?, Joint::Dash | Joint::Slash) {
            return None;
        }
        let (year, month) = match year(a) {
            Some(year) => (year, number(b)?),
            None => (year(b)?, number(a)?),
        };
        Some((month_of(year, month)?, 2))
    }

    /// "March 2025", "March of 2025"
    fn written_month(&self) -> Option<(String, usize)> {
        let month = month(self.word(0)?)?;
        let of = usize::from(self.word(1)? == "of" && is_loose(self.gap(1)?));
        let year = year(self.word(1 + of)?)?;
        let period = is_loose(self.gap(0)?).then(|| month_of(year, month))??;
        Some((period, 2 + of))
    }

    /// "in 2025"
    fn bare_year(&self) -> Option<(String, usize)> {
        let announced = matches!(self.word(0)?, "in" | "during" | "for" | "year");
        let year = year(self.word(1)?)?;
        (announced && self.gap(0)? == " ").then(|| (year.to_string(), 2))
    }

    /// "last month"
    fn relative(&self, today: Date) -> Option<(String, usize)> {
        let back = match self.word(0)? {
            "this" | "current" => 0,
            "last" | "previous" => 1,
            _ => return None,
        };
        let period = match self.word(1)? {
            "year" => format!("{:04}", u32::from(today.year()) - back),
            "month" => {
                let months = u32::from(today.year()) * 12 + u32::from(today.month()) - 1 - back;
                format!("{:04}-{:02}", months / 12, months % 12 + 1)
            }
            _ => return None,
        };
        (self.gap(0)? == " ").then_some((period, 2))
    }
}

/// What may stand between the numbers of a date.
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

/// What may stand between the words of a date.
fn is_loose(gap: &str) -> bool {
    matches!(gap, " " | "," | ", " | ". ") || Joint::of(gap) == Some(Joint::Dash)
}

/// A number of one or two ASCII digits.
fn number(word: &str) -> Option<u8> {
    let digits = word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| word.parse().ok())?
}

/// A year of the twentieth or the twenty-first century.
fn year(word: &str) -> Option<u16> {
    let digits = word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let year = digits.then(|| word.parse().ok())??;
    (1900..2100).contains(&year).then_some(year)
}

/// A day of a month, with or without its ordinal ending.
fn day(word: &str) -> Option<u8> {
    let endings = ["st", "nd", "rd", "th"];
    let plain = endings.iter().find_map(|ending| word.strip_suffix(ending));
    number(plain.unwrap_or(word)).filter(|day| (1..=31).contains(day))
}

/// A month by its English name or the first letters of it.
fn month(word: &str) -> Option<u8> {
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
    let short = if word == "sept" { "sep" } else { word };
    let is_name = |name: &str| name == word || short.len() == 3 && name.starts_with(short);
    let index = NAMES.iter().position(|name| is_name(name))?;
    u8::try_from(index + 1).ok()
}

fn month_of(year: u16, month: u8) -> Option<String> {
    Date::new(year, month, 1).map(|date| format!("{:04}-{:02}", date.year(), date.month()))
}
