//! Which named parameters a query uses.
//!
//! Read without a database at hand, so in no one dialect of SQL: a source
//! compares this with what its own database finds.

use std::collections::BTreeSet;

/// Parameters that every query may use, whatever slots its intent has.
pub(super) const BUILT_IN_PARAMETERS: [&str; 6] = [
    "user_id",
    "user_role",
    "message",
    "terms",
    "doubtful",
    "today",
];

/// The one by which a query reads the day on which it is asked.
pub(super) const TODAY: &str = "today";

/// Those of them that depend on the words of the message.
pub(super) const MESSAGE_PARAMETERS: [&str; 2] = ["message", "terms"];

/// The names after `:` outside of strings, quoted names and comments.
pub(super) fn parameters(sql: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut rest = sql;
    while let Some(at) = rest.find(['\'', '"', '`', '-', '/', ':']) {
        let (quote, tail) = rest[at..].split_at(1);
        rest = match quote {
            // A doubled quote inside of a string reads as two strings in a
            // row, which comes to the same here.
            "'" | "\"" | "`" => after(tail, quote),
            "-" if tail.starts_with('-') => after(tail, "\n"),
            "/" if tail.starts_with('*') => after(&tail[1..], "*/"),
            // A cast of PostgreSQL, such as `now()::date`.
            ":" if tail.starts_with(':') => &tail[1..],
            ":" => {
                let end = tail.find(|c: char| !is_name_char(c)).unwrap_or(tail.len());
                if end > 0 && !tail.starts_with(|c: char| c.is_ascii_digit()) {
                    found.insert(&tail[..end]);
                }
                &tail[end..]
            }
            _ => tail,
        };
    }
    found
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What follows the next `end`; nothing if there is none.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[track_caller]
    fn check(sql: &str, expect: &[&str]) {
        assert_eq!(
            parameters(sql).into_iter().collect::<Vec<_>>(),
            expect,
            "of {sql}"
        );
    }

    #[test]
    fn finds_named_parameters_only() {
        check("", &[]);
        check("SELECT 1", &[]);
        check(
            "a = :user_id AND (:date IS NULL OR b=:date)",
            &["date", "user_id"],
        );
        check("':a' \":b\" `:c` :d", &["d"]);
        check("'it''s :a' :b", &["b"]);
        check("-- :a\n :b /* :c */ :d /* :e", &["b", "d"]);
        check("now()::date - :x::text", &["x"]);
        check("a[1:2] : :", &[]);
        check("1 - 2 / 3 - :é:a", &["a"]);
        check("'unfinished :a", &[]);
    }
}
