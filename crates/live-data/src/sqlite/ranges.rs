//! The SQL function `in_ranges`, by which queries select the days of a slot of
//! kind `range`.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

/// Gives a connection the function `in_ranges(day, ranges)`.
///
/// It is 1 if the day (`YYYY-MM-DD`, with or without a time of day after it), the
/// month (`YYYY-MM`) or the year (`YYYY`) has a day in any of the ranges
/// (`YYYY-MM-DD/YYYY-MM-DD`, joined with `,`, both ends included), and 0 if not.
/// `NULL` for either gives `NULL`; a malformed argument gives 0.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("in_ranges", 2, flags, call)
}

fn call(context: &Context<'_>) -> rusqlite::Result<Option<bool>> {
    let (day, ranges) = (context.get_raw(0), context.get_raw(1));
    Ok(match (day, ranges) {
        (ValueRef::Null, _) | (_, ValueRef::Null) => None,
        (ValueRef::Text(day), ValueRef::Text(ranges)) => Some(in_ranges(day, ranges)),
        _ => Some(false),
    })
}

/// Days, months and years in this form sort by their bytes, and a month or a year
/// is a prefix of each of its days.
fn in_ranges(day: &[u8], ranges: &[u8]) -> bool {
    let day = match day.get(10) {
        Some(b' ' | b'T') => &day[..10],
        _ => day,
    };
    if !(is_day(day) || matches!(day.len(), 4 | 7) && is_head(day)) {
        return false;
    }
    let holds = |range: &[u8]| {
        let (from, to) = (range.get(..10)?, range.get(11..)?);
        let is_range = range[10] == b'/' && is_day(from) && is_day(to) && from <= to;
        let length = day.len();
        is_range.then(|| &from[..length] <= day && day <= &to[..length])
    };
    let mut found = false;
    for range in ranges.split(|byte| *byte == b',') {
        match holds(range) {
            Some(holds) => found |= holds,
            None => return false,
        }
    }
    found
}

/// Whether it is a whole `YYYY-MM-DD`.
fn is_day(text: &[u8]) -> bool {
    text.len() == 10 && is_head(text)
}

/// Whether it is a day or the beginning of one.
fn is_head(text: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        4 | 7 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    let within = |part: &[u8], last: &[u8]| part > &b"00"[..] && part <= last;
    text.iter().enumerate().all(fits)
        && text.get(5..7).is_none_or(|month| within(month, b"12"))
        && text.get(8..10).is_none_or(|day| within(day, b"31"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        connection
    }

    #[test]
    fn days_months_and_years_that_overlap_a_range() {
        let connection = connection();
        let check = |day: &str, ranges: &str, expect: Option<bool>| {
            let sql = format!("SELECT in_ranges({day}, {ranges})");
            let found = connection.query_one(&sql, [], |row| row.get(0));
            assert_eq!(found, Ok(expect), "{sql}");
        };
        let first = "'2025-01-15/2025-03-31'";
        for day in [
            "'2025-01-15'",
            "'2025-03-31'",
            "'2025-02-01 10:30:00'",
            "'2025-02-01T10:30:00Z'",
            "'2025-01'",
            "'2025-03'",
            "'2025'",
        ] {
            check(day, first, Some(true));
        }
        for day in [
            "'2025-01-14'",
            "'2025-04-01'",
            "'2024-12'",
            "'2025-04'",
            "'2024'",
            "'2026'",
            "''",
            "'x'",
            "'2025-'",
            "'2025-1'",
            "'2025-02-1'",
            "'2025-13'",
            "'2025-00'",
            "'2025-02-00'",
            "'2025-02-32'",
            "'2025-02-011'",
            "'2025-02-01x'",
            "'2025/02/01'",
            "2025",
            "x'32303235'",
        ] {
            check(day, first, Some(false));
        }
        let two = "'2024-01-01/2024-01-31,2025-01-01/9999-12-31'";
        check("'2024-01-31'", two, Some(true));
        check("'2024-02-01'", two, Some(false));
        check("'2030'", two, Some(true));
        for ranges in [
            "''",
            "'2025'",
            "'2025-02-01'",
            "'2025-02-01/'",
            "'2025-02-01/2025-02-28,'",
            "'2025-02-01/2025-02-28,2025-03'",
            "'2025-02-28/2025-02-01'",
            "'2025-02-01-2025-02-28'",
            "'2025-02-01/2025-02-28/2025-03-01'",
            "20250201",
        ] {
            check("'2025-02-01'", ranges, Some(false));
        }
        check("NULL", first, None);
        check("'2025-02-01'", "NULL", None);
    }

    proptest! {
        #[test]
        fn prop_a_day_is_in_the_ranges_that_count_it(
            day in 0..1000u32,
            ranges in prop::collection::vec((0..1000u32, 0..100u32), 1..5),
        ) {
            // A calendar of months of 28 days is enough for this.
            let text = |n: u32| format!("{}-{:02}-{:02}", 2000 + n / 336, n / 28 % 12 + 1, n % 28 + 1);
            let written: Vec<_> = ranges
                .iter()
                .map(|(from, length)| format!("{}/{}", text(*from), text(from + length)))
                .collect();
            let counted = |days: std::ops::Range<u32>| {
                days.into_iter().any(|day| {
                    ranges.iter().any(|(from, length)| (*from..=from + length).contains(&day))
                })
            };
            let ask = |day: &str| in_ranges(day.as_bytes(), written.join(",").as_bytes());
            prop_assert_eq!(ask(&text(day)), counted(day..day + 1));
            let (month, year) = (day / 28 * 28, day / 336 * 336);
            prop_assert_eq!(ask(&text(day)[..7]), counted(month..month + 28));
            prop_assert_eq!(ask(&text(day)[..4]), counted(year..year + 336));
        }

        #[test]
        fn prop_any_text_is_no_error(day in "[0-9/ ,T-]{0,12}|\\PC*", ranges in "[0-9/,-]{0,30}|\\PC*") {
            let connection = connection();
            let asked = connection.query_one("SELECT in_ranges(?1, ?2)", [day, ranges], |row| {
                row.get::<_, bool>(0)
            });
            prop_assert!(asked.is_ok());
        }
    }
}
