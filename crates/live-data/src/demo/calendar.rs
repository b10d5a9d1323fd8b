//! Dates as day numbers, so that the generator can add days to them.

use std::fmt;

/// A day of the proleptic Gregorian calendar, counted from 1970-01-01.
/// `Display` writes it as `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(i64);

/// "Today" in the demo data: everything is dated relative to it.
pub(super) const REFERENCE: Day = Day::of(2025, 11, 20);

impl Day {
    /// The day of a civil date (Hinnant, "chrono-compatible low-level date
    /// algorithms": years begin in March, so that the leap day comes last).
    pub(super) const fn of(year: i64, month: i64, day: i64) -> Self {
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let year_of_era = shifted.rem_euclid(400);
        let month_from_march = (month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self(era * 146_097 + day_of_era - 719_468)
    }

    /// Year, month and day.
    pub(super) const fn civil(self) -> (i64, i64, i64) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
        (year, month, day)
    }

    /// The day that many days later; earlier when negative.
    pub(super) const fn plus(self, days: i64) -> Self {
        Self(self.0 + days)
    }

    /// How many days have gone by since `earlier`.
    pub(super) const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// The given day of the month that lies that many months later.
    pub(super) const fn in_month(self, months: i64, day: i64) -> Self {
        let (year, month, _) = self.civil();
        let months = year * 12 + (month - 1) + months;
        Self::of(months.div_euclid(12), months.rem_euclid(12) + 1, day)
    }

    /// Its month, as `YYYY-MM`.
    pub(super) fn period(self) -> String {
        let (year, month, _) = self.civil();
        format!("{year:04}-{month:02}")
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(Day::of(1970, 1, 1), Day(0));
        assert_eq!(Day::of(2000, 3, 1), Day(11_017));
        assert_eq!(Day::of(2024, 2, 29).plus(1), Day::of(2024, 3, 1));
        assert_eq!(REFERENCE.to_string(), "2025-11-20");
        assert_eq!(REFERENCE.period(), "2025-11");
        assert_eq!(REFERENCE.since(Day::of(2025, 1, 1)), 323);
    }

    #[test]
    fn every_day_of_five_centuries_comes_back() {
        let mut day = Day::of(1800, 1, 1);
        let mut before = (1799, 12, 31);
        while day < Day::of(2300, 1, 1) {
            let civil = day.civil();
            assert_eq!(Day::of(civil.0, civil.1, civil.2), day);
            assert!(civil > before);
            before = civil;
            day = day.plus(1);
        }
    }

    #[test]
    fn months_wrap_at_the_year() {
        assert_eq!(REFERENCE.in_month(2, 5).to_string(), "2026-01-05");
        assert_eq!(REFERENCE.in_month(-11, 28).to_string(), "2024-12-28");
    }
}
