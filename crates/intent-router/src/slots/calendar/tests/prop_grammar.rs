//! What is read of messages from a grammar, against what a naive calendar says.

use proptest::prelude::*;

use super::grammar::{CALENDAR, Choices, Days, directed, period};
use super::naive::{Day, length};
use super::read_on;
use crate::catalogue::Catalogue;
use crate::slots::Date;

/// Days on which the message is asked: any, and more often those at which
/// months, quarters and years end.
fn todays() -> impl Strategy<Value = Day> {
    let any = (2012..2030, 1..=12u32, 1..=31u32);
    let ends = (
        2012..2030,
        1..=12u32,
        prop::sample::select(vec![1, 28, 29, 30, 31]),
    );
    prop_oneof![any, ends]
        .prop_map(|(year, month, day)| (year, month, day.min(length(year, month))))
}

fn date(day: Day) -> Date {
    Date::new(day.0 as u16, day.1 as u8, day.2 as u8).unwrap()
}

proptest! {
    #[test]
    fn prop_periods_are_read_as_they_are_counted(today in todays(), choices in Choices::any()) {
        let mut choices = Choices::new(choices);
        let (said, days) = period(&mut choices, today);
        let before = choices.of(&["payments ", "Show me my payments ", "what was I paid "]);
        let after = choices.of(&["", "?", ", please", "!"]);
        let message = format!("{before}{said}{after}");
        let reading = read_on(&message, date(today));
        let value = reading.slots().get("period");
        prop_assert!(value.is_some() && reading.guard().is_none(), "{message:?}: {reading:?}");
        let read = CALENDAR.of_value(value.unwrap());
        prop_assert!(read == CALENDAR.of_pairs(&days), "{message:?} is read as {value:?}");
    }

    #[test]
    fn prop_a_value_is_read_as_itself(today in todays(), choices in Choices::any()) {
        let (said, _) = period(&mut Choices::new(choices), today);
        let reading = read_on(&format!("payments {said}"), date(today));
        let value = reading.slots().get("period");
        prop_assert!(value.is_some(), "{said:?}: {reading:?}");
        let value = value.unwrap();
        // A value is the same on any other day.
        let again = read_on(value, date((2012, 1, 1)));
        prop_assert_eq!(again.slots().get("period"), Some(value));
    }

    /// Whatever else a message holds: what no guard doubts holds all that was
    /// asked for.
    #[test]
    fn prop_what_is_not_doubted_is_never_narrower(today in todays(), choices in Choices::any()) {
        let mut choices = Choices::new(choices);
        let (message, asked) = disturbed(&mut choices, today);
        let reading = read_on(&message, date(today));
        if let (None, Some(value)) = (reading.guard(), reading.slots().get("period")) {
            let read = CALENDAR.of_value(value);
            let mut days = CALENDAR.of_pairs(&asked).into_iter().zip(read);
            prop_assert!(days.all(|(asked, read)| read || !asked), "{message:?} is read as {value:?}");
        }
    }
}

/// Periods in a row, with words put between any of their words, and the days that
/// all of them ask for.
fn disturbed(choices: &mut Choices, today: Day) -> (String, Vec<Days>) {
    // No "before" and the like, which ask for other days.
    const OTHERS: [&str; 25] = [
        "except", "not", "but not", "only", "zzz", "5000", "kwacha", "K", "first", "week", "early",
        "mid", "about", "now", "of", "in", "on", "since", "from", "between", "as", "as of",
        "end of", "year", "and the",
    ];
    const PERIODS: [&str; 2] = ["2024", "Monday"];
    let guards = Catalogue::built_in().guards();
    let silent = [&guards.neutral, &guards.articles, &guards.conjunctions];
    let mut parts = Vec::new();
    let mut asked = Vec::new();
    // Two directions may bound each other: "after March and before June".
    for at in 0..1 + choices.below(3) {
        let (said, days) = if at == 0 {
            directed(choices, today)
        } else {
            period(choices, today)
        };
        let bounds = |days: &Days| days.1 == CALENDAR.end() || days.0 == 0;
        if at > 0 && (days.iter().any(bounds) || asked.iter().any(bounds)) {
            continue;
        }
        parts.push(said);
        asked.extend(days);
    }
    let joint = choices.of(&[
        " and ",
        ", ",
        " or ",
        " and in ",
        " as well as ",
        " ",
        " then ",
        "; ",
    ]);
    let mut words: Vec<String> = parts.join(joint).split(' ').map(str::to_owned).collect();
    for _ in 0..choices.below(3) {
        // "2024 until" is a range, as "until" alone is not.
        let is_open = asked.iter().any(|days| days.0 == 0);
        let word = match choices.below(8) {
            0 if !is_open => choices.of(&PERIODS).to_owned(),
            0..4 => choices.of(&OTHERS).to_owned(),
            _ => {
                let list = silent[choices.below(3)];
                list[choices.below(list.len())].clone()
            }
        };
        let at = choices.below(words.len() + 1);
        // "October 2024 or November 2025" asks for another October than "October or
        // November 2025".
        let is_joined = |next: &String| matches!(next.as_str(), "and" | "or" | "&");
        if word == PERIODS[0] && words.get(at).is_some_and(is_joined) {
            continue;
        }
        words.insert(at, word);
    }
    (format!("payments {}", words.join(" ")), asked)
}
