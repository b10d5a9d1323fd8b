//! Named parameters as PostgreSQL's numbered ones, and their values by type.

use std::error::Error;

use bytes::BytesMut;
use intent_router::parameter_spans;
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};

/// A query in which each occurrence of a parameter has a number of its own, so that
/// each has the type that its place needs.
pub(super) struct Numbered {
    pub(super) sql: String,
    /// The parameter of each number, such as `:user_id`.
    pub(super) names: Vec<String>,
}

/// Replaces `:name` by `$1`, `$2`, … from left to right. Lines stay the same.
pub(super) fn numbered(sql: &str) -> Numbered {
    let mut text = String::with_capacity(sql.len());
    let mut names = Vec::new();
    let mut end = 0;
    for span in parameter_spans(sql) {
        text.push_str(&sql[end..span.start]);
        names.push(sql[span.clone()].to_owned());
        text.push_str(&format!("${}", names.len()));
        // `$1 IS NULL` says nothing of the type.
        let mut words = sql[span.end..].split_whitespace();
        if words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("IS"))
        {
            text.push_str("::text");
        }
        end = span.end;
    }
    text.push_str(&sql[end..]);
    Numbered { sql: text, names }
}

/// What a parameter's text must be to be a value of its type. Another text is bound as
/// `NULL`, which equals nothing. Only the form that the server writes is accepted, so
/// that a user `042` is not taken for 42.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// Within the numbers of a type.
    Integer(i64, i64),
    Decimal,
    /// A day, `YYYY-MM-DD`.
    Day,
    Uuid,
}

impl Form {
    /// The form of a type's values; `None` if parameters cannot have the type.
    pub(super) fn of(kind: &Type) -> Option<Self> {
        Some(match *kind {
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => Self::Text,
            Type::INT2 => Self::Integer(i16::MIN.into(), i16::MAX.into()),
            Type::INT4 => Self::Integer(i32::MIN.into(), i32::MAX.into()),
            Type::INT8 => Self::Integer(i64::MIN, i64::MAX),
            Type::NUMERIC | Type::FLOAT4 | Type::FLOAT8 => Self::Decimal,
            Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ => Self::Day,
            Type::UUID => Self::Uuid,
            _ => match kind.kind() {
                Kind::Domain(base) => return Self::of(base),
                _ => return None,
            },
        })
    }

    /// The text if it has the form.
    pub(super) fn value(self, text: &str) -> Option<&str> {
        let fits = match self {
            // The server's texts cannot hold it.
            Self::Text => !text.contains('\0'),
            Self::Integer(least, most) => {
                let number = text.parse::<i64>().ok();
                number.is_some_and(|number| {
                    (least..=most).contains(&number) && number.to_string() == text
                })
            }
            Self::Decimal => is_decimal(text),
            Self::Day => text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10,
            Self::Uuid => is_uuid(text),
        };
        fits.then_some(text)
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |digits: &str| {
        (1..=100).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    is_number(whole) && is_number(part)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// A value that the server reads from its text.
#[derive(Debug)]
pub(super) struct TextValue<'v>(pub(super) Option<&'v str>);

impl ToSql for TextValue<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(match self.0 {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_occurrence_has_its_number() {
        let check = |sql: &str, expect: &str, names: &[&str]| {
            let found = numbered(sql);
            assert_eq!(found.sql, expect);
            assert_eq!(found.names, names);
        };
        check("SELECT 1", "SELECT 1", &[]);
        check(
            "a = :b AND c = :b AND ':b' <> :d::text",
            "a = $1 AND c = $2 AND ':b' <> $3::text",
            &[":b", ":b", ":d"],
        );
        check(
            "(:a IS NULL OR\n:a\nis not null) AND :a isnull",
            "($1::text IS NULL OR\n$2::text\nis not null) AND $3 isnull",
            &[":a", ":a", ":a"],
        );
    }

    #[test]
    fn only_what_the_server_writes_is_a_value() {
        let check = |kind: Type, good: &[&str], bad: &[&str]| {
            let form = Form::of(&kind).unwrap();
            for text in good {
                assert_eq!(form.value(text), Some(*text), "{kind}");
            }
            for text in bad {
                assert_eq!(form.value(text), None, "{kind} {text:?}");
            }
        };
        check(Type::TEXT, &["", "a", " 42"], &["a\0"]);
        let no_integers = [
            "", "042", "+42", " 42", "42 ", "42\0", "-0", "4.0", "x", "٤٢",
        ];
        check(
            Type::INT8,
            &["0", "42", "-7", "9223372036854775807"],
            &no_integers,
        );
        check(Type::INT4, &["2147483647"], &["2147483648"]);
        check(Type::INT2, &["-32768"], &["-32769", "9223372036854775808"]);
        check(
            Type::NUMERIC,
            &["1", "-1.50", "007"],
            &["", ".", "1.", ".5", "NaN", "1e5"],
        );
        check(
            Type::DATE,
            &["2025-02-28"],
            &["2025-02-29", "2025-2-3", "today", ""],
        );
        check(
            Type::UUID,
            &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
            &[
                "A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            ],
        );
        assert_eq!(Form::of(&Type::JSONB), None);
    }
}
