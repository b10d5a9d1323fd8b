//! A day of the calendar.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Days from 0001-01-01 to 9999-12-31.
const LAST: i64 = 3_652_058;

/// A day of the proleptic Gregorian calendar, from year 1 to year 9999;
/// displayed as `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The first day that the type holds.
    pub(super) const MIN: Self = Self {
        year: 1,
        month: 1,
        day: 1,
    };

    /// The last day that the type holds.
    pub(super) const MAX: Self = Self {
        year: 9999,
        month: 12,
        day: 31,
    };

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
        Self::from_number((seconds.div_euclid(86_400) + EPOCH).clamp(0, LAST))
    }

    /// The day at a time, where the clocks are `seconds` ahead of universal time,
    /// or behind it where negative. It is limited as
    /// [`from_unix_seconds`](Self::from_unix_seconds) is, for any time and offset.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use intent_router::Date;
    ///
    /// let late_in_the_evening = UNIX_EPOCH + Duration::from_secs(1_761_951_480);
    /// assert_eq!(Date::at_offset(late_in_the_evening, 0).to_string(), "2025-10-31");
    /// assert_eq!(Date::at_offset(late_in_the_evening, 2 * 3_600).to_string(), "2025-11-01");
    /// ```
    pub fn at_offset(time: SystemTime, seconds: i32) -> Self {
        let since_epoch = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            // The second that a time is in began before it.
            Err(error) => {
                let before = error.duration();
                let begun = u64::from(before.subsec_nanos() > 0);
                let before = before.as_secs().saturating_add(begun);
                i64::try_from(before).map_or(i64::MIN, |seconds| -seconds)
            }
        };
        Self::from_unix_seconds(since_epoch.saturating_add(seconds.into()))
    }

    /// The day with this [number](Self::number), which is from 0 to [`LAST`].
    fn from_number(mut rest: i64) -> Self {
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

    /// How many days after 0001-01-01 it is.
    fn number(self) -> i64 {
        let years = i64::from(self.year) - 1;
        let months = (1..self.month).map(|month| i64::from(days_in(self.year, month)));
        365 * years + years / 4 - years / 100
            + years / 400
            + months.sum::<i64>()
            + i64::from(self.day)
            - 1
    }

    /// The day so many days later, or earlier where negative; `None` beyond
    /// what the type holds.
    pub(super) fn plus_days(self, days: i64) -> Option<Self> {
        let number = self.number().checked_add(days)?;
        (0..=LAST)
            .contains(&number)
            .then(|| Self::from_number(number))
    }

    /// The same day so many months later, or earlier where negative; the last
    /// day of that month if the month is shorter.
    pub(super) fn plus_months(self, months: i64) -> Option<Self> {
        let since = 12 * i64::from(self.year) + i64::from(self.month) - 1;
        let since = since.checked_add(months)?;
        let year = u16::try_from(since.div_euclid(12)).ok()?;
        let month = u8::try_from(since.rem_euclid(12) + 1).ok()?;
        Self::new(year, month, self.day.min(days_in(year, month)))
    }

    /// How many days after the Monday of its week it is, from 0 to 6.
    pub(super) fn days_after_monday(self) -> i64 {
        // 0001-01-01 was a Monday.
        self.number() % 7
    }

    /// The last day of its month.
    pub(super) fn end_of_month(self) -> Self {
        let day = days_in(self.year, self.month);
        Self { day, ..self }
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
        let (mut seconds, mut days) = (-719_162 * 86_400, 0);
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    let date = Date::new(year, month, day);
                    assert_eq!(Some(Date::from_unix_seconds(seconds)), date);
                    let date = date.unwrap();
                    assert_eq!(date.number(), days);
                    assert_eq!(date.days_after_monday(), days % 7);
                    seconds += 86_400;
                    days += 1;
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
    fn days_and_months_are_counted_across_their_ends() {
        let day = |year, month, day| Date::new(year, month, day).unwrap();
        let date = day(2024, 1, 31);
        assert_eq!(date.plus_days(30), Some(day(2024, 3, 1)));
        assert_eq!(date.plus_days(-31), Some(day(2023, 12, 31)));
        assert_eq!(date.plus_months(1), Some(day(2024, 2, 29)));
        assert_eq!(date.plus_months(-2), Some(day(2023, 11, 30)));
        assert_eq!(day(2024, 2, 3).end_of_month(), day(2024, 2, 29));
        // A Friday.
        assert_eq!(day(2025, 3, 14).days_after_monday(), 4);
        for beyond in [i64::MIN, -LAST - 1, LAST, i64::MAX] {
            assert_eq!(date.plus_days(beyond), None);
            assert_eq!(date.plus_months(beyond), None);
        }
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
