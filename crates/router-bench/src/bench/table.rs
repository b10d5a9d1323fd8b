//! The metrics as a plain text table.

use super::measurement::Counts;
use super::summary::Summary;
use crate::distribution::Distribution;
use crate::format::{change, count, micros, percent, times};

/// A row: its name, the cells with the cache off and on, and their comparison.
/// A row without cells is a heading.
pub(crate) type Row = [String; 4];

/// The column headings.
pub(crate) const HEADER: [&str; 4] = ["", "cache off", "cache on", "compared"];

/// The table's rows, which the report shows too.
pub(crate) fn rows(summary: &Summary) -> Vec<Row> {
    let (off, on) = (&summary.cache_off, &summary.cache_on);
    let comparison = &summary.comparison;
    let mut rows = Vec::new();
    rows.push(heading("latency, all requests"));
    latencies(&mut rows, off.latency_us.all, on.latency_us.all);
    rows.push(heading(
        "latency, cached requests (the same ones in both phases)",
    ));
    latencies(
        &mut rows,
        comparison.cached_requests_off,
        comparison.cached_requests_on,
    );
    rows.push(heading(
        "latency, requests not cached (misses and bypasses)",
    ));
    rows.push(row(
        "  p50 of misses",
        dash(),
        median(on.latency_us.miss),
        String::new(),
    ));
    rows.push(row(
        "  p50 of bypasses",
        median(off.latency_us.bypass),
        median(on.latency_us.bypass),
        String::new(),
    ));
    rows.push(heading("work"));
    rows.push(row(
        "  database queries",
        count(off.database_queries),
        count(on.database_queries),
        change(-comparison.queries_saved_percent),
    ));
    rows.push(row(
        "  requests per second",
        count(off.requests_per_second.round() as u64),
        count(on.requests_per_second.round() as u64),
        times(on.requests_per_second, off.requests_per_second),
    ));
    rows.push(heading("cache"));
    rows.push(row(
        "  hits / misses / bypasses",
        counts(off.requests),
        counts(on.requests),
        String::new(),
    ));
    rows.push(row(
        "  hit rate, all requests",
        percent(off.hit_rate),
        percent(on.hit_rate),
        format!("ideal {}", percent(summary.traffic.ceiling_percent)),
    ));
    rows.push(row(
        "  hit rate, repeated queries",
        percent(off.repeated_hit_rate),
        percent(on.repeated_hit_rate),
        format!("of {}", count(on.repeated.total as u64)),
    ));
    rows
}

fn row(name: &str, off: String, on: String, compared: String) -> Row {
    [name.into(), off, on, compared]
}

fn heading(name: &str) -> Row {
    row(name, String::new(), String::new(), String::new())
}

fn dash() -> String {
    "–".into()
}

fn median(of: Option<Distribution>) -> String {
    of.map_or_else(dash, |distribution| micros(distribution.p50))
}

fn counts(counts: Counts) -> String {
    let parts = [counts.hit, counts.miss, counts.bypass];
    parts.map(|part| count(part as u64)).join(" / ")
}

/// Adds one row a percentile, with the speed-up.
fn latencies(rows: &mut Vec<Row>, off: Option<Distribution>, on: Option<Distribution>) {
    let names = ["  p50", "  p95", "  p99", "  mean", "  max"];
    let figures = |of: Option<Distribution>| match of {
        Some(d) => [d.p50, d.p95, d.p99, d.mean, d.max].map(Some),
        None => [None; 5],
    };
    let show = |value: Option<f64>| value.map_or_else(dash, micros);
    for ((name, off), on) in names.into_iter().zip(figures(off)).zip(figures(on)) {
        let compared = match (off, on) {
            (Some(off), Some(on)) => faster(off, on),
            _ => String::new(),
        };
        rows.push(row(name, show(off), show(on), compared));
    }
}

/// `98.5 % lower, 68.2×`; the ratio alone if it is not lower.
fn faster(off: f64, on: f64) -> String {
    let ratio = times(off, on);
    if off > 0.0 && on < off {
        format!("{} lower, {ratio}", percent((1.0 - on / off) * 100.0))
    } else {
        ratio
    }
}

impl Summary {
    /// The description of the traffic and the metrics as a plain text table.
    pub fn to_table(&self) -> String {
        render(self)
    }
}

/// The traffic, the table and the provenance.
fn render(summary: &Summary) -> String {
    let header = HEADER.map(String::from);
    let rows: Vec<Row> = std::iter::once(header).chain(rows(summary)).collect();
    let width = |column: usize| {
        rows.iter()
            .filter(|row| column > 0 || !row[1].is_empty())
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths = [width(0), width(1), width(2)];
    let mut text = format!("{}\n", summary.traffic);
    for [name, off, on, compared] in &rows {
        let line = if off.is_empty() {
            name.clone()
        } else {
            format!(
                "{name:<0$}  {off:>1$}  {on:>2$}  {compared}",
                widths[0], widths[1], widths[2]
            )
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let provenance = &summary.provenance;
    text.push_str(&format!(
        "\nrouter {}, {}; source: {}\n{}\n",
        provenance.version, provenance.date, provenance.source, provenance.command
    ));
    text
}

#[cfg(test)]
mod tests;
