//! Plots as inline SVG. The report's style sheet colours their classes.

use crate::format::{count, micros, percent};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 44.0;

/// The number of points of a distribution's line.
const CDF_POINTS: usize = 400;

/// A named line or bar.
pub(crate) struct Series<'a> {
    /// The name in the legend.
    pub(crate) name: &'a str,
    /// A class of the report's style sheet; it sets the colour.
    pub(crate) class: &'a str,
    pub(crate) values: Vec<f64>,
}

/// An SVG element under construction.
struct Frame {
    height: f64,
    body: String,
}

impl Frame {
    fn new(height: f64) -> Self {
        Self {
            height,
            body: String::new(),
        }
    }

    /// The x coordinate at a fraction of the plot's width.
    fn x(&self, fraction: f64) -> f64 {
        LEFT + fraction.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
    }

    /// The y coordinate at a fraction of the plot's height, from the bottom.
    fn y(&self, fraction: f64) -> f64 {
        let bottom = self.height - BOTTOM;
        bottom - fraction.clamp(0.0, 1.0) * (bottom - TOP)
    }

    fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.body.push_str(&format!(
            r#"<line class="{class}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    fn text(&mut self, class: &str, anchor: &str, at: (f64, f64), text: &str) {
        self.body.push_str(&format!(
            r#"<text class="{class}" text-anchor="{anchor}" x="{:.1}" y="{:.1}">{}</text>"#,
            at.0,
            at.1,
            escape(text)
        ));
    }

    /// Grid lines and labels at 0, 25, 50, 75 and 100 per cent of the height.
    fn percent_axis(&mut self) {
        for quarter in 0..=4 {
            let y = self.y(f64::from(quarter) / 4.0);
            self.line("grid", (LEFT, y), (WIDTH - RIGHT, y));
            let label = format!("{} %", quarter * 25);
            self.text("tick", "end", (LEFT - 8.0, y + 4.0), &label);
        }
    }

    fn x_title(&mut self, title: &str) {
        let at = (self.x(0.5), self.height - 6.0);
        self.text("tick", "middle", at, title);
    }

    fn path(&mut self, class: &str, points: impl Iterator<Item = (f64, f64)>) {
        let data: String = points
            .enumerate()
            .map(|(at, (x, y))| format!("{}{x:.1} {y:.1}", if at == 0 { "M" } else { "L" }))
            .collect();
        self.body
            .push_str(&format!(r#"<path class="curve {class}" d="{data}"/>"#));
    }

    fn finish(self, title: &str) -> String {
        format!(
            r#"<svg viewBox="0 0 {WIDTH} {}" role="img" aria-label="{}">{}</svg>"#,
            self.height,
            escape(title),
            self.body
        )
    }
}

/// Cumulative distributions on a logarithmic axis; one line a series of
/// latencies in microseconds.
pub(crate) fn latency_cdf(title: &str, mut series: Vec<Series<'_>>) -> String {
    let mut frame = Frame::new(320.0);
    for line in &mut series {
        line.values.sort_by(f64::total_cmp);
    }
    let (low, high) = decades(&series);
    let along = |value: f64| {
        // A logarithmic axis has no 0; it is drawn at the start.
        (value.max(f64::MIN_POSITIVE).log10() - f64::from(low)) / f64::from(high - low)
    };
    frame.percent_axis();
    for decade in low..=high {
        let value = 10_f64.powi(decade);
        let x = frame.x(along(value));
        frame.line("grid", (x, frame.y(0.0)), (x, frame.y(1.0)));
        let label = decade_label(value);
        frame.text("tick", "middle", (x, frame.y(0.0) + 17.0), &label);
    }
    frame.x_title("latency, logarithmic");
    for line in &series {
        let n = line.values.len();
        if n == 0 {
            continue;
        }
        let points: Vec<(f64, f64)> = (0..=CDF_POINTS)
            .map(|point| {
                let share = point as f64 / CDF_POINTS as f64;
                let index = ((share * n as f64).ceil() as usize).clamp(1, n) - 1;
                (frame.x(along(line.values[index])), frame.y(share))
            })
            .collect();
        frame.path(line.class, points.into_iter());
    }
    frame.finish(title)
}

/// `1 µs`, `10 ms`: a power of ten without decimals.
fn decade_label(value: f64) -> String {
    micros(value).replace(".00", "").replace(".0", "")
}

/// Exponents of the powers of ten that enclose all values, in microseconds: at
/// least one decade apart, from a nanosecond to some hours at most.
fn decades(series: &[Series<'_>]) -> (i32, i32) {
    let values = || series.iter().flat_map(|line| &line.values).copied();
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(0.0, f64::max);
    if high <= 0.0 {
        return (0, 3);
    }
    let low = (low.max(1e-3).log10().floor() as i32).clamp(-3, 10);
    let high = (high.max(1e-3).log10().ceil() as i32).clamp(low + 1, 11);
    (low, high)
}

/// One horizontal bar a series, for its first value.
pub(crate) fn bars(title: &str, series: &[Series<'_>]) -> String {
    let row = 44.0;
    let height = TOP + row * series.len() as f64;
    let mut frame = Frame::new(height);
    let value = |bar: &Series<'_>| bar.values.first().copied().unwrap_or_default();
    let most = series.iter().map(value).fold(0.0, f64::max);
    // Leaves space for the names to the left of the bars and the numbers to the right.
    let (left, room) = (LEFT + 30.0, WIDTH - LEFT - 30.0 - 110.0);
    for (at, bar) in series.iter().enumerate() {
        let y = TOP + row * at as f64;
        let share = if most > 0.0 { value(bar) / most } else { 0.0 };
        frame.text("label", "end", (left - 10.0, y + 20.0), bar.name);
        frame.body.push_str(&format!(
            r#"<rect class="bar {}" x="{left:.1}" y="{y:.1}" width="{:.1}" height="30" rx="3"/>"#,
            bar.class,
            share * room
        ));
        let figure = count(value(bar).round() as u64);
        let after = left + share * room + 10.0;
        frame.text("label", "start", (after, y + 20.0), &figure);
    }
    frame.finish(title)
}

/// A percentage in equal parts of a run of `requests` requests.
pub(crate) fn course(title: &str, line: &Series<'_>, requests: usize) -> String {
    let mut frame = Frame::new(240.0);
    frame.percent_axis();
    for quarter in 0..=4_u32 {
        let share = f64::from(quarter) / 4.0;
        let at = (frame.x(share), frame.y(0.0) + 17.0);
        let anchor = if quarter == 4 { "end" } else { "middle" };
        let label = count((share * requests as f64).round() as u64);
        frame.text("tick", anchor, at, &label);
    }
    frame.x_title("requests made");
    let parts = line.values.len() as f64;
    let points: Vec<(f64, f64)> = line
        .values
        .iter()
        .enumerate()
        .map(|(at, percent)| {
            // Each point is in the middle of its part.
            let along = (at as f64 + 0.5) / parts;
            (frame.x(along), frame.y(percent / 100.0))
        })
        .collect();
    frame.path(line.class, points.into_iter());
    frame.finish(title)
}

/// Shares from 0 to 1 over a share from 0 to `most` in equal steps.
pub(crate) fn shares(title: &str, x_title: &str, most: f64, series: &[Series<'_>]) -> String {
    let mut frame = Frame::new(320.0);
    frame.percent_axis();
    for quarter in 0..=4_u32 {
        let share = f64::from(quarter) / 4.0;
        let at = (frame.x(share), frame.y(0.0) + 17.0);
        let anchor = if quarter == 4 { "end" } else { "middle" };
        frame.text("tick", anchor, at, &percent(100.0 * share * most));
    }
    frame.x_title(x_title);
    for line in series.iter().filter(|line| !line.values.is_empty()) {
        let last = (line.values.len() - 1).max(1) as f64;
        let points = line.values.iter().enumerate();
        let points: Vec<(f64, f64)> = points
            .map(|(at, share)| (frame.x(at as f64 / last), frame.y(*share)))
            .collect();
        frame.path(line.class, points.into_iter());
    }
    frame.finish(title)
}

/// Escapes text for an element or a quoted attribute. Characters that XML does
/// not allow become the replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                escaped.push(char::REPLACEMENT_CHARACTER);
            }
            c => escaped.push(c),
        }
    }
    escaped
}
