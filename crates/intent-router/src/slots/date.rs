//! A day of the calendar.

use std::fmt;

/// A day of the proleptic Gregorian calendar, from year 1 to year 9999;
/// displayed as `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day, if the calendar has it.
    ///
    /// ```
    /// use intent_router::Date;
    ///
    /// assert!(Date::new(2024, 2, 29).is_some());
    /// assert!(Date::new(2025, 2, 29).is_none());
    /// ```
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let exists = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        exists.then_some(Self { year, month, day })
    }

    /// The day, in universal time, of a moment in seconds since 1970-01-01.
    /// A moment before year 1 or after year 9999 counts as the first or the
    /// last day of that range.
    ///
    /// ```
    /// use intent_router::Date;
    ///
    /// assert_eq!(Date::from_unix_seconds(1_763_881_200).to_string(), "2025-11-23");
    /// ```
    pub fn from_unix_seconds(seconds: i64) -> Self {
        /// Days from 0001-01-01 to 1970-01-01.
        const EPOCH: i64 = 719_162;
        /// Days from 0001-01-01 to 9999-12-31.
        const LAST: i64 = 3_652_058;
        let mut rest = (seconds.div_euclid(86_400) + EPOCH).clamp(0, LAST);
        // Eras of 400 years have the same number of days; within one, the
        // estimate of 366 days a year is corrected year by year, at most a
        // few times.
        let mut year = 1 + rest / 146_097 * 400;
        rest %= 146_097;
        let whole_years = rest / 366;
        let leap_days = whole_years / 4 - whole_years / 100 + whole_years / 400;
        year += whole_years;
        rest -= whole_years * 365 + leap_days;
        let (mut year, mut rest) = (year as u16, rest as u16);
        while rest >= days_of(year) {
            rest -= days_of(year);
            year += 1;
        }
        let mut month = 1;
        while rest >= u16::from(days_in(year, month)) {
            rest -= u16::from(days_in(year, month));
            month += 1;
        }
        Self {
            year,
            month,
            day: rest as u8 + 1,
        }
    }

    /// The year, from 1 to 9999.
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, from 1 to 12.
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u8 {
        self.day
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u16) -> u16 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts every day of the range one by one.
    #[test]
    fn every_day_follows_the_one_before() {
        let mut seconds = -719_162 * 86_400;
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    let date = Date::new(year, month, day);
                    assert_eq!(Some(Date::from_unix_seconds(seconds)), date);
                    seconds += 86_400;
                }
            }
        }
    }

    #[test]
    fn known_days() {
        let check = |seconds, expect: &str| {
            assert_eq!(Date::from_unix_seconds(seconds).to_string(), expect);
        };
        check(0, "1970-01-01");
        check(-1, "1969-12-31");
        check(951_827_696, "2000-02-29");
        check(1_735_689_599, "2024-12-31");
        check(1_735_689_600, "2025-01-01");
        check(i64::MIN, "0001-01-01");
        check(i64::MAX, "9999-12-31");
    }

    #[test]
    fn refuses_what_the_calendar_lacks() {
        for (year, month, day) in [
            (0, 1, 1),
            (2025, 0, 1),
            (2025, 13, 1),
            (2025, 1, 0),
            (2025, 4, 31),
            (1900, 2, 29),
            (10_000, 1, 1),
        ] {
            assert_eq!(Date::new(year, month, day), None);
        }
    }
}
