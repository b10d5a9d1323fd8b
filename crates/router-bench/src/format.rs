//! Numbers, latencies and percentages for people.

use std::time::Duration;

/// `part` of `whole` in percent, unrounded; 0 if `whole` is 0.
pub(crate) fn percent_of(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

/// A percentage with one decimal: `82.4 %`.
pub fn percent(value: f64) -> String {
    format!("{value:.1} %")
}

/// A change in percent with its sign: `-82.4 %`; `0.0 %` has none.
pub(crate) fn change(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == 0.0 {
        "0.0 %".into()
    } else {
        format!("{rounded:+.1} %")
    }
}

/// A count with thousands separators: `20,000`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Microseconds in a fitting unit, with three significant digits:
/// `850 ns`, `12.3 µs`, `4.56 ms`, `1.20 s`.
pub(crate) fn micros(value: f64) -> String {
    let (scaled, unit) = if value < 1.0 {
        (value * 1e3, "ns")
    } else if value < 1e3 {
        (value, "µs")
    } else if value < 1e6 {
        (value / 1e3, "ms")
    } else {
        (value / 1e6, "s")
    };
    let decimals = if scaled < 10.0 && unit != "ns" {
        2
    } else if scaled < 100.0 && unit != "ns" {
        1
    } else {
        0
    };
    format!("{scaled:.decimals$} {unit}")
}

/// A duration in microseconds.
pub(crate) fn as_micros(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e3
}

/// The factor by which `after` is smaller than `before`: `68.2×`; a dash if
/// `after` is 0.
pub(crate) fn times(before: f64, after: f64) -> String {
    if after > 0.0 && before.is_finite() {
        let ratio = before / after;
        if ratio >= 100.0 {
            format!("{}×", count(ratio.round() as u64))
        } else {
            format!("{ratio:.1}×")
        }
    } else {
        "–".into()
    }
}

#[cfg(test)]
mod tests {
    use super::{change, count, micros, percent, percent_of, times};

    #[test]
    fn numbers_are_formatted_for_people() {
        let cases = [
            (count(0), "0"),
            (count(999), "999"),
            (count(1_000), "1,000"),
            (count(12_345_678), "12,345,678"),
            (micros(0.85), "850 ns"),
            (micros(1.0), "1.00 µs"),
            (micros(12.34), "12.3 µs"),
            (micros(456.7), "457 µs"),
            (micros(4_560.0), "4.56 ms"),
            (micros(1_200_000.0), "1.20 s"),
            (percent(82.44), "82.4 %"),
            (change(-82.44), "-82.4 %"),
            (change(3.0), "+3.0 %"),
            (change(-0.01), "0.0 %"),
            (times(100.0, 2.0), "50.0×"),
            (times(1_234_000.0, 1.0), "1,234,000×"),
            (times(1.0, 0.0), "–"),
        ];
        for (shown, expected) in cases {
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn a_share_of_nothing_is_zero() {
        assert_eq!(percent_of(0, 0), 0.0);
        assert_eq!(percent_of(1, 4), 25.0);
    }
}
