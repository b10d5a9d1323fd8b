//! Dates and spans relative to the current day.

use super::Reader;
use super::member::{Member, Part, YearPart};
use crate::slots::Date;
use crate::slots::span::Span;

/// A calendar's unit.
#[derive(Clone, Copy, PartialEq, Eq)]
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
            "quarter" | "quarters" => Self::Quarter,
            "year" | "years" => Self::Year,
            _ => return None,
        })
    }

    /// A unit of several days, by its name for one.
    fn single(word: &str) -> Option<Self> {
        Self::of(word).filter(|step| *step != Self::Day && !word.ends_with('s'))
    }

    /// The day `steps` units later, or earlier if negative.
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
    /// `has_article` is true if "the" precedes it: "the last month" may be the
    /// days up to today, "last month" may not.
    pub(super) fn relative(&self, has_article: bool) -> Option<(Member, usize)> {
        let whole = |(span, length)| (Member::new(Part::Whole(span)), length);
        let found = self
            .named_day()
            .map(whole)
            .or_else(|| self.beyond_neighbour().map(whole))
            .or_else(|| self.ago())
            .or_else(|| self.so_far().map(whole))
            .or_else(|| self.rolling())
            .or_else(|| self.neighbour(has_article))
            .or_else(|| self.elided_neighbour().map(whole))
            .or_else(|| self.neighbour_month());
        // "The last month of 2024" is another one.
        let (member, length) = found?;
        let is_part = self.after(length).says("of").is_some();
        let part = if is_part { Part::Unclear } else { member.part };
        Some((Member { part, ..member }, length))
    }

    /// "yesterday"
    fn named_day(&self) -> Option<(Span, usize)> {
        let (days, length) = [
            ("yesterday", -1),
            ("today", 0),
            ("tomorrow", 1),
            ("day before yesterday", -2),
            ("day after tomorrow", 2),
        ]
        .iter()
        .find_map(|(words, days)| Some((*days, self.says(words)?)))?;
        Some((Span::day(self.today.plus_days(days)?), length))
    }

    /// "month before last", "week after next"
    fn beyond_neighbour(&self) -> Option<(Span, usize)> {
        let step = Step::single(self.word(0)?)?;
        let rest = self.after(1);
        let steps = match (rest.says("before last"), rest.says("after next")) {
            (Some(_), _) => -2,
            (_, Some(_)) => 2,
            _ => return None,
        };
        let span = step.around(step.from(self.today, steps)?)?;
        // "The month before last month"
        let more = usize::from(self.word(3) == self.word(0) && self.gap(2) == Some(" "));
        (self.gap(0)? == " ").then_some((span, 3 + more))
    }

    /// "3 days ago"; "two months ago", which is the whole month.
    fn ago(&self) -> Option<(Member, usize)> {
        let step = Step::of(self.word(1)?)?;
        if self.word(2)? != "ago" || !self.is_spaced(3) {
            return None;
        }
        if matches!(self.word(0)?, "a" | "an") {
            return Some((Member::new(Part::Unclear), 3));
        }
        let count = count(self.word(0)?)?;
        // A year ago may be a day or a year.
        let is_clear = step != Step::Quarter && (step != Step::Year || count > 1);
        if !is_clear {
            return Some((Member::new(Part::Unclear), 3));
        }
        let span = step.around(step.from(self.today, -count)?)?;
        let member = Member {
            is_rough: step != Step::Day,
            ..Member::new(Part::Whole(span))
        };
        Some((member, 3))
    }

    /// "this year so far", "so far this year", "year to date"
    fn so_far(&self) -> Option<(Span, usize)> {
        let (step, length) = match self.word(0)? {
            "ytd" => (Step::Year, 1),
            "mtd" => (Step::Month, 1),
            "so" => {
                self.says("so far")?;
                let within = usize::from(self.word(2)? == "in");
                matches!(self.word(2 + within)?, "this" | "current").then_some(())?;
                (Step::single(self.word(3 + within)?)?, 4 + within)
            }
            "this" | "current" => {
                let step = Step::single(self.word(1)?)?;
                self.after(2).says_any(&["so far", "to date"])?;
                (step, 4)
            }
            unit => {
                let step = Step::single(unit)?;
                self.after(1).says("to date")?;
                (step, 3)
            }
        };
        let so_far = step.around(self.today)?.first_day();
        let span = so_far.through(Span::day(self.today))?;
        self.is_spaced(length).then_some((span, length))
    }

    /// "last 30 days", which end today; "next two weeks", which begin tomorrow. The
    /// last three months may also be the three before this one, so they begin with
    /// the first day of these.
    fn rolling(&self) -> Option<(Member, usize)> {
        let back = match self.word(0)? {
            "last" | "past" | "previous" => true,
            "next" | "coming" => false,
            _ => return None,
        };
        let (count, step) = (count(self.word(1)?)?, Step::of(self.word(2)?)?);
        if !self.is_spaced(3) {
            return None;
        }
        // Whole quarters or as many days?
        if step == Step::Quarter {
            return Some((Member::new(Part::Unclear), 3));
        }
        let span = if back {
            let from = match step {
                Step::Day => Span::day(self.today.plus_days(1 - count)?),
                _ => step.around(step.from(self.today, -count)?)?,
            };
            from.first_day().through(Span::day(self.today))?
        } else {
            let until = step.around(step.from(self.today, count)?)?;
            Span::day(self.today.plus_days(1)?).through(until)?
        };
        let member = Member {
            is_rough: step != Step::Day,
            ..Member::new(Part::Whole(span))
        };
        Some((member, 3))
    }

    /// Whether the words here count from the previous member, as in "March and
    /// the previous month".
    pub(super) fn counts_from_another(&self) -> bool {
        const WORDS: [&str; 6] = [
            "previous",
            "preceding",
            "prior",
            "next",
            "following",
            "subsequent",
        ];
        let article = self.says("the").unwrap_or(0);
        let reader = self.after(article);
        reader.says_any(&WORDS).is_some() && reader.word(1).and_then(Step::of).is_some()
    }

    /// "last month"
    fn neighbour(&self, has_article: bool) -> Option<(Member, usize)> {
        let step = Step::single(self.word(1)?).filter(|_| self.is_spaced(2))?;
        let word = self.word(0)?;
        // "This last year", too
        let is_this = self.word_before(1) == Some("this") && self.gap_before() == Some(" ");
        if word == "past" || word == "last" && (has_article || is_this) {
            return Some((Member::new(Part::Unclear), 2));
        }
        let span = step.around(step.from(self.today, steps(word)?)?)?;
        Some((Member::new(Part::Whole(span)), 2))
    }

    /// The "this" in "this and last month".
    fn elided_neighbour(&self) -> Option<(Span, usize)> {
        steps(self.word(2)?)?;
        let step = Step::single(self.word(3)?)?;
        let joined = matches!(self.word(1)?, "and" | "or") && self.is_spaced(4);
        let day = step.from(self.today, steps(self.word(0)?)?)?;
        Some((step.around(day).filter(|_| joined)?, 1))
    }

    /// "last May", the latest one that is over; "next June", "this March"
    fn neighbour_month(&self) -> Option<(Member, usize)> {
        let month = self.month(1).filter(|_| self.is_spaced(2))?;
        let (year, now) = (self.today.year(), self.today.month());
        let year = match self.word(0)? {
            "this" => year,
            "last" => year - u16::from(month >= now),
            "next" => year + u16::from(month <= now),
            _ => return None,
        };
        let piece = YearPart::Month(month);
        let has_more =
            self.gap(1) == Some(" ") && (self.day(2).is_some() || self.year(2).is_some());
        let part = match self.word(0)? {
            _ if has_more => Part::Unclear,
            "this" => Part::Dated(piece, year),
            _ => Part::Whole(piece.span(year)?),
        };
        Some((Member::new(part), 2))
    }

    /// The unit that "the year" means in "the beginning of the year".
    pub(super) fn own_unit(&self) -> Option<Span> {
        // But not "the year 2024" or "the month before last".
        let goes_on = self
            .word(1)
            .is_some_and(|next| matches!(next, "before" | "after" | "of"))
            || self.year(1).is_some();
        let step = Step::single(self.word(0)?).filter(|_| !goes_on)?;
        step.around(self.today)
    }
}

fn steps(word: &str) -> Option<i64> {
    Some(match word {
        "this" | "current" => 0,
        "last" | "previous" => -1,
        "next" => 1,
        _ => return None,
    })
}

/// A count from 1 to 999, in digits or in words up to twelve.
pub(super) fn count(word: &str) -> Option<i64> {
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
