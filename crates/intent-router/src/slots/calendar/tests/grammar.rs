//! Messages made of periods, with the days that each asks for.

use std::ops::Range;

use once_cell::sync::Lazy;
use proptest::prelude::*;

use super::naive::{Calendar, Day, length};

pub(super) static CALENDAR: Lazy<Calendar> = Lazy::new(Calendar::new);

/// The numbers of the first and the last day.
pub(super) type Days = (usize, usize);

/// Words and the days that they ask for.
pub(super) type Said = (String, Vec<Days>);

/// A source of choices, each made once in its order.
pub(super) struct Choices {
    left: Vec<u32>,
}

impl Choices {
    pub(super) fn any() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(any::<u32>(), 64)
    }

    pub(super) fn new(left: Vec<u32>) -> Self {
        Self { left }
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.left.pop().unwrap_or(0) as usize % end
    }

    fn within(&mut self, range: Range<u32>) -> u32 {
        range.start + self.below((range.end - range.start) as usize) as u32
    }

    pub(super) fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "february",
    "March",
    "april",
    "may",
    "June",
    "july",
    "august",
    "September",
    "October",
    "NOVEMBER",
    "December",
];

fn month_name(choices: &mut Choices, month: u32) -> String {
    let name = MONTHS[month as usize - 1];
    match choices.below(3) {
        0 => name[..3].to_owned(),
        1 if name.len() > 3 => format!("{}.", &name[..3]),
        _ => name.to_owned(),
    }
}

const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];

/// One period, in one of the ways in which it is written.
pub(super) fn single(choices: &mut Choices, today: Day) -> (String, Days, Kind) {
    let year = 2010 + choices.below(20) as i32;
    let month = choices.within(1..13);
    match choices.below(6) {
        0 => {
            let day = choices.within(1..length(year, month) + 1);
            let number = CALENDAR.number((year, month, day));
            (
                written_day(choices, (year, month, day)),
                (number, number),
                Kind::Day,
            )
        }
        1 => {
            let (year, said) = match choices.below(4) {
                0 => (today.0 - 1, "last year".to_owned()),
                1 => (today.0, "this year".to_owned()),
                2 => (today.0 - 1, "of last year".to_owned()),
                _ => (year, format!("{}{year}", choices.of(&["", "of "]))),
            };
            let days = CALENDAR.days_where(|day| (day.0, day.1) == (year, month));
            let name = month_name(choices, month);
            let the = choices.of(&["", "", "the month of "]);
            (format!("{the}{name} {said}"), days, Kind::Other)
        }
        2 => {
            let days = CALENDAR.days_where(|day| (day.0, day.1) == (year, month));
            let said = match choices.below(3) {
                0 => format!("{year}-{month:02}"),
                1 => format!("{month:02}/{year}"),
                _ if (today.0 - 20..=today.0 + 10).contains(&year) => {
                    format!("{} '{:02}", &MONTHS[month as usize - 1][..3], year % 100)
                }
                _ => format!("{year}-{month:02}"),
            };
            (said, days, Kind::Other)
        }
        3 => {
            let quarter = choices.within(1..5);
            let days = CALENDAR.days_where(|day| day.0 == year && (day.1 - 1) / 3 + 1 == quarter);
            let ordinal = ORDINALS[quarter as usize - 1];
            let said = match choices.below(4) {
                0 => format!("Q{quarter} {year}"),
                1 => format!("{year} Q{quarter}"),
                2 => format!("{year}-Q{quarter}"),
                _ => format!("the {ordinal} quarter of {year}"),
            };
            (said, days, Kind::Other)
        }
        4 => {
            let half = choices.within(1..3);
            let days = CALENDAR.days_where(|day| day.0 == year && (day.1 - 1) / 6 + 1 == half);
            let said = match choices.below(3) {
                0 => format!("h{half} {year}"),
                1 => format!("{year} H{half}"),
                _ => format!("{} half of {year}", ORDINALS[half as usize - 1]),
            };
            (said, days, Kind::Other)
        }
        _ => relative(choices, today),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Day,
    Other,
    /// A unit around the day that is meant.
    Rough,
}

fn written_day(choices: &mut Choices, (year, month, day): Day) -> String {
    let name = month_name(choices, month);
    let ending = match day {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    match choices.below(6) {
        0 => format!("{year}-{month:02}-{day:02}"),
        1 => format!("{day}/{month}/{year}"),
        2 => format!("{day} {name} {year}"),
        3 => format!("the {day}{ending} of {name} {year}"),
        4 => format!("{day:02}.{month:02}.{year}"),
        _ => format!("{name} {day}{}, {year}", choices.of(&["", ending])),
    }
}

/// The first day of a month so many months from a day's, as year and month.
fn months_from(today: Day, months: i32) -> (i32, u32) {
    let count = today.0 * 12 + today.1 as i32 - 1 + months;
    (count.div_euclid(12), count.rem_euclid(12) as u32 + 1)
}

fn relative(choices: &mut Choices, today: Day) -> (String, Days, Kind) {
    let now = CALENDAR.number(today);
    let monday = now - CALENDAR.weekday(now);
    let quarter = |(year, month): (i32, u32)| {
        CALENDAR.days_where(|day| day.0 == year && (day.1 - 1) / 3 == (month - 1) / 3)
    };
    let month =
        |(year, month): (i32, u32)| CALENDAR.days_where(|day| (day.0, day.1) == (year, month));
    let year = |year: i32| CALENDAR.days_where(|day| day.0 == year);
    let count = choices.within(2..13);
    let (said, days) = match choices.below(20) {
        0 => ("this month", month(months_from(today, 0))),
        1 => ("last month", month(months_from(today, -1))),
        // Not "next month": after another month, it may be the next to that.
        2 => ("the month after next", month(months_from(today, 2))),
        3 => ("last quarter", quarter(months_from(today, -3))),
        4 => ("this quarter", quarter(months_from(today, 0))),
        5 => ("last year", year(today.0 - 1)),
        6 => ("the current year", year(today.0)),
        7 => ("this week", (monday, monday + 6)),
        8 => ("last week", (monday - 7, monday - 1)),
        9 => ("the month before last", month(months_from(today, -2))),
        10 => ("the week before last", (monday - 14, monday - 8)),
        11 => ("the year before last", year(today.0 - 2)),
        12 => ("ytd", (year(today.0).0, now)),
        13 => return ("yesterday".to_owned(), (now - 1, now - 1), Kind::Day),
        14 => {
            let days = now - count as usize;
            return (format!("{count} days ago"), (days, days), Kind::Day);
        }
        15 => {
            let days = month(months_from(today, -(count as i32)));
            return (format!("{count} months ago"), days, Kind::Rough);
        }
        16 => {
            let monday = monday - 7 * count as usize;
            return (
                format!("{count} weeks ago"),
                (monday, monday + 6),
                Kind::Rough,
            );
        }
        17 => {
            let days = (now + 1 - count as usize, now);
            return (format!("the last {count} days"), days, Kind::Other);
        }
        18 => {
            let (from, _) = month(months_from(today, -(count as i32)));
            return (format!("the last {count} months"), (from, now), Kind::Rough);
        }
        _ => {
            let name = choices.within(1..13);
            let before = today.0 - i32::from(name >= today.1);
            return (
                format!("last {}", MONTHS[name as usize - 1]),
                month((before, name)),
                Kind::Other,
            );
        }
    };
    (said.to_owned(), days, Kind::Other)
}

/// Periods of one year or month that name it once.
pub(super) fn shared(choices: &mut Choices) -> Said {
    let year = 2010 + choices.below(20) as i32;
    let count = 2 + choices.below(2);
    let is_range = choices.below(2) == 0;
    let (most, form) = match choices.below(5) {
        0 => (12, 0),
        1 => (4, 1),
        2 => (28, 2),
        3 => (28, 3),
        _ => (8, 4),
    };
    let month = choices.within(1..13);
    let mut numbers: Vec<u32> = (0..count).map(|_| choices.within(1..most + 1)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if is_range {
        numbers.truncate(2);
    }
    let name = month_name(choices, month);
    let of = choices.of(&[" ", " of "]);
    let mut said: Vec<String> = numbers
        .iter()
        .map(|number| match form {
            0 => month_name(choices, *number),
            1 => format!("Q{number}"),
            2 => number.to_string(),
            3 if *number == numbers[0] => format!("{name} {number}"),
            3 => number.to_string(),
            _ => (2012 + number).to_string(),
        })
        .collect();
    let last = said.len() - 1;
    match form {
        0 | 1 => said[last].push_str(&format!("{of}{year}")),
        2 => said[last].push_str(&format!("{of}{name} {year}")),
        3 => said[last].push_str(&format!(", {year}")),
        _ => {}
    }
    let days = |number: u32| match form {
        0 => CALENDAR.days_where(|day| (day.0, day.1) == (year, number)),
        1 => CALENDAR.days_where(|day| day.0 == year && (day.1 - 1) / 3 + 1 == number),
        2 | 3 => CALENDAR.days_where(|day| day == (year, month, number)),
        _ => CALENDAR.days_where(|day| day.0 == 2012 + number as i32),
    };
    let lead = if form == 4 {
        "in "
    } else {
        choices.of(&["", "in ", "for "])
    };
    if is_range && numbers.len() == 2 {
        let days = (days(numbers[0]).0, days(numbers[1]).1);
        return (range(choices, &said[0], &said[1], lead), vec![days]);
    }
    let days = numbers.iter().map(|number| days(*number)).collect();
    (format!("{lead}{}", listed(choices, &said)), days)
}

/// "from … to …" in one of the ways in which it is written.
pub(super) fn range(choices: &mut Choices, from: &str, to: &str, lead: &str) -> String {
    // "2010-01–01/2012" may begin with a date.
    let is_tight =
        !(from.contains(['-', '/', '.']) && to.starts_with(|c: char| c.is_ascii_digit()));
    match choices.below(9) {
        0 => format!("from {from} to {to}"),
        1 => format!("from {from} until {to}"),
        2 => format!("between {from} and {to}"),
        3 => format!("{lead}{from} - {to}"),
        4 if is_tight => format!("{lead}{from}–{to}"),
        5 => format!("{lead}{from} through {to}"),
        6 => format!("from {from} up to {to}"),
        7 => format!("from {from} till {to}"),
        _ => format!("{lead}{from} to {to}"),
    }
}

/// "a, b and c" in one of the ways in which it is written.
pub(super) fn listed(choices: &mut Choices, said: &[String]) -> String {
    let last = choices.of(&[" and ", ", and ", ", ", " or ", " & "]);
    let (end, before) = said.split_last().unwrap();
    match before {
        [] => end.clone(),
        _ => format!("{}{last}{end}", before.join(", ")),
    }
}

/// A period with a direction.
pub(super) fn directed(choices: &mut Choices, today: Day) -> Said {
    let (said, days, kind) = single(choices, today);
    let (first, last) = (0, CALENDAR.end());
    let (from, to) = days;
    // Before and after such a unit is not told to the day.
    let is_exact = kind != Kind::Rough;
    let (said, days) = match choices.below(if is_exact { 14 } else { 8 }) {
        0 => (said, days),
        1 => (format!("since {said}"), (from, last)),
        2 => (format!("from {said} onwards"), (from, last)),
        3 => (format!("from {said} on"), (from, last)),
        4 => (format!("starting {said}"), (from, last)),
        5 => (format!("until {said}"), (first, to)),
        6 => (format!("up to {said}"), (first, to)),
        7 => (format!("no later than {said}"), (first, to)),
        8 => (format!("before {said}"), (first, from - 1)),
        9 => (format!("prior to {said}"), (first, from - 1)),
        10 => (format!("after {said}"), (to + 1, last)),
        11 => (format!("during {said}"), days),
        12 => (format!("{said} or later"), (from, last)),
        _ => (format!("since the start of {said}"), (from, last)),
    };
    (said, vec![days])
}

/// Any of these, a range of two periods, or a list of them.
pub(super) fn period(choices: &mut Choices, today: Day) -> Said {
    match choices.below(4) {
        0 => shared(choices),
        1 => directed(choices, today),
        2 => {
            let (mut a, mut b) = (single(choices, today), single(choices, today));
            if a.1.0 > b.1.1 {
                std::mem::swap(&mut a, &mut b);
            }
            (range(choices, &a.0, &b.0, ""), vec![(a.1.0, b.1.1)])
        }
        _ => {
            let mut parts = vec![single(choices, today)];
            for _ in 0..1 + choices.below(2) {
                let next = single(choices, today);
                // A date and a month are two values of some catalogues.
                if (next.2 == Kind::Day) == (parts[0].2 == Kind::Day) {
                    parts.push(next);
                }
            }
            let said: Vec<_> = parts.iter().map(|part| part.0.clone()).collect();
            let days = parts.iter().map(|part| part.1).collect();
            (listed(choices, &said), days)
        }
    }
}
