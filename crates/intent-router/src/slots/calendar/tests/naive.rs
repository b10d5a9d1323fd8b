//! A calendar that counts days one by one, and periods as sets of them.

use std::ops::RangeInclusive;

/// The years of the calendar.
const YEARS: RangeInclusive<i32> = 1985..=2045;

/// A day as year, month and day.
pub(super) type Day = (i32, u32, u32);

pub(super) struct Calendar(Vec<Day>);

impl Calendar {
    pub(super) fn new() -> Self {
        let mut days = Vec::new();
        for year in YEARS {
            for month in 1..=12 {
                days.extend((1..=length(year, month)).map(|day| (year, month, day)));
            }
        }
        Self(days)
    }

    /// The number of a day.
    pub(super) fn number(&self, day: Day) -> usize {
        self.0.binary_search(&day).unwrap()
    }

    /// How many days after Monday a day is.
    pub(super) fn weekday(&self, number: usize) -> usize {
        // 1985-01-01 was a Tuesday.
        (number + 1) % 7
    }

    /// The last day's number.
    pub(super) fn end(&self) -> usize {
        self.0.len() - 1
    }

    /// The numbers of the days that `is_in`, which are in a row.
    pub(super) fn days_where(&self, is_in: impl Fn(Day) -> bool) -> (usize, usize) {
        let first = self.0.iter().position(|day| is_in(*day)).unwrap();
        let last = self.0.iter().rposition(|day| is_in(*day)).unwrap();
        (first, last)
    }

    /// The days of a slot's value, each as whether it is in one of the ranges.
    pub(super) fn of_value(&self, value: &str) -> Vec<bool> {
        let ranges: Vec<_> = value
            .split(',')
            .map(|range| range.split_once('/').unwrap())
            .collect();
        let is_in = |day: &Day| {
            let text = format!("{:04}-{:02}-{:02}", day.0, day.1, day.2);
            ranges
                .iter()
                .any(|(from, to)| *from <= text.as_str() && text.as_str() <= *to)
        };
        self.0.iter().map(is_in).collect()
    }

    /// The days from one number to another, of each pair.
    pub(super) fn of_pairs(&self, pairs: &[(usize, usize)]) -> Vec<bool> {
        let is_in = |n| pairs.iter().any(|(from, to)| (*from..=*to).contains(&n));
        (0..self.0.len()).map(is_in).collect()
    }
}

pub(super) fn length(year: i32, month: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
