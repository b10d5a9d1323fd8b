//! Quantities of the configuration: durations, sizes and counts that carry
//! their range in the type, so that a value that was read is a value in range.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytesize::ByteSize;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SECOND: u64 = 1_000;
const DAY: u64 = 86_400 * SECOND;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

/// How long to wait for something: 1 ms to 1 hour.
pub(crate) type Timeout = Span<1, { 3_600 * SECOND }>;
/// How often something is done: 0 s, which is never, or each 1 ms to 1 hour.
pub(crate) type Period = Span<0, { 3_600 * SECOND }>;
/// How long an answer stays fresh: 1 ms to 365 days.
pub(crate) type Ttl = Span<1, { 365 * DAY }>;
/// For how long beyond its TTL an answer is of use: 0 s, which is off, to 365
/// days.
pub(crate) type Window = Span<0, { 365 * DAY }>;
/// The longest message: 256 B to 1 MiB.
pub(crate) type MessageLimit = Size<256, MIB>;
/// The largest request body: 1 KiB to 1 GiB.
pub(crate) type BodyLimit = Size<KIB, { 1024 * MIB }>;
/// The weight that a cache may reach: 64 KiB to 64 TiB.
pub(crate) type Capacity = Size<{ 64 * KIB }, { 64 * TIB }>;

/// A duration of `MIN` to `MAX` milliseconds, written as `"300s"` or `"5m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<const MIN: u64, const MAX: u64>(Duration);

impl<const MIN: u64, const MAX: u64> Span<MIN, MAX> {
    /// A default of so many seconds; the compiler refuses one out of range.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        let millis = seconds * SECOND;
        assert!(MIN <= millis && millis <= MAX);
        Self(Duration::from_secs(seconds))
    }

    /// The duration.
    pub(crate) fn get(self) -> Duration {
        self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let duration = humantime::parse_duration(text).map_err(|_| {
            format!("`{text}` is not a duration; write a number and its unit, such as \"300s\", \"5m\" or \"1h 30m\"")
        })?;
        let range = Duration::from_millis(MIN)..=Duration::from_millis(MAX);
        if range.contains(&duration) {
            Ok(Self(duration))
        } else {
            Err(format!(
                "`{text}` is out of range; it must be from {} to {}",
                span_text(*range.start()),
                span_text(*range.end())
            ))
        }
    }
}

impl<const MAX: u64> Default for Span<0, MAX> {
    /// None at all.
    fn default() -> Self {
        Self(Duration::ZERO)
    }
}

/// A duration in its largest unit that needs no fraction, as it is written in
/// the configuration; reading it back yields the same duration.
fn span_text(duration: Duration) -> String {
    let units = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
    ];
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    units
        .into_iter()
        .find(|(factor, _)| nanos.is_multiple_of(*factor))
        .map_or_else(
            || format!("{nanos}ns"),
            |(factor, unit)| format!("{}{unit}", nanos / factor),
        )
}

/// A number of bytes from `MIN` to `MAX`, written as `"64MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Size<MIN, MAX> {
    /// A default of so many mebibytes; the compiler refuses one out of range.
    pub(crate) const fn mebibytes(mebibytes: u64) -> Self {
        Self::kibibytes(mebibytes * KIB)
    }

    /// A default of so many kibibytes; the compiler refuses one out of range.
    pub(crate) const fn kibibytes(kibibytes: u64) -> Self {
        let bytes = kibibytes * KIB;
        assert!(MIN <= bytes && bytes <= MAX);
        Self(bytes)
    }

    /// The number of bytes.
    pub(crate) fn get(self) -> u64 {
        self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = text.parse::<ByteSize>().ok().filter(|_| !plain);
        let bytes = parsed
            .ok_or_else(|| {
                format!("`{text}` is not a size; write a number and its unit, such as \"64MiB\" or \"512KiB\"")
            })?
            .as_u64();
        if (MIN..=MAX).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(format!(
                "`{text}` is out of range; it must be from {} to {}",
                size_text(MIN),
                size_text(MAX)
            ))
        }
    }
}

/// A size in its largest unit that needs no fraction, as it is written in the
/// configuration; reading it back yields the same number.
fn size_text(bytes: u64) -> String {
    let units = [(TIB, "TiB"), (1 << 30, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
    units
        .into_iter()
        .find(|(factor, _)| bytes >= *factor && bytes.is_multiple_of(*factor))
        .map_or_else(
            || format!("{bytes}B"),
            |(factor, unit)| format!("{}{unit}", bytes / factor),
        )
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Count<MIN, MAX> {
    /// A default; the compiler refuses one out of range.
    pub(crate) const fn of(number: u64) -> Self {
        assert!(MIN <= number && number <= MAX);
        Self(number)
    }

    /// The number.
    pub(crate) fn get(self) -> u64 {
        self.0
    }
}

/// A number from 0 to `MAX`, which may have a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ratio<const MAX: u32>(f64);

impl<const MAX: u32> Ratio<MAX> {
    /// The number.
    pub(crate) fn get(self) -> f64 {
        self.0
    }
}

/// Reads a quantity from a TOML string, with an error that says how to write it.
struct Text<T> {
    parse: fn(&str) -> Result<T, String>,
    expecting: &'static str,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Span<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text {
            parse: Self::parse,
            expecting: "a duration with its unit, such as \"300s\"",
        })
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Size<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text {
            parse: Self::parse,
            expecting: "a size with its unit, such as \"64MiB\"",
        })
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Count<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Signed and wide, so that a negative number is told its range too.
        let number = i64::deserialize(deserializer)?;
        u64::try_from(number)
            .ok()
            .filter(|number| (MIN..=MAX).contains(number))
            .map(Self)
            .ok_or_else(|| {
                D::Error::custom(format_args!(
                    "`{number}` is out of range; it must be from {MIN} to {MAX}"
                ))
            })
    }
}

impl<'de, const MAX: u32> Deserialize<'de> for Ratio<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        // What is not a number is in no range.
        if (0.0..=f64::from(MAX)).contains(&number) {
            // Without the sign of a negative zero.
            return Ok(Self(number.abs()));
        }
        Err(D::Error::custom(format_args!(
            "`{number}` is out of range; it must be from 0 to {MAX}"
        )))
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Span<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&span_text(self.get()))
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Size<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&size_text(self.get()))
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Count<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.get())
    }
}

impl<const MAX: u32> Serialize for Ratio<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Span<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\s*\d+\s*[A-Za-zµ]+(\s*\d+\s*[A-Za-zµ]+)*\s*$" })
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Size<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^\d+(\.\d+)?\s*[A-Za-z]+$" })
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Count<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

impl<const MAX: u32> JsonSchema for Ratio<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ratio".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Result<Duration, String> {
        Ttl::parse(text).map(Ttl::get)
    }

    #[test]
    fn durations_are_read_in_their_range() {
        for (text, millis) in [
            ("1ms", 1),
            ("300s", 300_000),
            ("5m", 300_000),
            ("1h 30m", 5_400_000),
            ("365d", 365 * DAY),
        ] {
            assert_eq!(span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "0s",
            "999us",
            "366d",
            "99999999999999y",
            "-5s",
            "300",
            "",
            "s",
            "∞",
        ] {
            assert!(span(text).is_err(), "{text}");
        }
        assert!(span("0s").is_err_and(|message| message.contains("from 1ms to")));
    }

    #[test]
    fn durations_are_written_back_alike() {
        for (text, written) in [
            ("1ms", "1ms"),
            ("300s", "5m"),
            ("1h 30m", "90m"),
            ("31days", "31d"),
            ("1month", "2630016s"),
            ("1001us", "1001us"),
            ("1ms 1ns", "1000001ns"),
        ] {
            let read = Ttl::parse(text).expect(text);
            assert_eq!(span_text(read.get()), written);
            assert_eq!(Ttl::parse(written), Ok(read), "{text}");
        }
        assert!(span("366d").is_err_and(|message| message.ends_with("from 1ms to 365d")));
    }

    #[test]
    fn a_window_may_be_shut() {
        let shut = Window::parse("0s").expect("a duration");
        assert_eq!(shut, Window::default());
        assert_eq!(span_text(shut.get()), "0s");
        assert_eq!(Window::parse("0ms"), Ok(shut));
        assert!(Window::parse("366d").is_err_and(|message| message.ends_with("from 0s to 365d")));
    }

    #[test]
    fn ratios_are_read_in_their_range() {
        let read = |text: &str| {
            let table: toml::Table = toml::from_str(&format!("x = {text}")).expect(text);
            Ratio::<1>::deserialize(table["x"].clone()).map(Ratio::get)
        };
        for (text, number) in [("0", 0.0), ("-0.0", 0.0), ("0.25", 0.25), ("1", 1.0)] {
            assert_eq!(
                read(text).map(f64::to_bits),
                Ok(f64::to_bits(number)),
                "{text}"
            );
        }
        for text in [
            "-0.1", "1.000001", "2", "nan", "inf", "-inf", "'0.1'", "true",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let told = read("nan").expect_err("no number").to_string();
        assert!(
            told.contains("`NaN` is out of range; it must be from 0 to 1"),
            "{told}"
        );
    }

    #[test]
    fn sizes_are_read_in_their_range_and_written_back_alike() {
        for (text, bytes) in [
            ("1KiB", KIB),
            ("1MiB", MIB),
            ("1 MB", 1_000_000),
            ("1.5MiB", 3 * MIB / 2),
            ("1025B", 1025),
            ("1GiB", 1024 * MIB),
        ] {
            let size = BodyLimit::parse(text).expect(text);
            assert_eq!(size.get(), bytes, "{text}");
            assert_eq!(BodyLimit::parse(&size_text(bytes)), Ok(size), "{text}");
        }
        for text in [
            "0B",
            "1023B",
            "1025MiB",
            "99999999999EiB",
            "-1MiB",
            "1048576",
            "",
            "MiB",
            "1e9B",
        ] {
            assert!(BodyLimit::parse(text).is_err(), "{text}");
        }
    }
}
