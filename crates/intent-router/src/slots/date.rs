//! A day of the calendar.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::{Span, civil};

/// A day of the proleptic Gregorian calendar, from year 1 to year 9999;
/// displayed as `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(civil::Date);

impl Date {
    /// The first day that the type holds.
    pub(super) const MIN: Self = Self(civil::date(1, 1, 1));

    /// The last day that the type holds.
    pub(super) const MAX: Self = Self(civil::Date::MAX);

    /// The day, if the calendar has it.
    ///
    /// ```
    /// use intent_router::Date;
    ///
    /// assert!(Date::new(2024, 2, 29).is_some());
    /// assert!(Date::new(2025, 2, 29).is_none());
    /// ```
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let year = i16::try_from(year).ok()?;
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        civil::Date::new(year, month, day)
            .ok()
            .and_then(Self::in_range)
    }

    /// The day, unless it is before year 1.
    fn in_range(day: civil::Date) -> Option<Self> {
        (Self(day) >= Self::MIN).then_some(Self(day))
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
        let epoch = Self(civil::date(1970, 1, 1));
        let bound = if seconds < 0 { Self::MIN } else { Self::MAX };
        epoch.plus_days(seconds.div_euclid(86_400)).unwrap_or(bound)
    }

    /// The day at a time, where the clocks are `seconds` ahead of universal time,
    /// or behind it if negative. It is limited as
    /// [`from_unix_seconds`](Self::from_unix_seconds) is, for any time and
    /// offset.
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

    /// The day `days` days later, or earlier if negative; `None` beyond the range
    /// of the type.
    pub(super) fn plus_days(self, days: i64) -> Option<Self> {
        self.plus(Span::new().try_days(days).ok()?)
    }

    /// The same day `months` months later, or earlier if negative; the last day
    /// of that month if it is shorter. `None` beyond the range of the type.
    pub(super) fn plus_months(self, months: i64) -> Option<Self> {
        self.plus(Span::new().try_months(months).ok()?)
    }

    fn plus(self, span: Span) -> Option<Self> {
        self.0.checked_add(span).ok().and_then(Self::in_range)
    }

    /// How many days after the Monday of its week it is, from 0 to 6.
    pub(super) fn days_after_monday(self) -> i64 {
        self.0.weekday().to_monday_zero_offset().into()
    }

    /// The last day of its month.
    pub(super) fn end_of_month(self) -> Self {
        Self(self.0.last_of_month())
    }

    /// The year, from 1 to 9999.
    pub fn year(self) -> u16 {
        self.0.year().unsigned_abs()
    }

    /// The month, from 1 to 12.
    pub fn month(self) -> u8 {
        self.0.month().unsigned_abs()
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u8 {
        self.0.day().unsigned_abs()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days from 0001-01-01, a Monday, to 9999-12-31.
    const LAST: i64 = 3_652_058;

    /// Counts every day of the range one by one.
    #[test]
    fn every_day_follows_the_one_before() {
        let (mut seconds, mut days) = (-719_162 * 86_400, 0);
        for year in 1..=9999 {
            for month in 1..=12 {
                let length = match Date::new(year, month + 1, 1) {
                    Some(next) => next.plus_days(-1).unwrap().day(),
                    None => 31,
                };
                for day in 1..=length {
                    let date = Date::new(year, month, day);
                    assert_eq!(Some(Date::from_unix_seconds(seconds)), date);
                    let date = date.unwrap();
                    assert_eq!((date.year(), date.month(), date.day()), (year, month, day));
                    assert_eq!(date.days_after_monday(), days % 7);
                    assert_eq!(Date::MIN.plus_days(days), Some(date));
                    seconds += 86_400;
                    days += 1;
                }
                assert_eq!(Date::new(year, month, length + 1), None);
            }
        }
        assert_eq!(days - 1, LAST);
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
