//! The metrics of an evaluation as a plain text table.

use super::metrics::{Confusion, IntentMetrics, Metrics};
use crate::format::{count, micros, percent};

/// The number of confusions shown.
const CONFUSIONS: usize = 20;

impl Metrics {
    /// The metrics as a plain text table: the overall ones, the trade-off, those of
    /// each intent with the worst recall first, and the most frequent confusions.
    pub fn to_table(&self) -> String {
        render(self)
    }
}

fn render(metrics: &Metrics) -> String {
    let mut text = overall(metrics);
    text.push_str(&trade_off(metrics));
    text.push_str("\nintent, the worst recall first");
    let width = metrics.intents.keys().map(|name| name.chars().count());
    let width = width.max().unwrap_or(0).max("intent".len());
    text.push_str(&format!("\n{:<width$}  messages  precision   recall\n", ""));
    let mut intents: Vec<(&String, &IntentMetrics)> = metrics.intents.iter().collect();
    let recall = |metrics: &IntentMetrics| metrics.recall.unwrap_or(2.0);
    intents.sort_by(|(_, a), (_, b)| recall(a).total_cmp(&recall(b)));
    for (name, intent) in intents {
        text.push_str(&format!(
            "{name:<width$}  {:>8}  {:>9}  {:>7}\n",
            count(intent.messages as u64),
            shown(intent.precision),
            shown(intent.recall),
        ));
    }
    if !metrics.confusions.is_empty() {
        text.push_str("\nmistakes, the most frequent first\n");
        for confusion in metrics.confusions.iter().take(CONFUSIONS) {
            let Confusion {
                intent,
                taken_for,
                messages,
            } = confusion;
            text.push_str(&format!("{messages:>6}  {intent} taken for {taken_for}\n"));
        }
        if let Some(more) = metrics.confusions.len().checked_sub(CONFUSIONS + 1) {
            text.push_str(&format!(
                "        and {} other pairs; --json lists all\n",
                more + 1
            ));
        }
    }
    text
}

/// The effect of other thresholds.
fn trade_off(metrics: &Metrics) -> String {
    let mut text = "\nlost answers  threshold  accuracy  out-of-scope recall\n".to_owned();
    for at in &metrics.trade_off {
        text.push_str(&format!(
            "{:>12}  {:>9.3}  {:>8}  {:>19}\n",
            percent(100.0 * at.lost_answers),
            at.threshold,
            shown(at.accuracy),
            shown(at.oos_recall),
        ));
    }
    text
}

fn overall(metrics: &Metrics) -> String {
    let scope = format!(
        "{} in scope, {} out of scope",
        count(metrics.in_scope as u64),
        count(metrics.out_of_scope as u64)
    );
    let latency = metrics.latency_us.map_or_else(
        || "–".to_owned(),
        |latency| {
            format!(
                "{} median, {} 95 %, {} 99 %, {} most",
                micros(latency.p50),
                micros(latency.p95),
                micros(latency.p99),
                micros(latency.max)
            )
        },
    );
    let calibration = metrics
        .calibration_error
        .map_or_else(|| "–".to_owned(), |error| format!("{error:.3}"));
    let rows = [
        ("messages", scope),
        (
            "accuracy in scope",
            shown(metrics.accuracy.filter(|_| metrics.in_scope > 0)),
        ),
        ("  answered (coverage)", shown(metrics.coverage)),
        (
            "  right where answered",
            shown(metrics.accuracy_when_answered),
        ),
        ("out-of-scope recall", shown(metrics.oos_recall)),
        ("out-of-scope precision", shown(metrics.oos_precision)),
        ("accuracy over all", shown(metrics.accuracy_overall)),
        ("wrong routes", shown(metrics.wrong_routes)),
        ("calibration error", calibration),
        ("latency", latency),
    ];
    let lines = rows.map(|(name, value)| format!("{name:<24}{value}\n"));
    lines.concat()
}

fn shown(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| percent(100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::eval::metrics::Metrics;
    use crate::eval::predictions::Prediction;

    fn prediction(label: Option<&str>, found: Option<&str>) -> Prediction {
        Prediction {
            label: label.map(str::to_owned),
            found: found.map(str::to_owned),
            confidence: 0.75,
            best: found.map(|found| (found.to_owned(), 0.75)),
            micros: 12.0,
        }
    }

    #[test]
    fn every_metric_is_shown_and_the_worst_intent_first() {
        let metrics = Metrics::new(&[
            prediction(Some("easy"), Some("easy")),
            prediction(Some("hard"), Some("easy")),
            prediction(None, None),
        ]);
        let text = render(&metrics);
        for line in [
            "messages                2 in scope, 1 out of scope",
            "accuracy in scope       50.0 %",
            "out-of-scope recall     100.0 %",
            "wrong routes            50.0 %",
            "       3.0 %      0.750    50.0 %              100.0 %",
            "latency                 12.0 µs median",
            "easy           1     50.0 %  100.0 %",
            "hard           1          –    0.0 %",
            "     1  hard taken for easy",
        ] {
            assert!(text.contains(line), "no {line:?} in\n{text}");
        }
        assert!(text.find("\nhard") < text.find("\neasy"));
    }

    #[test]
    fn a_long_list_of_mistakes_says_how_many_it_leaves_out() {
        let found = (0..25).map(|i| prediction(Some(&format!("i{i}")), None));
        let text = render(&Metrics::new(&found.collect::<Vec<_>>()));
        assert!(text.contains("and 5 other pairs"), "{text}");
    }
}
