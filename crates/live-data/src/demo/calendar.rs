//! Calendar days, as the generator uses them.

use std::fmt;

use jiff::{Span, civil};

/// A day of the proleptic Gregorian calendar. `Display` writes it as
/// `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(civil::Date);

/// "Today" in the demo data: everything is dated relative to it.
pub(super) const REFERENCE: Day = Day::of(2025, 11, 20);

impl Day {
    /// The day of a civil date that exists.
    pub(super) const fn of(year: i16, month: i8, day: i8) -> Self {
        Self(civil::date(year, month, day))
    }

    /// Its year.
    pub(super) fn year(self) -> i16 {
        self.0.year()
    }

    /// The day `days` later; earlier if negative. The generator stays
    /// within decades of [`REFERENCE`], far from where the calendar ends.
    pub(super) fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(Span::new().days(days)))
    }

    /// The number of days since `earlier`.
    pub(super) fn since(self, earlier: Self) -> i64 {
        // A span between two dates counts nothing but days.
        (self.0 - earlier.0).get_days().into()
    }

    /// The given day of the month that many months later.
    pub(super) fn in_month(self, months: i64, day: i64) -> Self {
        let first = self.0.first_of_month();
        Self(first.saturating_add(Span::new().months(months))).plus(day - 1)
    }

    /// Its month, as `YYYY-MM`.
    pub(super) fn period(self) -> String {
        format!("{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(Day::of(2000, 3, 1).since(Day::of(1970, 1, 1)), 11_017);
        assert_eq!(Day::of(2024, 2, 29).plus(1), Day::of(2024, 3, 1));
        assert_eq!(REFERENCE.to_string(), "2025-11-20");
        assert_eq!(REFERENCE.period(), "2025-11");
        assert_eq!(REFERENCE.since(Day::of(2025, 1, 1)), 323);
    }

    #[test]
    fn months_wrap_at_the_year() {
        assert_eq!(REFERENCE.in_month(2, 5).to_string(), "2026-01-05");
        assert_eq!(REFERENCE.in_month(3, 31).to_string(), "2026-03-03");
        assert_eq!(REFERENCE.in_month(-11, 28).to_string(), "2024-12-28");
    }
}
