//! Amounts of money, such as `K1,234.50` and `1.234,50 EUR`.
//!
//! An amount is a number with a currency mark directly before or after it. The
//! thousands separator is `,`, `.` or `'`, the decimal separator `.` or `,`.
//! `1.234,50` and `1,234.50` are unambiguous; `1,234` depends on the configured
//! decimal separator. An ambiguous number is not an amount.

use super::pattern::{is_dash, is_joined_after, is_joined_before};
use super::taken::Taken;

/// The marks of the currencies, in normal form, the longest first; and their codes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Marks {
    pub(crate) marks: Vec<(String, String)>,
    /// The decimal separator of numbers that are ambiguous without it.
    pub(crate) decimal: char,
}

/// The most digits that an amount has before its decimals.
const MAX_DIGITS: usize = 15;

/// The amounts in a text in normal form, as `1234.5 EUR`, from left to right.
pub(super) fn find(marks: &Marks, text: &str) -> Vec<Taken<String>> {
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(skip) = text[next..].find(|c: char| c.is_ascii_digit()) {
        let start = next + skip;
        let is_part = |c: char| c.is_ascii_digit() || is_separator(c);
        let length = text[start..].find(|c| !is_part(c));
        next = length.map_or(text.len(), |length| start + length);
        let number = text[start..next].trim_end_matches(is_separator);
        let Some(value) = normalised(number, marks.decimal) else {
            continue;
        };
        found.extend(marks.around(text, start, start + number.len(), &value));
    }
    found
}

impl Marks {
    /// The amount that the number at this place of the text is part of.
    fn around(&self, text: &str, start: usize, end: usize, value: &str) -> Option<Taken<String>> {
        let (before, after) = (self.before(text, start), self.after(text, end));
        let is_bare_start = || !touches(text[..start].chars().next_back());
        let is_bare_end = || !touches(text[end..].chars().next());
        let (code, place) = match (before, after) {
            (Some((a, from)), Some((b, to))) if a == b => (a, from..to),
            (Some((code, from)), None) if is_bare_end() => (code, from..end),
            (None, Some((code, to))) if is_bare_start() => (code, start..to),
            _ => return None,
        };
        let sign = text[..place.start].chars().next_back();
        let alone = !sign.is_some_and(is_dash)
            && !is_joined_before(text, place.start)
            && !is_joined_after(text, place.end);
        let value = format!("{value} {code}");
        alone.then_some(Taken { value, place })
    }

    /// The currency whose mark ends where the number starts.
    fn before(&self, text: &str, at: usize) -> Option<(&str, usize)> {
        let head = text[..at].strip_suffix(' ').unwrap_or(&text[..at]);
        self.marks.iter().find_map(|(mark, code)| {
            let from = head.len() - head.strip_suffix(mark.as_str()).map(|_| mark.len())?;
            let joined = mark.starts_with(char::is_alphanumeric)
                && head[..from].ends_with(char::is_alphanumeric);
            (!joined).then_some((code.as_str(), from))
        })
    }

    /// The currency whose mark starts where the number ends. A single letter does
    /// not count there, as `5k` may be five thousand.
    fn after(&self, text: &str, at: usize) -> Option<(&str, usize)> {
        let start = at + usize::from(text[at..].starts_with(' '));
        self.starting_at(text, start).find_map(|(mark, code)| {
            let is_letter = mark
                .chars()
                .eq(mark.chars().next().filter(|c| c.is_alphanumeric()));
            (!is_letter).then_some((code, start + mark.len()))
        })
    }

    /// The marks, with their currencies, that start at this place.
    fn starting_at<'a>(
        &'a self,
        text: &str,
        at: usize,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let tail = &text[at..];
        self.marks.iter().filter_map(move |(mark, code)| {
            let rest = tail.strip_prefix(mark.as_str())?;
            let joined =
                mark.ends_with(char::is_alphanumeric) && rest.starts_with(char::is_alphanumeric);
            (!joined).then_some((mark.as_str(), code.as_str()))
        })
    }

    /// Whether a mark is directly before or after the number in this range, as in
    /// `K 1950`, `amount of 1950` and `1950 kwacha`. Costs a comparison with each
    /// mark.
    pub(super) fn is_next_to(&self, text: &str, start: usize, end: usize) -> bool {
        let head = &text[..start];
        let joints = [" of ", " is ", " was ", ": ", ":", " = ", "="];
        let joint = joints.iter().find(|joint| head.ends_with(**joint));
        let start = start - joint.map_or(0, |joint| joint.len());
        let gap = text[end..]
            .chars()
            .next()
            .filter(|c| *c == ' ' || is_dash(*c));
        let next = end + gap.map_or(0, char::len_utf8);
        self.before(text, start).is_some() || self.starting_at(text, next).next().is_some()
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | ',' | '\'' | '’')
}

/// Whether a character next to a number makes it part of something else.
fn touches(c: Option<char>) -> bool {
    c.is_some_and(|c| {
        c.is_alphanumeric() || is_dash(c) || matches!(c, '/' | '⁄' | '_' | '%' | '‰' | '°')
    })
}

/// The number in canonical form, with `.` before its decimals; `None` if it is
/// ambiguous.
fn normalised(number: &str, decimal: char) -> Option<String> {
    let separators: Vec<(usize, char)> = number
        .char_indices()
        .filter(|(_, c)| is_separator(*c))
        .collect();
    let (whole, fraction) = match separators.as_slice() {
        [] => (number, ""),
        [.., (last, c)] => {
            let others = &separators[..separators.len() - 1];
            let tail = &number[last + c.len_utf8()..];
            let is_thousands = others.iter().all(|(_, other)| other == c)
                && tail.len() == 3
                && (!others.is_empty() || *c != decimal);
            let is_decimal = matches!(c, '.' | ',')
                && others.iter().all(|(_, other)| other != c)
                && (1..=4).contains(&tail.len())
                && (tail.len() != 3 || !others.is_empty());
            match (is_thousands, is_decimal) {
                (true, false) => (number, ""),
                (false, true) => (&number[..*last], tail),
                _ => return None,
            }
        }
    };
    let mut groups = whole.split(is_separator);
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || !(1..=3).contains(&first.len()) || first == "0" {
            return None;
        }
        digits.push_str(group);
    }
    // All thousands separators must be the same character.
    let mut kinds = whole.chars().filter(|c| is_separator(*c));
    let kind = kinds.next();
    if digits.is_empty() || digits.len() > MAX_DIGITS || kinds.any(|c| Some(c) != kind) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let fraction = fraction.trim_end_matches('0');
    Some(match fraction {
        "" => digits.to_owned(),
        fraction => format!("{digits}.{fraction}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_one_way_or_not_at_all() {
        let check = |number: &str, point: Option<&str>, comma: Option<&str>| {
            assert_eq!(normalised(number, '.').as_deref(), point, "of {number}");
            assert_eq!(
                normalised(number, ',').as_deref(),
                comma,
                "of {number}, comma"
            );
        };
        let both = |number: &str, value| check(number, value, value);
        both("0", Some("0"));
        both("1234", Some("1234"));
        both("007", Some("7"));
        both("1234.50", Some("1234.5"));
        both("1234,5", Some("1234.5"));
        both("1,234.50", Some("1234.5"));
        both("1.234,50", Some("1234.5"));
        both("1'234.50", Some("1234.5"));
        both("1’234’567", Some("1234567"));
        both("1,234,567", Some("1234567"));
        both("1.234.567,00", Some("1234567"));
        both("1,234.567", Some("1234.567"));
        check("1,234", Some("1234"), None);
        check("1.234", None, Some("1234"));
        both("1'234", Some("1234"));
        for odd in [
            "1,23,456",
            "12345,678.9",
            "1.2.3",
            "1,234.567,8",
            "0,123",
            "1..5",
            "1'2",
            "1,,234",
            "1.234'567,8",
            "1234567890123456",
            "1.23456",
            "0.123,45",
            "1,1,1,1",
        ] {
            let read = [normalised(odd, '.'), normalised(odd, ',')];
            assert!(read.contains(&None), "{odd} is read as {read:?}");
        }
    }
}
