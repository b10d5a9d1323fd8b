//! Which named parameters a query uses.
//!
//! The text is scanned without a database and follows no particular dialect of
//! SQL; a source compares the result with what its database finds.

use std::collections::BTreeSet;
use std::ops::Range;

/// Parameters that every query may use, whatever slots its intent has.
pub(super) const BUILT_IN_PARAMETERS: [&str; 6] = [
    "user_id",
    "user_role",
    "message",
    "terms",
    "doubtful",
    "today",
];

/// The parameter for the day on which the question is asked.
pub(super) const TODAY: &str = "today";

/// The built-in parameters that depend on the words of the message.
pub(super) const MESSAGE_PARAMETERS: [&str; 2] = ["message", "terms"];

/// A token of a query, as all dialects of SQL have it. Comments are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SqlToken<'a> {
    /// Letters, digits and `_`.
    Word(&'a str),
    /// Text between single quotes.
    Text(&'a str),
    /// A name between double quotes or back quotes.
    Name,
    /// Any other character, white space included; `::` is two signs.
    Sign(char),
}

/// The tokens of a query from left to right, each with where it begins.
fn tokens(sql: &str) -> impl Iterator<Item = (usize, SqlToken<'_>)> {
    let mut rest = sql;
    // The word right before the rest: `E` before a quote, or a name that goes on with `$`.
    let mut word_before = None;
    std::iter::from_fn(move || {
        loop {
            let first = rest.chars().next()?;
            let start = sql.len() - rest.len();
            let before = word_before.take();
            let (token, after) = match first {
                '\'' if matches!(before, Some("e" | "E")) => {
                    let (text, after) = split_escaped(&rest[1..]);
                    (SqlToken::Text(text), after)
                }
                // A doubled quote inside a string is read as two adjacent
                // strings, which makes no difference here.
                '\'' | '"' | '`' => {
                    let tail = &rest[1..];
                    let (text, after) = tail.split_once(first).unwrap_or((tail, ""));
                    let token = if first == '\'' {
                        SqlToken::Text(text)
                    } else {
                        SqlToken::Name
                    };
                    (token, after)
                }
                '$' if before.is_none() && dollar_quote(rest).is_some() => {
                    // Checked by the guard.
                    let quote = dollar_quote(rest).unwrap_or("$$");
                    let tail = &rest[quote.len()..];
                    let (text, after) = tail.split_once(quote).unwrap_or((tail, ""));
                    (SqlToken::Text(text), after)
                }
                '-' if rest.starts_with("--") => {
                    rest = after(rest, "\n");
                    continue;
                }
                '/' if rest.starts_with("/*") => {
                    rest = after(&rest[2..], "*/");
                    continue;
                }
                c if is_name_char(c) => {
                    let end = rest.find(|c| !is_name_char(c)).unwrap_or(rest.len());
                    let (word, after) = rest.split_at(end);
                    word_before = Some(word);
                    (SqlToken::Word(word), after)
                }
                c => (SqlToken::Sign(c), &rest[c.len_utf8()..]),
            };
            rest = after;
            return Some((start, token));
        }
    })
}

/// The quote `$$` or `$tag$` of PostgreSQL that the text begins with.
fn dollar_quote(text: &str) -> Option<&str> {
    let tag = text.get(1..)?;
    let end = tag.find(|c| !is_name_char(c))?;
    let is_quote = tag[end..].starts_with('$') && !tag.starts_with(|c: char| c.is_ascii_digit());
    is_quote.then(|| &text[..end + 2])
}

/// The text up to the end of a string in which `\\` escapes a character, and what
/// follows the string.
fn split_escaped(text: &str) -> (&str, &str) {
    let mut is_escaped = false;
    let end = text.find(|c: char| {
        let ends = c == '\'' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    end.map_or((text, ""), |end| (&text[..end], &text[end + 1..]))
}

/// The names after `:` outside of strings, quoted names and comments.
pub(super) fn parameters(sql: &str) -> BTreeSet<&str> {
    let spans = parameter_spans(sql);
    spans.into_iter().map(|span| &sql[span][1..]).collect()
}

/// Where a query's text has named parameters, each with its `:`, in order.
///
/// Strings, quoted names, comments and casts (`::date`) have none. A source that
/// numbers its parameters replaces these parts of the text. Costs a pass over it.
///
/// ```
/// let sql = "SELECT now()::date, ':no' FROM claims WHERE member_id = :user_id";
/// let spans = intent_router::parameter_spans(sql);
/// assert_eq!(spans.len(), 1);
/// assert_eq!(&sql[spans[0].clone()], ":user_id");
/// ```
pub fn parameter_spans(sql: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut colons = 0;
    for (start, piece) in tokens(sql) {
        match piece {
            SqlToken::Sign(':') => colons += 1,
            // Two are a cast of PostgreSQL, such as `now()::date`.
            SqlToken::Word(name)
                if colons == 1 && !name.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                found.push(start - 1..start + name.len());
                colons = 0;
            }
            _ => colons = 0,
        }
    }
    found
}

/// The word or function by which a query reads the database's clock or random
/// numbers; `None` if no known one occurs.
pub(super) fn moment(sql: &str) -> Option<&str> {
    /// Keywords that return the time without parentheses.
    const NOW: [&str; 5] = [
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
    ];
    /// Functions that return the time or random values, whatever their arguments.
    const CALLED: [&str; 17] = [
        "now",
        "curdate",
        "curtime",
        "getdate",
        "sysdate",
        "sysdatetime",
        "utc_date",
        "utc_timestamp",
        "clock_timestamp",
        "statement_timestamp",
        "transaction_timestamp",
        "unix_timestamp",
        "random",
        "randomblob",
        "rand",
        "uuid",
        "gen_random_uuid",
    ];
    /// SQLite's date functions, which use the current time unless one is given,
    /// with the number of arguments before the time.
    const OF_TIME: [(&str, usize); 7] = [
        ("date", 0),
        ("time", 0),
        ("datetime", 0),
        ("julianday", 0),
        ("unixepoch", 0),
        ("strftime", 1),
        ("timediff", 0),
    ];
    let is_blank = |piece: &SqlToken<'_>| matches!(piece, SqlToken::Sign(c) if c.is_whitespace());
    let pieces = tokens(sql).map(|(_, piece)| piece);
    let pieces: Vec<_> = pieces.filter(|piece| !is_blank(piece)).collect();
    pieces.iter().enumerate().find_map(|(at, piece)| {
        let SqlToken::Word(word) = *piece else {
            return None;
        };
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        let before = at.checked_sub(1).map(|before| pieces[before]);
        // A column or a parameter of that name.
        if matches!(before, Some(SqlToken::Sign('.' | ':'))) {
            return None;
        }
        let rest = pieces.get(at + 1..).unwrap_or_default();
        let is_call = rest.first() == Some(&SqlToken::Sign('('));
        let of_time = OF_TIME.iter().find(|(name, _)| is(name));
        let is_now = NOW.iter().any(|name| is(name))
            || is_call && CALLED.iter().any(|name| is(name))
            || is_call && of_time.is_some_and(|(_, before)| is_of_now(&rest[1..], *before));
        is_now.then_some(word)
    })
}

/// Whether a call has no time after its first `before` arguments, or has the
/// argument `'now'`. Nested calls are checked on their own.
fn is_of_now(arguments: &[SqlToken<'_>], before: usize) -> bool {
    let (mut depth, mut given, mut is_empty) = (0_usize, 0_usize, true);
    for piece in arguments {
        match piece {
            SqlToken::Sign(')') if depth == 0 => break,
            SqlToken::Text(text) if depth == 0 && text.trim().eq_ignore_ascii_case("now") => {
                return true;
            }
            SqlToken::Sign(',') if depth == 0 => {
                given += usize::from(!is_empty);
                is_empty = true;
                continue;
            }
            SqlToken::Sign('(') => depth += 1,
            SqlToken::Sign(')') => depth -= 1,
            _ => {}
        }
        is_empty = false;
    }
    given + usize::from(!is_empty) <= before
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The text after the next `end`; empty if there is none.
fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::{moment, parameters};

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
        check("$$ :a $$ :b $q$ :c $$ :d $q$ :e", &["b", "e"]);
        check("a$b$ :c", &["c"]);
        check("$1 :a $ :b", &["a", "b"]);
        check(r"E'it\'s :a' :b e'\\' :c 'x\' :d", &["b", "c", "d"]);
        check("$$ unfinished :a", &[]);
    }

    #[test]
    fn tells_what_reads_the_clock_or_draws_by_lot() {
        for (sql, expect) in [
            ("due_on > date('now')", "date"),
            ("due_on > date ( 'NOW' , '-30 days' )", "date"),
            ("x = DATETIME()", "DATETIME"),
            ("strftime('%Y')", "strftime"),
            ("strftime('%Y', 'now')", "strftime"),
            ("date(strftime('%Y', 'now'), '-1 day')", "strftime"),
            ("timediff(a, 'now')", "timediff"),
            ("due_on > CURRENT_DATE", "CURRENT_DATE"),
            ("now()::date", "now"),
            ("ORDER BY random() LIMIT 1", "random"),
            (
                "/* :today */ julianday('now') - julianday(due_on)",
                "julianday",
            ),
        ] {
            assert_eq!(moment(sql), Some(expect), "of {sql}");
        }
        for sql in [
            "SELECT 1",
            "due_on > date(:today)",
            "date(:today, '-1 day')",
            "date(max(paid_on, due_on))",
            "strftime('%Y', paid_on)",
            "'date()' \"now()\" -- now()\n /* random() */",
            "l.now, l.date, date, time FROM l",
            "title = 'now'",
            "coalesce(x, 'now')",
            "l.current_date = :now",
            "date(",
            "date",
            "strftime('%Y', ",
        ] {
            let expect = sql.ends_with("date(").then_some("date");
            let expect = expect.or(sql.ends_with("', ").then_some("strftime"));
            assert_eq!(moment(sql), expect, "of {sql}");
        }
    }
}
