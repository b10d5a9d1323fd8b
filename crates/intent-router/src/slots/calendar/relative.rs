//! Dates and spans that count from the day on which they are asked for.

use super::Reader;
use crate::slots::Date;
use crate::slots::span::Span;

/// A calendar's unit of several days.
#[derive(Clone, Copy)]
enum Step {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Step {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "day" | "days" => Self::Day,
            "week" | "weeks" => Self::Week,
            "month" | "months" => Self::Month,
            "quarter" => Self::Quarter,
            "year" | "years" => Self::Year,
            _ => return None,
        })
    }

    /// The day so many steps later, or earlier where negative.
    fn from(self, day: Date, steps: i64) -> Option<Date> {
        match self {
            Self::Day => day.plus_days(steps),
            Self::Week => day.plus_days(7 * steps),
            Self::Month => day.plus_months(steps),
            Self::Quarter => day.plus_months(3 * steps),
            Self::Year => day.plus_months(12 * steps),
        }
    }

    /// The whole week, month, quarter or year that holds the day.
    fn around(self, day: Date) -> Option<Span> {
        match self {
            Self::Day => Some(Span::day(day)),
            Self::Week => Span::week(day),
            Self::Month => Span::month(day.year(), day.month()),
            Self::Quarter => Span::quarter(day.year(), (day.month() - 1) / 3 + 1),
            Self::Year => Span::year(day.year()),
        }
    }
}

impl Reader<'_> {
    pub(super) fn relative(&self) -> Option<(Span, usize)> {
        self.named_day()
            .or_else(|| self.days_ago())
            .or_else(|| self.rolling())
            .or_else(|| self.neighbour())
    }

    /// "yesterday"
    fn named_day(&self) -> Option<(Span, usize)> {
        let days = match self.word(0)? {
            "yesterday" => -1,
            "today" => 0,
            "tomorrow" => 1,
            _ => return None,
        };
        Some((Span::day(self.today.plus_days(days)?), 1))
    }

    /// "3 days ago"
    fn days_ago(&self) -> Option<(Span, usize)> {
        let days = count(self.word(0)?)?;
        let fits = matches!(self.word(1)?, "day" | "days") && self.word(2)? == "ago";
        let day = (fits && self.is_spaced(3)).then(|| self.today.plus_days(-days))??;
        Some((Span::day(day), 3))
    }

    /// "last 30 days", which end today; "next two weeks", which begin tomorrow.
    fn rolling(&self) -> Option<(Span, usize)> {
        let back = match self.word(0)? {
            "last" | "past" | "previous" => true,
            "next" | "coming" => false,
            _ => return None,
        };
        let (count, step) = (count(self.word(1)?)?, Step::of(self.word(2)?)?);
        if !self.is_spaced(3) {
            return None;
        }
        let span = if back {
            let from = step.from(self.today, -count)?.plus_days(1)?;
            Span::days(from, self.today)?
        } else {
            Span::days(self.today.plus_days(1)?, step.from(self.today, count)?)?
        };
        Some((span, 3))
    }

    /// "last month"
    fn neighbour(&self) -> Option<(Span, usize)> {
        let steps = match self.word(0)? {
            "this" | "current" => 0,
            "last" | "previous" => -1,
            "next" => 1,
            _ => return None,
        };
        let step = match self.word(1)? {
            "week" => Step::Week,
            "month" => Step::Month,
            "quarter" => Step::Quarter,
            "year" => Step::Year,
            _ => return None,
        };
        let span = step.around(step.from(self.today, steps)?)?;
        self.is_spaced(2).then_some((span, 2))
    }
}

/// A count from 1 to 999, in digits or in words up to twelve.
fn count(word: &str) -> Option<i64> {
    const WORDS: [&str; 12] = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    let index = WORDS.iter().position(|name| *name == word);
    let named = index.and_then(|index| i64::try_from(index + 1).ok());
    let digits = word.len() <= 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    named
        .or_else(|| digits.then(|| word.parse().ok())?)
        .filter(|count| *count > 0)
}
