//! Slots of kind `date`, `period` and `range`.

use super::{catalogue, check, find, find_by};
use crate::slots::{Date, Slots};

#[test]
fn dates() {
    for message in [
        "on 2025-03-04",
        "2025/3/4",
        "04/03/2025",
        "4.3.2025.",
        "4-3-2025",
        "4 March 2025",
        "the 4th of March, 2025",
        "4-Mar-2025",
        "MARCH 4th, 2025!",
        "mar 4 2025",
    ] {
        check(message, "date=2025-03-04");
    }
    for message in [
        "2025-02-29",
        "31/04/2025",
        "2025-13-01",
        "04/03-2025",
        "1/2/03",
        "4/3/1850",
        "x-2025-03-04",
        "2025-03-04-1",
        "4 Marches 2025",
    ] {
        check(message, "");
    }
    check("29 Feb 2024", "date=2024-02-29");
}

#[test]
fn periods() {
    check("March 2025", "period=2025-03");
    check("for sept. 2024?", "period=2024-09");
    check("March of 2025", "period=2025-03");
    check("2025-03", "period=2025-03");
    check("3/2025", "period=2025-03");
    check("payments in 2024", "period=2024");
    check("the year 1999", "period=1999");
    check("in 2025-03", "period=2025-03");
    check("in May 2025", "period=2025-05");
    for message in [
        "2025",
        "in 1850",
        "2025-13",
        "I may 20",
        "CLM-2025-03",
        "in 20255",
        "payment of 2000",
    ] {
        check(message, "");
    }
}

#[test]
fn relative_periods_count_from_today() {
    check("this month", "period=2025-03");
    check("LAST  month?", "period=2025-02");
    check("previous year", "period=2024");
    check("current year", "period=2025");
    check("at last, monthly", "");
    let catalogue = catalogue();
    let all = catalogue.get("all").unwrap();
    let on = |year, month| {
        let today = Date::new(year, month, 1).unwrap();
        Slots::find(all, &catalogue, "last month", today)
            .get("period")
            .map(str::to_owned)
    };
    assert_eq!(on(2025, 1).as_deref(), Some("2024-12"));
    assert_eq!(on(9999, 12).as_deref(), Some("9999-11"));
    // There is no year 0.
    assert_eq!(on(1, 1), None);
}

#[test]
fn quarters_are_months() {
    let first = "period=2025-01,2025-02,2025-03";
    check("Q1 2025", first);
    check("2025-Q1", first);
    check("the first quarter of 2025", first);
    check("this quarter", first);
    check("last quarter", "period=2024-10,2024-11,2024-12");
    check(
        "from Nov 2024 to January 2025",
        "period=2024-11,2024-12,2025-01",
    );
    check("between 2025-01 and 2025-03?", first);
    // So many months are not read as a list.
    check("from January 1990 to January 2025", "");
    for message in [
        "Q5 2025",
        "the quarter of 2025",
        "last week",
        "last three months",
        "from March to June 2025 to",
    ] {
        let found = find(message);
        assert!(
            found.get("period").is_none_or(|period| period == "2025-06"),
            "of {message:?}"
        );
    }
}

#[test]
fn spans_of_days() {
    let check = |message: &str, expect: &str| {
        let found = find_by("spans", message);
        assert_eq!(found.get("range"), Some(expect), "of {message:?}");
    };
    check("2025-03-04", "2025-03-04/2025-03-04");
    check("in March 2025", "2025-03-01/2025-03-31");
    check("in 2024", "2024-01-01/2024-12-31");
    check("this week", "2025-03-10/2025-03-16");
    check("last week", "2025-03-03/2025-03-09");
    check("next week", "2025-03-17/2025-03-23");
    check("2025-W11", "2025-03-10/2025-03-16");
    check("2020-W53", "2020-12-28/2021-01-03");
    check("this month", "2025-03-01/2025-03-31");
    check("next month", "2025-04-01/2025-04-30");
    check("next quarter", "2025-04-01/2025-06-30");
    check("last year", "2024-01-01/2024-12-31");
    check("the last 7 days", "2025-03-08/2025-03-14");
    check("past 30 days", "2025-02-13/2025-03-14");
    check("last two weeks", "2025-02-24/2025-03-14");
    check("last 3 months", "2024-12-01/2025-03-14");
    check("next 10 days", "2025-03-15/2025-03-24");
    check("from 2025-03-01 to 14 March 2025", "2025-03-01/2025-03-14");
    check("between 1/2/2025 and yesterday", "2025-02-01/2025-03-13");
    check("from 2024-12 until March 2025", "2024-12-01/2025-03-31");
    for message in [
        "2025-W00",
        "2025-W53",
        "2025-W1",
        "last 0 days",
        "last 1000 days",
        "last few days",
        "weekly",
        "from 2025-03-14 to 2025-03-01 to",
    ] {
        let found = find_by("spans", message);
        assert!(
            found.get("range").is_none_or(|range| range.len() > 21),
            "of {message:?}"
        );
    }
}

#[test]
fn days_that_count_from_today() {
    for (message, expect) in [
        ("today", "2025-03-14"),
        ("yesterday?", "2025-03-13"),
        ("Tomorrow", "2025-03-15"),
        ("3 days ago", "2025-03-11"),
        ("two days ago", "2025-03-12"),
    ] {
        check(message, &format!("date={expect}"));
    }
    check("2 weeks ago, todays, some days ago, monday", "");
}

#[test]
fn a_date_is_no_period() {
    check(
        "14 March 2025 and in April 2025",
        "date=2025-03-14;period=2025-04",
    );
}
