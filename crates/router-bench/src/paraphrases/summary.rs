//! The comparison of the key modes as a table and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::comparison::{KEY_MODES, KeyModeComparison, KeyModeResult};
use super::plan::STYLES;
use crate::Provenance;
use crate::format::{count, percent, percent_of};

/// The version of the JSON document; raised if a member changes its meaning or
/// is removed.
const SCHEMA: u32 = 1;

/// The description of the traffic.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct PlanDescription {
    users: u32,
    requests: usize,
    skew: f64,
    phrasings: usize,
    seed: u64,
    styles: [&'static str; STYLES.len()],
    distinct_messages: usize,
    /// Messages left out because the detector does not take them for their
    /// intent.
    misunderstood: usize,
    /// In percent of all requests.
    repeated_percent: f64,
}

/// Requests whose message was kept as the key text in the mode `slots`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Fallbacks {
    total: usize,
    /// In percent of all requests.
    percent: f64,
    by_guard: BTreeMap<&'static str, usize>,
}

/// All metrics of a comparison. Its JSON form is the output of
/// `router bench --wordings --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParaphraseSummary {
    schema: u32,
    #[serde(flatten)]
    provenance: Provenance,
    traffic: PlanDescription,
    keys: BTreeMap<&'static str, KeyModeResult>,
    fallbacks: Fallbacks,
}

impl ParaphraseSummary {
    /// Computes the metrics.
    pub fn new(provenance: Provenance, comparison: KeyModeComparison) -> Self {
        let KeyModeComparison {
            plan,
            results,
            guards,
        } = comparison;
        let options = plan.options();
        let total = guards.values().sum();
        Self {
            schema: SCHEMA,
            provenance,
            traffic: PlanDescription {
                users: options.users,
                requests: options.requests,
                skew: options.skew,
                phrasings: options.wordings,
                seed: options.seed,
                styles: STYLES,
                distinct_messages: plan.distinct_messages(),
                misunderstood: plan.misunderstood(),
                repeated_percent: percent_of(plan.repeated(), options.requests),
            },
            keys: KEY_MODES
                .iter()
                .map(|(name, _)| *name)
                .zip(results)
                .collect(),
            fallbacks: Fallbacks {
                total,
                percent: percent_of(total, options.requests),
                by_guard: guards,
            },
        }
    }

    /// The metrics as a plain text table.
    pub fn to_table(&self) -> String {
        let traffic = &self.traffic;
        let mut text = format!(
            "{} requests of {} users by Zipf's law with skew {}; seed {}. Each intent in up to {} wordings, about nothing more, a record of the user or a period; written {}.\n{} different messages; {} of the requests ask what the user asked before, in whatever words. {} more were taken for another intent and not asked.\n\n",
            count(traffic.requests as u64),
            count(u64::from(traffic.users)),
            traffic.skew,
            traffic.seed,
            traffic.phrasings,
            traffic.styles.join(", "),
            count(traffic.distinct_messages as u64),
            percent(traffic.repeated_percent),
            count(traffic.misunderstood as u64),
        );
        let mut row = |name: &str, cell: &dyn Fn(&str, &KeyModeResult) -> String| {
            text.push_str(&format!("{name:<29}"));
            for (key, _) in KEY_MODES {
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
        let provenance = &self.provenance;
        text.push_str(&format!(
            ".\n\nrouter {}, {}; source: {}\n{}\n",
            provenance.version, provenance.date, provenance.source, provenance.command
        ));
        text
    }
}
