//! Quantities of the configuration: durations, sizes and counts with their range
//! in the type, so that every value is in range.

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

/// A time limit: 1 ms to 1 hour.
pub(crate) type Timeout = Span<1, { 3_600 * SECOND }>;
/// The period of a repeated action: 1 ms to 1 hour; 0 s is never.
pub(crate) type Period = Span<0, { 3_600 * SECOND }>;
/// A difference of clocks: 0 s to 5 minutes.
pub(crate) type Leeway = Span<0, { 300 * SECOND }>;

/// The time that no process runs: 1 s to 1 day.
pub(crate) type Downtime = Span<SECOND, DAY>;
/// A TTL: 1 ms to 365 days.
pub(crate) type Ttl = Span<1, { 365 * DAY }>;
/// A time beyond the TTL: 0 s, which is off, to 365 days.
pub(crate) type Window = Span<0, { 365 * DAY }>;
/// The longest message: 256 B to 1 MiB.
pub(crate) type MessageLimit = Size<256, MIB>;
/// The largest request body: 1 KiB to 1 GiB.
pub(crate) type BodyLimit = Size<KIB, { 1024 * MIB }>;
/// The memory for responses of a back end: 0 B, which is off, to 64 TiB.
pub(crate) type Responses = Size<0, { 64 * TIB }>;
/// The memory for all request bodies: 1 KiB to 64 TiB.
pub(crate) type BodiesLimit = Size<KIB, { 64 * TIB }>;
/// The capacity of a cache by weight: 64 KiB to 64 TiB.
pub(crate) type Capacity = Size<{ 64 * KIB }, { 64 * TIB }>;

/// A duration of `MIN` to `MAX` milliseconds, written as `"300s"` or `"5m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span<const MIN: u64, const MAX: u64>(Duration);

impl<const MIN: u64, const MAX: u64> Span<MIN, MAX> {
    /// A default of `SECONDS`; it does not compile out of range.
    pub(crate) const fn seconds<const SECONDS: u64>() -> Self {
        const { assert!(MIN <= SECONDS * SECOND && SECONDS * SECOND <= MAX) };
        Self(Duration::from_secs(SECONDS))
    }

    /// A default of `MILLISECONDS`; it does not compile out of range.
    pub(crate) const fn milliseconds<const MILLISECONDS: u64>() -> Self {
        const { assert!(MIN <= MILLISECONDS && MILLISECONDS <= MAX) };
        Self(Duration::from_millis(MILLISECONDS))
    }

    /// A duration in range; `None` for any other.
    pub(crate) fn new(duration: Duration) -> Option<Self> {
        let range = Duration::from_millis(MIN)..=Duration::from_millis(MAX);
        range.contains(&duration).then_some(Self(duration))
    }

    /// The duration.
    pub(crate) fn get(self) -> Duration {
        self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let duration = humantime::parse_duration(text).map_err(|_| {
            format!("`{text}` is not a duration; write a number and its unit, such as \"300s\", \"5m\" or \"1h 30m\"")
        })?;
        Self::new(duration).ok_or_else(|| {
            format!(
                "`{text}` is out of range; it must be from {} to {}",
                span_text(Duration::from_millis(MIN)),
                span_text(Duration::from_millis(MAX))
            )
        })
    }
}

impl<const MAX: u64> Default for Span<0, MAX> {
    /// Zero.
    fn default() -> Self {
        Self(Duration::ZERO)
    }
}

/// A duration in the largest unit without a fraction, as the configuration writes
/// it.
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
    /// A default of `KIBIBYTES`; it does not compile out of range.
    pub(crate) const fn kibibytes<const KIBIBYTES: u64>() -> Self {
        const { assert!(MIN <= KIBIBYTES * KIB && KIBIBYTES * KIB <= MAX) };
        Self(KIBIBYTES * KIB)
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

/// A size in the largest unit without a fraction, as the configuration writes it.
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
    /// A default of `NUMBER`; it does not compile out of range.
    pub(crate) const fn of<const NUMBER: u64>() -> Self {
        const { assert!(MIN <= NUMBER && NUMBER <= MAX) };
        Self(NUMBER)
    }

    /// The number.
    pub(crate) fn get(self) -> u64 {
        self.0
    }
}

/// A real number from 0 to `MAX`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ratio<const MAX: u32>(f64);

impl<const MAX: u32> Ratio<MAX> {
    /// The number.
    pub(crate) fn get(self) -> f64 {
        self.0
    }
}

/// Parses a quantity from a TOML string; its errors say how to write one.
struct QuantityVisitor<T> {
    parse: fn(&str) -> Result<T, String>,
    expecting: &'static str,
}

impl<T> Visitor<'_> for QuantityVisitor<T> {
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
        deserializer.deserialize_str(QuantityVisitor {
            parse: Self::parse,
            expecting: "a duration with its unit, such as \"300s\"",
        })
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Size<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(QuantityVisitor {
            parse: Self::parse,
            expecting: "a size with its unit, such as \"64MiB\"",
        })
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Count<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Signed, so that the error for a negative number names the range too.
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
        // NaN is in no range.
        if (0.0..=f64::from(MAX)).contains(&number) {
            // Removes the sign of a negative zero.
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
    fn a_window_may_be_zero() {
        let zero = Window::parse("0s").expect("a duration");
        assert_eq!(zero, Window::default());
        assert_eq!(span_text(zero.get()), "0s");
        assert_eq!(Window::parse("0ms"), Ok(zero));
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
