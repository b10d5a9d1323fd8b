//! Dates, and spans of days such as months, in absolute form.
//!
//! Dates: `2025-03-14`, `14/03/2025` (day first), `14 March 2025`,
//! `March 14, 2025`. Spans: `March 2025`, `2025-03`, `in 2025`, `Q1 2025`,
//! `2025-W12`, `from March 2025 to May 2025`; the relative ones are beside this.
//! Years run from 1900 to 2099.

mod relative;

use super::pattern::{is_dash, is_joined_after, is_joined_before};
use super::span::Span;
use super::{Date, Taken};

/// The dates and spans that a text in normal form names, from left to right.
///
/// Reads from left to right, taking at each word the longest form that fits.
pub(super) fn scan(text: &str, today: Date) -> Vec<Taken<Span>> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some(first) = rest.first() {
        let reader = Reader { text, rest, today };
        let hit = reader.between().or_else(|| reader.single());
        let hit = hit.filter(|(_, length)| reader.stands_alone(*length));
        rest = match hit {
            Some((value, length)) => {
                let place = first.start..rest[length - 1].end;
                found.push(Taken { value, place });
                &rest[length..]
            }
            None => &rest[1..],
        };
    }
    found
}

/// A run of letters and digits, and where it stands in the text.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
    end: usize,
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
    today: Date,
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

    /// Whether a space and nothing else follows each of the first tokens but
    /// the last.
    fn is_spaced(&self, length: usize) -> bool {
        (1..length).all(|i| self.gap(i - 1) == Some(" "))
    }

    /// Whether the first `length` tokens are no part of something longer.
    fn stands_alone(&self, length: usize) -> bool {
        !is_joined_before(self.text, self.rest[0].start)
            && !is_joined_after(self.text, self.rest[length - 1].end)
    }

    fn after(&self, length: usize) -> Option<Self> {
        let rest = self.rest.get(length..)?;
        Some(Self { rest, ..*self })
    }

    /// "from March 2025 to May 2025", "between 2025-03-01 and 2025-03-14"
    fn between(&self) -> Option<(Span, usize)> {
        let joints: &[&str] = match self.word(0)? {
            "from" => &["to", "until", "till", "through"],
            "between" => &["and"],
            _ => return None,
        };
        let first = self.after(1)?;
        let (from, length) = first.single()?;
        let joint = 1 + length;
        let second = self.after(joint + 1)?;
        let (to, more) = second.single()?;
        let close = self.gap(0)? == " " && self.gap(joint - 1)? == " " && self.gap(joint)? == " ";
        let fits = close && joints.contains(&self.word(joint)?);
        Some((fits.then(|| from.through(to))??, joint + 1 + more))
    }

    fn single(&self) -> Option<(Span, usize)> {
        let date = || self.numeric_date().or_else(|| self.written_date());
        date()
            .map(|(date, length)| (Span::day(date), length))
            .or_else(|| self.quarter())
            .or_else(|| self.week())
            .or_else(|| self.numeric_month())
            .or_else(|| self.written_month())
            .or_else(|| self.bare_year())
            .or_else(|| self.relative())
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

    /// "2025-03" or "03/2025"
    fn numeric_month(&self) -> Option<(Span, usize)> {
        let (a, b) = (self.word(0)?, self.word(1)?);
        if !matches!(Joint::of(self.gap(0)?)?, Joint::Dash | Joint::Slash) {
            return None;
        }
        let (year, month) = match year(a) {
            Some(year) => (year, number(b)?),
            None => (year(b)?, number(a)?),
        };
        Some((Span::month(year, month)?, 2))
    }

    /// "March 2025", "March of 2025"
    fn written_month(&self) -> Option<(Span, usize)> {
        let month = month(self.word(0)?)?;
        let of = usize::from(self.word(1)? == "of" && is_loose(self.gap(1)?));
        let year = year(self.word(1 + of)?)?;
        let span = is_loose(self.gap(0)?).then(|| Span::month(year, month))??;
        Some((span, 2 + of))
    }

    /// "in 2025"
    fn bare_year(&self) -> Option<(Span, usize)> {
        let announced = matches!(self.word(0)?, "in" | "during" | "for" | "year");
        let year = year(self.word(1)?)?;
        let span = Span::year(year)?;
        (announced && self.gap(0)? == " ").then_some((span, 2))
    }

    /// "Q1 2025", "2025-Q1", "first quarter of 2025"
    fn quarter(&self) -> Option<(Span, usize)> {
        let (a, b) = (self.word(0)?, self.word(1)?);
        let gap = self.gap(0)?;
        if let Some(year) = year(a) {
            let close = is_loose(gap);
            return Some((Span::quarter(year, close.then(|| quarter(b))??)?, 2));
        }
        if let Some(quarter) = quarter(a) {
            return Some((Span::quarter(is_loose(gap).then(|| year(b))??, quarter)?, 2));
        }
        let quarter = match a {
            "first" | "1st" => 1,
            "second" | "2nd" => 2,
            "third" | "3rd" => 3,
            "fourth" | "4th" => 4,
            _ => return None,
        };
        let of = usize::from(self.word(2)? == "of");
        let year = year(self.word(2 + of)?)?;
        let fits = b == "quarter" && self.is_spaced(3 + of);
        Some((fits.then(|| Span::quarter(year, quarter))??, 3 + of))
    }

    /// "2025-W12", a week of ISO 8601
    fn week(&self) -> Option<(Span, usize)> {
        let (year, week) = (year(self.word(0)?)?, self.word(1)?.strip_prefix('w')?);
        let week = number(week).filter(|_| week.len() == 2)?;
        let close = Joint::of(self.gap(0)?) == Some(Joint::Dash);
        Some((close.then(|| Span::iso_week(year, week))??, 2))
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

/// A quarter of a year as `q1` writes it.
fn quarter(word: &str) -> Option<u8> {
    let number = number(word.strip_prefix('q')?)?;
    (word.len() == 2 && (1..=4).contains(&number)).then_some(number)
}
