//! Dates and spans that name their year, or that take it from their neighbours.

use super::member::{Member, Part, YearPart};
use super::{Joint, Reader, is_apostrophe_gap, is_loose};
use crate::slots::Date;
use crate::slots::span::Span;

/// Words before "year" for years that are not calendar years.
const OTHER_YEARS: [&str; 6] = ["financial", "fiscal", "tax", "academic", "policy", "school"];

impl Reader<'_> {
    /// The longest form that begins here, except for a number alone.
    pub(super) fn absolute(&self) -> Option<(Part, usize)> {
        self.interval()
            .or_else(|| self.numeric_date())
            .or_else(|| self.day_first())
            .or_else(|| self.month_first())
            .or_else(|| self.quarter_or_half())
            .or_else(|| self.some_of_a_year())
            .or_else(|| self.week())
            .or_else(|| self.numeric_month())
            .or_else(|| self.written_month())
            .or_else(|| self.announced_year())
    }

    /// "2025-03-01/2025-03-14", as a slot of kind `range` writes it, of any year.
    fn interval(&self) -> Option<(Part, usize)> {
        let is_dash = |i| self.gap(i).and_then(Joint::of) == Some(Joint::Dash);
        let is_slash = self.gap(2).and_then(Joint::of) == Some(Joint::Slash);
        if !(is_slash && [0, 1, 3, 4].into_iter().all(is_dash)) {
            return None;
        }
        let year = |i| {
            let word = self.word(i).filter(|word| word.len() == 4)?;
            let digits = word.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| word.parse().ok())?
        };
        let day = |i| Date::new(year(i)?, self.number(i + 1)?, self.number(i + 2)?);
        Some((Part::Whole(Span::days(day(0)?, day(3)?)?), 6))
    }

    /// "2025-03-14", "14/03/2025"
    fn numeric_date(&self) -> Option<(Part, usize)> {
        let (first, second) = (Joint::of(self.gap(0)?)?, Joint::of(self.gap(1)?)?);
        if first != second {
            return None;
        }
        let (year, month, day) = match self.year(0) {
            Some(year) => (year, self.number(1)?, self.number(2)?),
            None => (self.year(2)?, self.number(1)?, self.number(0)?),
        };
        let date = Date::new(year, month, day).map(Span::day);
        Some((date.map_or(Part::Unclear, Part::Whole), 3))
    }

    /// "14 March 2025", "14th of March, 2025", "14 March"
    fn day_first(&self) -> Option<(Part, usize)> {
        let day = self.day(0)?;
        let of = usize::from(self.word(1)? == "of" && self.gap(1)? == " ");
        let month = self.month(1 + of).filter(|_| {
            let gap = self.gap(0).unwrap_or_default();
            is_loose(gap) && !gap.contains(',')
        })?;
        let piece = YearPart::Day { month, day };
        Some(match self.year_phrase(2 + of) {
            Some((year, length)) => (dated(piece, year), 2 + of + length),
            None => (Part::YearPart(piece), 2 + of),
        })
    }

    /// "March 14, 2025", "March 14"
    fn month_first(&self) -> Option<(Part, usize)> {
        let (month, day) = (self.month(0)?, self.day(1)?);
        if !is_loose(self.gap(0)?) || self.gap(0)?.contains(',') {
            return None;
        }
        // "March 14 April" is a month and a day.
        if self.month(2).is_some() && self.gap(1) == Some(" ") {
            return None;
        }
        Some(match self.year_phrase(2) {
            Some((year, length)) => (dated(YearPart::Day { month, day }, year), 2 + length),
            None => (Part::MonthDay { month, day }, 2),
        })
    }

    /// "Q1 2025", "2025-Q1", "H1 2025", "first quarter of 2025", "Q1"
    fn quarter_or_half(&self) -> Option<(Part, usize)> {
        if let Some(year) = self.year(0) {
            let close = is_loose(self.gap(0)?);
            let piece = short(self.word(1)?).filter(|_| close)?;
            return Some((dated(piece, year), 2));
        }
        let (piece, length) = match short(self.word(0)?) {
            Some(piece) => (piece, 1),
            None => (self.ordinal_piece()?, 2),
        };
        Some(match self.year_phrase(length) {
            Some((year, more)) => (dated(piece, year), length + more),
            None if self.word(0) == Some("last") => return None,
            None => (Part::YearPart(piece), length),
        })
    }

    /// "first quarter", "second half", "last quarter of"
    fn ordinal_piece(&self) -> Option<YearPart> {
        let halves = matches!(self.word(1)?, "half" | "halves");
        let quarters = matches!(self.word(1)?, "quarter" | "quarters");
        let number = match self.word(0)? {
            "last" if self.word(2) == Some("of") => 2 + 2 * u8::from(quarters),
            word => ordinal(word)?,
        };
        if self.gap(0)? != " " {
            return None;
        }
        match number {
            1..=2 if halves => Some(YearPart::Half(number)),
            1..=4 if quarters => Some(YearPart::Quarter(number)),
            _ => None,
        }
    }

    /// "first three months of 2025", "last two quarters of 2025"
    fn some_of_a_year(&self) -> Option<(Part, usize)> {
        let is_first = match self.word(0)? {
            "first" => true,
            "last" => false,
            _ => return None,
        };
        let each = match self.word(2)? {
            "months" => 1,
            "quarters" => 3,
            _ => return None,
        };
        let count = u8::try_from(super::relative::count(self.word(1)?)?).ok()?;
        let months = count.checked_mul(each).filter(|months| *months <= 12)?;
        let (year, length) = self.year_phrase(3).filter(|_| self.word(3) == Some("of"))?;
        let span = match is_first {
            true => Span::months(year, 1, months),
            false => Span::months(year, 13 - months, 12),
        };
        let span = span.filter(|_| self.is_spaced(4))?;
        Some((Part::Whole(span), 3 + length))
    }

    /// "2025-W12", a week of ISO 8601
    fn week(&self) -> Option<(Part, usize)> {
        let (year, week) = (self.year(0)?, self.word(1)?.strip_prefix('w')?);
        let digits = week.len() == 2 && week.bytes().all(|byte| byte.is_ascii_digit());
        let week = digits.then(|| week.parse().ok())??;
        let close = Joint::of(self.gap(0)?) == Some(Joint::Dash);
        Some((Part::Whole(close.then(|| Span::iso_week(year, week))??), 2))
    }

    /// "2025-03" or "03/2025"
    fn numeric_month(&self) -> Option<(Part, usize)> {
        if !matches!(Joint::of(self.gap(0)?)?, Joint::Dash | Joint::Slash) {
            return None;
        }
        let (year, month) = match self.year(0) {
            Some(year) => (year, self.number(1)?),
            None => (self.year(1)?, self.number(0)?),
        };
        let is_month = (1..=12).contains(&month);
        is_month.then_some((Part::Dated(YearPart::Month(month), year), 2))
    }

    /// "March 2025", "the month of March 2025", "March last year", "March"
    fn written_month(&self) -> Option<(Part, usize)> {
        let noise = self
            .says_any(&["month of", "months of", "month", "months"])
            .filter(|length| self.gap(length - 1) == Some(" "))
            .unwrap_or(0);
        let piece = YearPart::Month(self.month(noise)?);
        Some(match self.year_phrase(noise + 1) {
            Some((year, length)) => (dated(piece, year), noise + 1 + length),
            None => (Part::YearPart(piece), noise + 1),
        })
    }

    /// "year 2025", "calendar years 2024"
    fn announced_year(&self) -> Option<(Part, usize)> {
        let noise = usize::from(self.word(0)? == "calendar");
        matches!(self.word(noise)?, "year" | "years").then_some(())?;
        let is_other = |word| OTHER_YEARS.contains(&word);
        let year = self
            .plain_year(noise + 1)
            .filter(|_| self.is_spaced(noise + 2))?;
        let part = if self.word_before(1).is_some_and(is_other) {
            Part::Unclear
        } else {
            let announced = true;
            Part::Year { year, announced }
        };
        Some((part, noise + 2))
    }

    /// A number that may be a year or a day, or that counts a quarter.
    pub(super) fn bare_number(&self) -> Option<(Member, usize)> {
        let part = if let Some(year) = self.plain_year(0) {
            let announced = false;
            Part::Year { year, announced }
        } else if let Some(day) = self.day(0) {
            // "15, 2025"
            let close = self.gap(0).is_some_and(|gap| matches!(gap, " " | ", "));
            if let Some(year) = self.plain_year(1).filter(|_| close) {
                return Some((Member::new(Part::DayYear { day, year }), 2));
            }
            Part::Number(day)
        } else {
            Part::Ordinal(ordinal(self.word(0)?)?)
        };
        Some((Member::new(part), 1))
    }

    /// The year that ends a date whose other words end before token `i`: "2025",
    /// "of 2025", "'25", "last year"; and its length.
    fn year_phrase(&self, i: usize) -> Option<(u16, usize)> {
        let gap = self.gap(i.checked_sub(1)?)?;
        if is_apostrophe_gap(gap) {
            let word = self.word(i).filter(|word| word.len() == 2)?;
            let year = 2000 + u16::from(self.number(i).filter(|_| word.len() == 2)?);
            return self.is_near(year).then_some((year, 1));
        }
        if !is_loose(gap) {
            return None;
        }
        let of = usize::from(matches!(self.word(i)?, "of" | "in") && self.gap(i) == Some(" "));
        if let Some(year) = self.plain_year(i + of) {
            return Some((year, of + 1));
        }
        let reader = self.after(i + of);
        let article = usize::from(reader.says("the").is_some() && reader.gap(0) == Some(" "));
        let reader = reader.after(article);
        let (steps, length) = [
            ("last year", -1),
            ("previous year", -1),
            ("this year", 0),
            ("current year", 0),
            ("next year", 1),
            ("year before last", -2),
        ]
        .iter()
        .find_map(|(words, steps)| Some((*steps, reader.says(words)?)))?;
        // "The last year" may be the twelve months before today.
        let is_clear = article == 0 || reader.word(0) != Some("last");
        let year = i32::from(self.today.year()) + steps;
        let year = u16::try_from(year).ok().filter(|_| is_clear)?;
        Some((year, of + article + length))
    }

    /// Whether a number without an announcing word is most likely a year.
    pub(super) fn is_near(&self, year: u16) -> bool {
        let today = self.today.year();
        (today.saturating_sub(20)..=today.saturating_add(10)).contains(&year)
    }
}

/// The part of that year; a day that the calendar lacks is unclear.
fn dated(piece: YearPart, year: u16) -> Part {
    match piece.span(year) {
        Some(_) => Part::Dated(piece, year),
        None => Part::Unclear,
    }
}

/// "q1", "h2"
fn short(word: &str) -> Option<YearPart> {
    let number = word.get(1..).filter(|rest| rest.len() == 1)?.parse().ok()?;
    match (word.as_bytes().first()?, number) {
        (b'q', 1..=4) => Some(YearPart::Quarter(number)),
        (b'h', 1..=2) => Some(YearPart::Half(number)),
        _ => None,
    }
}

fn ordinal(word: &str) -> Option<u8> {
    Some(match word {
        "first" | "1st" => 1,
        "second" | "2nd" => 2,
        "third" | "3rd" => 3,
        "fourth" | "4th" => 4,
        _ => return None,
    })
}
