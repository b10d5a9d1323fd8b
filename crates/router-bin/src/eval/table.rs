//! The figures of an evaluation as plain text, the same on a terminal and in a
//! pipe.

use super::figures::{Confusion, Figures, IntentFigures};
use crate::bench::format::{count, micros, percent};

/// How many confusions are shown.
const CONFUSIONS: usize = 20;

/// The overall figures, those of each intent with the worst first, and the
/// most frequent confusions.
pub(crate) fn render(figures: &Figures) -> String {
    let mut text = overall(figures);
    text.push_str(&trade_off(figures));
    text.push_str("\nintent, the worst recall first");
    let width = figures.intents.keys().map(|name| name.chars().count());
    let width = width.max().unwrap_or(0).max("intent".len());
    text.push_str(&format!("\n{:<width$}  messages  precision   recall\n", ""));
    let mut intents: Vec<(&String, &IntentFigures)> = figures.intents.iter().collect();
    let recall = |figures: &IntentFigures| figures.recall.unwrap_or(2.0);
    intents.sort_by(|(_, a), (_, b)| recall(a).total_cmp(&recall(b)));
    for (name, intent) in intents {
        text.push_str(&format!(
            "{name:<width$}  {:>8}  {:>9}  {:>7}\n",
            count(intent.messages as u64),
            shown(intent.precision),
            shown(intent.recall),
        ));
    }
    if !figures.confusions.is_empty() {
        text.push_str("\nmistakes, the most frequent first\n");
        for confusion in figures.confusions.iter().take(CONFUSIONS) {
            let Confusion {
                intent,
                taken_for,
                messages,
            } = confusion;
            text.push_str(&format!("{messages:>6}  {intent} taken for {taken_for}\n"));
        }
        if let Some(more) = figures.confusions.len().checked_sub(CONFUSIONS + 1) {
            text.push_str(&format!(
                "        and {} other pairs; --json lists all\n",
                more + 1
            ));
        }
    }
    text
}

/// What giving up more or fewer right answers would come to.
fn trade_off(figures: &Figures) -> String {
    let mut text = "\nlost answers  threshold  accuracy  out-of-scope recall\n".to_owned();
    for at in &figures.trade_off {
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

fn overall(figures: &Figures) -> String {
    let scope = format!(
        "{} in scope, {} out of scope",
        count(figures.in_scope as u64),
        count(figures.out_of_scope as u64)
    );
    let latency = figures.latency_us.map_or_else(
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
    let calibration = figures
        .calibration_error
        .map_or_else(|| "–".to_owned(), |error| format!("{error:.3}"));
    let rows = [
        ("messages", scope),
        (
            "accuracy in scope",
            shown(figures.accuracy.filter(|_| figures.in_scope > 0)),
        ),
        ("  answered (coverage)", shown(figures.coverage)),
        (
            "  right where answered",
            shown(figures.accuracy_when_answered),
        ),
        ("out-of-scope recall", shown(figures.oos_recall)),
        ("out-of-scope precision", shown(figures.oos_precision)),
        ("accuracy over all", shown(figures.accuracy_overall)),
        ("wrong routes", shown(figures.wrong_routes)),
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
    use crate::eval::figures::Figures;
    use crate::eval::judge::Verdict;

    fn verdict(label: Option<&str>, found: Option<&str>) -> Verdict {
        Verdict {
            label: label.map(str::to_owned),
            found: found.map(str::to_owned),
            confidence: 0.75,
            best: found.map(|found| (found.to_owned(), 0.75)),
            micros: 12.0,
        }
    }

    #[test]
    fn every_figure_is_shown_and_the_worst_intent_first() {
        let figures = Figures::new(&[
            verdict(Some("easy"), Some("easy")),
            verdict(Some("hard"), Some("easy")),
            verdict(None, None),
        ]);
        let text = render(&figures);
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
        let found = (0..25).map(|i| verdict(Some(&format!("i{i}")), None));
        let text = render(&Figures::new(&found.collect::<Vec<_>>()));
        assert!(text.contains("and 5 other pairs"), "{text}");
    }
}
