//! Numbers as CPython reads and writes them.

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::error::JsonProblem;
use crate::limits::MAX_DIGITS;

/// A JSON number, read as Python reads it: without a fraction or an exponent an
/// integer of any size, otherwise a 64-bit float.
pub(crate) enum Number<'a> {
    /// The digits as Python writes them.
    Int(Cow<'a, str>),
    /// A finite float.
    Float(f64),
}

impl<'a> Number<'a> {
    /// Reads all of `text` as a number. The offset of a syntax
    /// error counts from the start of `text`.
    pub(crate) fn read(text: &'a str) -> Result<Self, JsonProblem> {
        let bytes = text.as_bytes();
        let expect = |offset| JsonProblem::Syntax {
            offset,
            expected: "a digit",
        };
        let digits_from = |start: usize| {
            let rest = bytes.get(start..).unwrap_or_default();
            rest.iter().take_while(|b| b.is_ascii_digit()).count()
        };

        let sign = usize::from(bytes.first() == Some(&b'-'));
        let whole = match bytes.get(sign) {
            Some(b'0') => 1,
            _ => digits_from(sign),
        };
        let mut at = sign + whole;
        if whole == 0 {
            return Err(expect(at));
        }
        let mut float = false;
        if bytes.get(at) == Some(&b'.') {
            float = true;
            let fraction = digits_from(at + 1);
            at += 1 + fraction;
            if fraction == 0 {
                return Err(expect(at));
            }
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            float = true;
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits_from(at);
            at += exponent;
            if exponent == 0 {
                return Err(expect(at));
            }
        }
        if at != bytes.len() {
            return Err(JsonProblem::Syntax {
                offset: at,
                expected: "the end of the number",
            });
        }

        if float {
            return Self::float(text.parse().map_err(|_| expect(0))?);
        }
        if whole > MAX_DIGITS {
            return Err(JsonProblem::TooManyDigits);
        }
        // Python's integers have no negative zero.
        let text = if text == "-0" { "0" } else { text };
        Ok(Self::Int(Cow::Borrowed(text)))
    }

    fn float(value: f64) -> Result<Self, JsonProblem> {
        if value.is_finite() {
            Ok(Self::Float(value))
        } else if value.is_nan() {
            Err(JsonProblem::NotFinite("NaN"))
        } else if value > 0.0 {
            Err(JsonProblem::NotFinite("Infinity"))
        } else {
            Err(JsonProblem::NotFinite("-Infinity"))
        }
    }

    pub(crate) fn into_owned(self) -> Number<'static> {
        match self {
            Number::Int(text) => Number::Int(Cow::Owned(text.into_owned())),
            Number::Float(value) => Number::Float(value),
        }
    }
}

/// What Python's `repr` writes for a finite float: the fewest digits that read
/// back as the same float, with an exponent when the decimal one is below -4 or
/// above 15.
pub(crate) struct Repr(pub(crate) f64);

impl fmt::Display for Repr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `{:e}` writes the fewest digits, as `d.ddde-x` in at most 24 bytes.
        // Where two such texts are equally near, Python takes the even one: so
        // does Rust, but only when it is told how many digits to write.
        let mut fewest = Short::default();
        write!(fewest, "{:e}", self.0)?;
        let (mantissa, _) = fewest.as_str().split_once('e').ok_or(fmt::Error)?;
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
        let mut even = Short::default();
        write!(even, "{:.*e}", digits - 1, self.0)?;
        // Below a power of two floats lie denser: the nearest text of that many
        // digits may then read back as the float below.
        let is_same = even.as_str().parse() == Ok(self.0);
        let text = if is_same { &even } else { &fewest }.as_str();

        let (mantissa, exponent) = text.split_once('e').ok_or(fmt::Error)?;
        let exponent: i32 = exponent.parse().map_err(|_| fmt::Error)?;
        if !(-4..16).contains(&exponent) {
            let sign = if exponent < 0 { '-' } else { '+' };
            return write!(f, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
        }

        let (sign, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", mantissa),
        };
        let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        f.write_str(sign)?;
        let Ok(after_first) = usize::try_from(exponent) else {
            let zeros = exponent.unsigned_abs() as usize - 1;
            return write!(f, "0.{:0<zeros$}{first}{rest}", "");
        };
        match rest.get(after_first..) {
            Some(fraction) if !fraction.is_empty() => {
                write!(f, "{first}{}.{fraction}", &rest[..after_first])
            }
            _ => write!(f, "{first}{rest:0<after_first$}.0"),
        }
    }
}

/// A short ASCII text on the stack.
#[derive(Default)]
struct Short {
    bytes: [u8; 32],
    len: usize,
}

impl Short {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let written = match Number::read(text).unwrap() {
            Number::Int(digits) => digits.into_owned(),
            Number::Float(value) => Repr(value).to_string(),
        };
        assert_eq!(written, expect, "{text}");
    }

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        for (text, expect) in [
            ("0", "0"),
            ("-0", "0"),
            ("-1", "-1"),
            (
                "340282366920938463463374607431768211456",
                "340282366920938463463374607431768211456",
            ),
            ("0.0", "0.0"),
            ("-0.0", "-0.0"),
            ("-0e5", "-0.0"),
            ("1.0", "1.0"),
            ("1e2", "100.0"),
            ("1.50", "1.5"),
            ("-12.5", "-12.5"),
            ("1E15", "1000000000000000.0"),
            ("1e16", "1e+16"),
            ("123456789012345680.0", "1.2345678901234568e+17"),
            ("9999999999999998.0", "9999999999999998.0"),
            ("0.0001", "0.0001"),
            ("0.00012", "0.00012"),
            ("0.00001", "1e-05"),
            ("-1.5e-7", "-1.5e-07"),
            ("1e-100", "1e-100"),
            ("5e-324", "5e-324"),
            ("1e-400", "0.0"),
            ("-1e-400", "-0.0"),
            ("2.2250738585072014e-308", "2.2250738585072014e-308"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("9007199254740993.0", "9007199254740992.0"),
            // Two texts of 17 digits are equally near: the even one counts.
            ("100000000000000.125", "100000000000000.12"),
            ("100000000000000.375", "100000000000000.38"),
            // Two to the power of -24 and of 89: their nearest texts of 16
            // digits, …062e-08 and …901e+26, are the floats below.
            ("5.9604644775390625e-8", "5.960464477539063e-08"),
            ("618970019642690137449562112.0", "6.189700196426902e+26"),
        ] {
            check(text, expect);
        }
    }

    #[test]
    fn what_is_no_finite_number_is_an_error() {
        let problem = |text: &str| Number::read(text).err();
        assert_eq!(problem("1e309"), Some(JsonProblem::NotFinite("Infinity")));
        assert_eq!(problem("-1e309"), Some(JsonProblem::NotFinite("-Infinity")));
        for text in [
            "", "-", "01", "1.", ".5", "1e", "1e+", "+1", "1_0", "0x1", "1.e5", "--1", "1 ", "٣",
        ] {
            assert!(
                matches!(problem(text), Some(JsonProblem::Syntax { .. })),
                "{text:?}"
            );
        }
    }

    #[test]
    fn integers_end_where_cpython_stops_reading_them() {
        let most = "9".repeat(MAX_DIGITS);
        check(&most, &most);
        check(&format!("-{most}"), &format!("-{most}"));
        assert_eq!(
            Number::read(&format!("{most}9")).err(),
            Some(JsonProblem::TooManyDigits)
        );
    }
}
