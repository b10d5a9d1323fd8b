//! `router eval`: how often a detector is right about labelled messages.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;
use intent_router::Example;
use router_bench::eval::{Metrics, predict, report};

use super::data;
use crate::config::Config;
use crate::detector;
use crate::exit::{Failure, written};

/// Measures how often a detector is right about labelled messages.
#[derive(Args, Debug)]
#[command(after_help = "\
Each line of a FILE is a JSON object {\"text\", \"intent\"}; the intent `oos` or `unknown` labels a \
message that belongs to none, on which it is right to abstain.

Without --model the detector is that of the configuration, its rules and phrases included; with it, \
the model alone.

The trade-off shows what other thresholds would come to, in shares of the right answers that are \
given up: with --model of all that its best intents are right about, otherwise of those that the \
configured detector answers.")]
pub(crate) struct EvalArgs {
    /// The labelled messages.
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    data: Vec<PathBuf>,
    #[command(flatten)]
    model: detector::ModelArgs,
    /// Print the figures as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Also write a page with a plot of the trade-off to this file.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

/// Scores the detector on every message and prints the metrics.
pub(super) fn run(config: &Config, args: &EvalArgs) -> Result<(), Failure> {
    let examples = data::read(&args.data)?;
    let asked = args.model.detector(config)?;
    warn_of_strangers(&examples, &asked.intents);
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
        data::write_whole(file, report(&predictions, &metrics).as_bytes())?;
    }
    let shown = if args.json {
        serde_json::to_string_pretty(&metrics).unwrap_or_default() + "\n"
    } else {
        metrics.to_table()
    };
    written(std::io::stdout().lock().write_all(shown.as_bytes()))
}

/// Tells of labels that the detector cannot find, whatever the message: they
/// count as mistakes, and are probably not what was meant.
fn warn_of_strangers(examples: &[Example], intents: &[String]) {
    let known: BTreeSet<&str> = intents.iter().map(String::as_str).collect();
    let strange =
        |example: &&Example| !example.is_out_of_scope() && !known.contains(example.intent.as_str());
    let strangers: Vec<_> = examples.iter().filter(strange).collect();
    let names: BTreeSet<&str> = strangers.iter().map(|e| e.intent.as_str()).collect();
    let Some(first) = names.first() else {
        return;
    };
    // A warning that nobody can read changes nothing.
    let _ = writeln!(
        std::io::stderr(),
        "warning: {} lines have one of {} intents that the detector does not know, such as `{first}`; they count as mistakes",
        strangers.len(),
        names.len(),
    );
}
