//! What came of a run with many wordings: a table, or JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::KEYS;
use super::plan::{Plan, STYLES};
use crate::bench::format::{count, percent, percent_of};
use crate::bench::measure::Counts;
use crate::bench::summary::Facts;

/// The version of the JSON document's shape; raised when a member changes its
/// meaning or goes.
const SCHEMA: u32 = 1;

/// What one kind of key made of the traffic.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Column {
    /// How the requests ended.
    pub(crate) requests: Counts,
    /// Hits in percent of all requests.
    pub(crate) hit_rate: f64,
    /// The same of what was asked before, in whatever words.
    pub(crate) repeated: Counts,
    pub(crate) repeated_hit_rate: f64,
    /// How many answers differed from those of a router without a cache.
    pub(crate) wrong: usize,
    pub(crate) database_queries: u64,
}

/// The traffic that was asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Traffic {
    users: u32,
    requests: usize,
    skew: f64,
    phrasings: usize,
    seed: u64,
    styles: [&'static str; STYLES.len()],
    distinct_messages: usize,
    /// In percent of all requests.
    repeated_percent: f64,
}

/// Requests that were not replaced by their slots.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Fallbacks {
    total: usize,
    /// In percent of all requests.
    percent: f64,
    by_guard: BTreeMap<&'static str, usize>,
}

/// Everything that is told of a run; `--json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    schema: u32,
    #[serde(flatten)]
    facts: Facts,
    traffic: Traffic,
    keys: BTreeMap<&'static str, Column>,
    fallbacks: Fallbacks,
}

impl Summary {
    /// `columns` in the order of [`KEYS`]; `guards` with how many requests each
    /// kept from being replaced by their slots.
    pub(crate) fn new(
        facts: Facts,
        plan: &Plan,
        columns: Vec<Column>,
        guards: BTreeMap<&'static str, usize>,
    ) -> Self {
        let options = plan.options();
        let total = guards.values().sum();
        Self {
            schema: SCHEMA,
            facts,
            traffic: Traffic {
                users: options.users,
                requests: options.requests,
                skew: options.skew,
                phrasings: options.wordings,
                seed: options.seed,
                styles: STYLES,
                distinct_messages: plan.distinct_messages(),
                repeated_percent: percent_of(plan.repeated(), options.requests),
            },
            keys: KEYS.iter().map(|(name, _)| *name).zip(columns).collect(),
            fallbacks: Fallbacks {
                total,
                percent: percent_of(total, options.requests),
                by_guard: guards,
            },
        }
    }

    /// The figures as a plain text table.
    pub(crate) fn render(&self) -> String {
        let traffic = &self.traffic;
        let mut text = format!(
            "{} requests of {} users by Zipf's law with skew {}; seed {}. Each intent in up to {} wordings, about nothing more, a record of the user or a period; written {}.\n{} different messages; {} of the requests ask what the user asked before, in whatever words.\n\n",
            count(traffic.requests as u64),
            count(u64::from(traffic.users)),
            traffic.skew,
            traffic.seed,
            traffic.phrasings,
            traffic.styles.join(", "),
            count(traffic.distinct_messages as u64),
            percent(traffic.repeated_percent),
        );
        let mut row = |name: &str, cell: &dyn Fn(&str, &Column) -> String| {
            text.push_str(&format!("{name:<29}"));
            for (key, _) in KEYS {
                let cell = self.keys.get(key).map(|column| cell(key, column));
                text.push_str(&format!("  {:>12}", cell.unwrap_or_default()));
            }
            text.push('\n');
        };
        row("key", &|key, _| key.to_owned());
        row("hit rate, all requests", &|_, column| {
            percent(column.hit_rate)
        });
        row("hit rate, asked before", &|_, column| {
            percent(column.repeated_hit_rate)
        });
        row("hits", &|_, column| count(column.requests.hit as u64));
        row("misses", &|_, column| count(column.requests.miss as u64));
        row("bypasses", &|_, column| {
            count(column.requests.bypass as u64)
        });
        row("database queries", &|_, column| {
            count(column.database_queries)
        });
        row("wrong answers", &|_, column| count(column.wrong as u64));
        let fallbacks = &self.fallbacks;
        text.push_str(&format!(
            "\nNot replaced by their slots: {} requests, {}",
            count(fallbacks.total as u64),
            percent(fallbacks.percent),
        ));
        for (at, (guard, number)) in fallbacks.by_guard.iter().enumerate() {
            let joint = if at == 0 { ": " } else { ", " };
            text.push_str(&format!("{joint}{guard} {}", count(*number as u64)));
        }
        let facts = &self.facts;
        text.push_str(&format!(
            ".\n\nrouter {}, {}; source: {}\n{}\n",
            facts.version, facts.date, facts.source, facts.command
        ));
        text
    }
}
