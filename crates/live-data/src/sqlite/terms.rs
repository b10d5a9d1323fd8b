//! A message's words as a full-text query that cannot be malformed.

use crate::plan::words;

/// An FTS5 `MATCH` expression for any of the message's words: each quoted,
/// joined by `OR`. A message without words gets the empty phrase `""`, which
/// matches nothing; `NULL` and empty text would be syntax errors.
pub(super) fn match_expression(message: &str) -> String {
    let words = words(message);
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    if quoted.is_empty() {
        "\"\"".to_owned()
    } else {
        quoted.join(" OR ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{LONGEST_WORD, MOST_WORDS};
    use proptest::prelude::*;
    use rusqlite::Connection;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        assert_eq!(match_expression(message), expected);
    }

    #[test]
    fn words_are_quoted_and_joined() {
        check("", r#""""#);
        check(" ?! \"\" ", r#""""#);
        check("Hello", r#""hello""#);
        check(
            "reset my PASSWORD, reset!",
            r#""reset" OR "my" OR "password""#,
        );
        check("a AND b NOT c*", r#""a" OR "and" OR "b" OR "not" OR "c""#);
        check("it's Ünïcödé", r#""it" OR "s" OR "ünïcödé""#);
    }

    #[test]
    fn both_bounds_hold() {
        let many: String = (0..1_000).map(|n| format!("w{n} ")).collect();
        let expression = match_expression(&many);
        assert_eq!(expression.matches(" OR ").count(), MOST_WORDS - 1);
        check(&"x".repeat(LONGEST_WORD + 1), r#""""#);
    }

    #[test]
    fn prop_no_message_makes_full_text_search_fail() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE VIRTUAL TABLE t USING fts5 (body, tokenize = 'porter unicode61');
                 INSERT INTO t VALUES ('reset the password');",
            )
            .unwrap();
        let found = |message: &str| {
            let mut count = connection.prepare_cached("SELECT count(*) FROM t WHERE t MATCH ?1")?;
            count.query_one([match_expression(message)], |row| row.get::<_, i64>(0))
        };
        assert_eq!(found("RESETTING?").unwrap(), 1);
        assert_eq!(found("").unwrap(), 0);
        let strategy = prop_oneof![
            any::<String>(),
            "[\"'*^:(){}+\\-\0 a-zA-Z]{0,40}",
            "(NEAR|AND|OR|NOT|body|\"| |:|\\(|\\)|[a-z]){0,20}",
        ];
        proptest!(|(message in strategy)| {
            prop_assert!(found(&message).is_ok());
        });
    }
}
