//! `router eval`: scores a detector on labelled messages.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use intent_train::Example;
use router_bench::eval::{Metrics, predict, report};

use super::data;
use crate::config::Config;
use crate::detector;
use crate::exit::{Failure, written};

/// Measures how often a detector is right about labelled messages.
#[derive(Args, Debug)]
#[command(after_help = "\
Each line of a FILE is a JSON object {\"text\", \"intent\"}; the intent `oos` or `unknown` labels a \
message that belongs to none; the right result for it is to abstain.

Without --model the configured detector is measured, including its rules and phrases; with --model, \
only the model.

The trade-off shows the effect of other thresholds, by the share of right answers that each loses. \
With --model it is a share of the messages whose best intent is right, otherwise of those that the \
configured detector answers right.")]
pub(crate) struct EvalArgs {
    /// The labelled messages.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    data: Vec<PathBuf>,
    #[command(flatten)]
    model: detector::ModelArgs,
    /// Print the figures as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Write a report with a plot of the trade-off, one HTML file, to this path.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// Scores the detector on every message and prints the metrics.
pub(super) fn run(config: &Config, args: &EvalArgs) -> Result<(), Failure> {
    let examples = data::read(&args.data)?;
    let asked = args.model.detector(config)?;
    warn_of_unknown_labels(&examples, &asked.intents);
    let bar = ProgressBar::new(examples.len() as u64);
    let predictions = predict(
        asked.detector.as_ref(),
        asked.best.as_deref(),
        &examples,
        || {
            bar.inc(1);
        },
    );
    bar.finish_and_clear();
    let metrics = Metrics::new(&predictions);
    if let Some(file) = &args.report {
        data::write_atomically(file, report(&predictions, &metrics).as_bytes())?;
    }
    let shown = if args.json {
        serde_json::to_string_pretty(&metrics).unwrap_or_default() + "\n"
    } else {
        metrics.to_table()
    };
    written(std::io::stdout().lock().write_all(shown.as_bytes()))
}

/// Warns of labels that the detector does not know. Their messages count as
/// mistakes, which is probably not intended.
fn warn_of_unknown_labels(examples: &[Example], intents: &[String]) {
    let known: BTreeSet<&str> = intents.iter().map(String::as_str).collect();
    let is_unknown =
        |example: &&Example| !example.is_out_of_scope() && !known.contains(example.intent.as_str());
    let unknown: Vec<_> = examples.iter().filter(is_unknown).collect();
    let names: BTreeSet<&str> = unknown.iter().map(|e| e.intent.as_str()).collect();
    let Some(first) = names.first() else {
        return;
    };
    // If standard error is closed, nobody reads the warning.
    let _ = writeln!(
        std::io::stderr(),
        "warning: {} lines have one of {} intents that the detector does not have, such as `{first}`; they count as mistakes",
        unknown.len(),
        names.len(),
    );
}
