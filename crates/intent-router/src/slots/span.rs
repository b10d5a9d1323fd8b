//! Spans of days, and how each kind of slot writes one.

use super::Date;

/// The most months that one span is written out in: two years of them.
const MAX_MONTHS: usize = 24;

/// What a span was named by, which tells the kinds of slot that it suits.
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

    pub(super) fn year(year: u16) -> Option<Self> {
        Some(Self {
            from: Date::new(year, 1, 1)?,
            to: Date::new(year, 12, 31)?,
            unit: Unit::Year,
        })
    }

    /// The quarter of that number, from 1 to 4.
    pub(super) fn quarter(year: u16, quarter: u8) -> Option<Self> {
        let from = Date::new(year, 3 * quarter.checked_sub(1)? + 1, 1)?;
        Some(Self {
            from,
            to: from.plus_months(2)?.end_of_month(),
            unit: Unit::Months,
        })
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

    /// As a slot of kind `date` writes it: `YYYY-MM-DD`.
    pub(super) fn as_date(self) -> Option<String> {
        (self.unit == Unit::Day).then(|| self.from.to_string())
    }

    /// As a slot of kind `period` writes it: `YYYY`, or one or more `YYYY-MM`
    /// joined with `,`.
    pub(super) fn as_period(self) -> Option<String> {
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

    /// As a slot of kind `range` writes it: the first and the last day, as
    /// ISO 8601 writes an interval.
    pub(super) fn as_range(self) -> String {
        format!("{}/{}", self.from, self.to)
    }
}
