//! Spans of days, and how each kind of slot writes them.

use std::collections::BTreeSet;

use super::date::Date;

/// The most months that a span is written as: two years.
const MAX_MONTHS: usize = 24;

/// The unit that a span was named by, which decides the kinds of slot that accept
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Month,
    /// Several whole months in a row.
    Months,
    Year,
    /// Any days in a row, such as a week.
    Days,
}

/// Days in a row, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    from: Date,
    to: Date,
    unit: Unit,
}

impl Span {
    pub(super) fn day(day: Date) -> Self {
        Self {
            from: day,
            to: day,
            unit: Unit::Day,
        }
    }

    /// The days from `from` to `to`; `None` if there are none.
    pub(super) fn days(from: Date, to: Date) -> Option<Self> {
        let unit = Unit::Days;
        (from <= to).then_some(Self { from, to, unit })
    }

    pub(super) fn month(year: u16, month: u8) -> Option<Self> {
        let from = Date::new(year, month, 1)?;
        Some(Self {
            from,
            to: from.end_of_month(),
            unit: Unit::Month,
        })
    }

    /// The whole months from `first` to `last` of one year.
    pub(super) fn months(year: u16, first: u8, last: u8) -> Option<Self> {
        Self::month(year, first)?.through(Self::month(year, last)?)
    }

    pub(super) fn year(year: u16) -> Option<Self> {
        Some(Self {
            from: Date::new(year, 1, 1)?,
            to: Date::new(year, 12, 31)?,
            unit: Unit::Year,
        })
    }

    /// The quarter of that number, from 1 to 4.
    pub(super) fn quarter(year: u16, quarter: u8) -> Option<Self> {
        let before = 3 * quarter.checked_sub(1)?;
        Self::months(year, before + 1, before + 3)
    }

    /// The half of that number, 1 or 2.
    pub(super) fn half(year: u16, half: u8) -> Option<Self> {
        let before = 6 * half.checked_sub(1)?;
        Self::months(year, before + 1, before + 6)
    }

    /// The week, from Monday to Sunday, that holds `day`.
    pub(super) fn week(day: Date) -> Option<Self> {
        let monday = day.plus_days(-day.days_after_monday())?;
        Self::days(monday, monday.plus_days(6)?)
    }

    /// The week of that number, by ISO 8601: the first is the one with 4 January.
    pub(super) fn iso_week(year: u16, week: u8) -> Option<Self> {
        let first = Self::week(Date::new(year, 1, 4)?)?.from;
        let monday = first.plus_days(7 * (i64::from(week) - 1))?;
        // A week belongs to the year that its Thursday is in.
        let belongs = week > 0 && monday.plus_days(3)?.year() == year;
        belongs.then(|| Self::week(monday))?
    }

    /// From the first day of this one to the last of `other`.
    pub(super) fn through(self, other: Self) -> Option<Self> {
        let whole_months = |unit| matches!(unit, Unit::Month | Unit::Months);
        let unit = if whole_months(self.unit) && whole_months(other.unit) {
            Unit::Months
        } else {
            Unit::Days
        };
        let (from, to) = (self.from, other.to);
        (from <= to).then_some(Self { from, to, unit })
    }

    /// Its first day.
    pub(super) fn first_day(self) -> Self {
        Self::day(self.from)
    }

    /// All days from its first one on.
    pub(super) fn onwards(self) -> Option<Self> {
        Self::days(self.from, Date::MAX)
    }

    /// All days up to its last one.
    pub(super) fn and_before(self) -> Option<Self> {
        Self::days(Date::MIN, self.to)
    }

    /// All days before its first one.
    pub(super) fn before(self) -> Option<Self> {
        Self::days(Date::MIN, self.from.plus_days(-1)?)
    }

    /// All days after its last one.
    pub(super) fn after(self) -> Option<Self> {
        Self::days(self.to.plus_days(1)?, Date::MAX)
    }

    /// The days that are in `other` as well.
    pub(super) fn within(self, other: Self) -> Option<Self> {
        Self::days(self.from.max(other.from), self.to.min(other.to))
    }

    pub(super) fn is_day(self) -> bool {
        self.unit == Unit::Day
    }

    pub(super) fn is_year(self) -> bool {
        self.unit == Unit::Year
    }

    fn as_date(self) -> Option<String> {
        self.is_day().then(|| self.from.to_string())
    }

    fn as_period(self) -> Option<String> {
        match self.unit {
            Unit::Year => Some(format!("{:04}", self.from.year())),
            Unit::Month | Unit::Months => {
                let months = std::iter::successors(Some(self.from), |month| month.plus_months(1));
                let months: Vec<_> = months
                    .take_while(|month| *month <= self.to)
                    .take(MAX_MONTHS + 1)
                    .map(|month| format!("{:04}-{:02}", month.year(), month.month()))
                    .collect();
                (months.len() <= MAX_MONTHS).then(|| months.join(","))
            }
            Unit::Day | Unit::Days => None,
        }
    }
}

/// The spans that one phrase of a message names: one, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spans(pub(super) Vec<Span>);

impl Spans {
    /// As a slot of kind `date` writes them: `YYYY-MM-DD`, joined with `,`.
    pub(super) fn as_date(&self) -> Option<String> {
        self.each(Span::as_date)
    }

    /// As a slot of kind `period` writes them: `YYYY` or `YYYY-MM`, joined
    /// with `,`.
    pub(super) fn as_period(&self) -> Option<String> {
        self.each(Span::as_period)
    }

    /// As a slot of kind `range` writes them: the first and the last day, as ISO
    /// 8601 writes an interval, joined with `,`. Spans that overlap or adjoin are
    /// merged.
    pub(super) fn as_range(&self) -> Option<String> {
        let mut spans = self.0.clone();
        spans.sort_by_key(|span| (span.from, span.to));
        let mut merged: Vec<Span> = Vec::new();
        for span in spans {
            match merged.last_mut() {
                Some(last) if last.to.plus_days(1).is_none_or(|next| span.from <= next) => {
                    last.to = last.to.max(span.to);
                }
                _ => merged.push(span),
            }
        }
        let write = |span: &Span| format!("{}/{}", span.from, span.to);
        let written: Vec<_> = merged.iter().map(write).collect();
        Some(written.join(","))
    }

    /// All spans in one form; `None` if one has no such form, as a part of a list
    /// is a different question.
    fn each(&self, write: fn(Span) -> Option<String>) -> Option<String> {
        let written: Option<Vec<_>> = self.0.iter().map(|span| write(*span)).collect();
        let written = written?;
        let parts: BTreeSet<_> = written.iter().flat_map(|value| value.split(',')).collect();
        Some(parts.into_iter().collect::<Vec<_>>().join(","))
    }
}
