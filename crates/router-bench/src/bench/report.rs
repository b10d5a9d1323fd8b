//! The HTML report of a run: headline, plots, all figures, traffic.

use super::measurement::Sample;
use super::run::Run;
use super::summary::Summary;
use super::table;
use crate::format::{change, count, micros, percent, times};
use crate::html::{figure, page, section};
use crate::plot::{Series, bars, course, escape, latency_cdf};

impl Summary {
    /// A self-contained HTML page with plots of `run` and the metrics.
    pub fn to_html(&self, run: &Run) -> String {
        render(self, run)
    }
}

/// Renders a run as one self-contained page.
fn render(summary: &Summary, run: &Run) -> String {
    let provenance = &summary.provenance;
    let body = [
        format!(
            "<h1>The same traffic, without the cache and with it</h1>\n\
             <p class=\"soft\">router {}, {}; source: {}</p>",
            escape(&provenance.version),
            escape(&provenance.date),
            escape(&provenance.source)
        ),
        section("", &headline(summary)),
        section("Latency", &latency(summary, run)),
        section("Database queries", &queries(summary)),
        section("Hit rate in the course of the run", &hit_rate(summary)),
        section("All figures", &figures(summary)),
        section("Declared traffic", &traffic(summary)),
        section(
            "Repeat it",
            &format!("<pre>{}</pre>", escape(&provenance.command)),
        ),
    ]
    .join("\n");
    page(&format!("router bench, {}", provenance.date), &body)
}

/// The three main figures.
fn headline(summary: &Summary) -> String {
    let comparison = &summary.comparison;
    let (off, on) = (
        comparison
            .cached_requests_off
            .map_or(0.0, |latency| latency.p50),
        comparison
            .cached_requests_on
            .map_or(0.0, |latency| latency.p50),
    );
    let card = |figure: String, meaning: String| {
        format!(
            "<div><strong>{}</strong>{}</div>",
            escape(&figure),
            escape(&meaning)
        )
    };
    format!(
        "<div class=\"figures\">\n{}\n{}\n{}\n</div>",
        card(
            change(-comparison.cached_median_reduction_percent),
            format!(
                "median latency of cached requests: {} before, {} after ({})",
                micros(off),
                micros(on),
                times(off, on)
            ),
        ),
        card(
            change(-comparison.queries_saved_percent),
            format!(
                "database queries: {} before, {} after",
                count(summary.cache_off.database_queries),
                count(summary.cache_on.database_queries)
            ),
        ),
        card(
            percent(summary.cache_on.repeated_hit_rate),
            format!(
                "hit rate on repeated queries; {} on all requests",
                percent(summary.cache_on.hit_rate)
            ),
        ),
    )
}

fn legend() -> &'static str {
    "<p class=\"legend\"><span><span class=\"key off\"></span>cache off</span>\
     <span><span class=\"key on\"></span>cache on</span></p>"
}

fn latency(summary: &Summary, run: &Run) -> String {
    let series = vec![
        Series {
            name: "cache off",
            class: "off",
            values: run.off.samples.iter().map(Sample::micros).collect(),
        },
        Series {
            name: "cache on",
            class: "on",
            values: run.on.samples.iter().map(Sample::micros).collect(),
        },
    ];
    let caption = format!(
        "The share of all {} requests of a phase that were answered within the time below. The \
         step in the line with the cache on parts hits from misses.",
        count(summary.cache_on.requests.total as u64)
    );
    let plot = latency_cdf("Cumulative distribution of latency", series);
    format!("{}{}", legend(), figure(&plot, &caption))
}

fn queries(summary: &Summary) -> String {
    let bar = |name, class, value: u64| Series {
        name,
        class,
        values: vec![value as f64],
    };
    let plot = bars(
        "Database queries in each phase",
        &[
            bar("cache off", "off", summary.cache_off.database_queries),
            bar("cache on", "on", summary.cache_on.database_queries),
        ],
    );
    figure(&plot, "Queries that the source ran for the same requests.")
}

fn hit_rate(summary: &Summary) -> String {
    let line = Series {
        name: "cache on",
        class: "on",
        values: summary.hit_rate_course.clone(),
    };
    let caption = format!(
        "From an empty cache, in {} equal stretches. Over the whole run {}; no cache that keys by \
         message could exceed {}.",
        line.values.len(),
        percent(summary.cache_on.hit_rate),
        percent(summary.traffic.ceiling_percent)
    );
    let plot = course(
        "Hit rate over the run",
        &line,
        summary.cache_on.requests.total,
    );
    figure(&plot, &caption)
}

fn figures(summary: &Summary) -> String {
    let head: String = table::HEADER
        .iter()
        .map(|name| format!("<th scope=\"col\">{}</th>", escape(name)))
        .collect();
    let body: String = table::rows(summary)
        .iter()
        .map(|[name, off, on, compared]| {
            let name = escape(name.trim_start());
            if off.is_empty() {
                return format!("<tr><th scope=\"rowgroup\" colspan=\"4\">{name}</th></tr>\n");
            }
            format!(
                "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escape(off),
                escape(on),
                escape(compared)
            )
        })
        .collect();
    format!(
        "<div class=\"wide\"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n\
         <p class=\"soft\">Percentiles by nearest rank over all samples. The hit rate counts hits in \
         all requests, bypasses included; repeated queries are those that the same user asked in the \
         same words at most one TTL before.</p>"
    )
}

fn traffic(summary: &Summary) -> String {
    let sentences: String = summary
        .traffic
        .sentences()
        .iter()
        .map(|sentence| format!("<li>{}</li>\n", escape(sentence)))
        .collect();
    let intents: String = summary
        .traffic
        .intents
        .iter()
        .map(|intent| {
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{} s</td></tr>\n",
                escape(&intent.name),
                intent.weight,
                if intent.shared {
                    "everybody"
                } else {
                    "the user"
                },
                intent.ttl.as_secs_f64()
            )
        })
        .collect();
    format!(
        "<ul>\n{sentences}</ul>\n<div class=\"wide\"><table><thead><tr><th scope=\"col\">intent</th>\
         <th scope=\"col\">weight</th><th scope=\"col\">an answer serves</th><th scope=\"col\">TTL</th></tr></thead>\n\
         <tbody>\n{intents}</tbody></table></div>"
    )
}

#[cfg(test)]
mod tests;
