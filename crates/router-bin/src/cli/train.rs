//! `router train`: trains a detector's model on labelled messages.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use intent_model::LinearModel;
use intent_train::{Example, Progress, Stage, TrainError, TrainOptions, train};
use router_bench::format::{count, percent};

use super::data;
use crate::config::Config;
use crate::detector;
use crate::exit::{Code, Failure, written};

/// Trains a detector on labelled messages.
#[derive(Args, Debug)]
#[command(after_help = "\
Each line of a FILE is a JSON object {\"text\", \"intent\"}; the intent `oos` or `unknown` labels a \
message that belongs to none. Such lines train the model to abstain. Built-in general messages are \
added to them, except those that resemble a line of the data; --no-background leaves them all out.

Without --data the model is trained on the examples of the configured catalogue.

The same lines with the same options give the same model, byte for byte.")]
pub(crate) struct TrainArgs {
    /// The labelled messages.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    data: Vec<PathBuf>,
    /// The file to write the model to; it is replaced as a whole.
    #[arg(long, value_name = "MODEL")]
    out: PathBuf,
    /// The largest accepted share of wrong routes among the answered messages,
    /// from 0 to 1: the smaller it is, the more often the detector abstains; with
    /// 1 it never does.
    #[arg(long, value_name = "SHARE", default_value_t = TrainOptions::default().wrong_routes)]
    wrong_routes: f64,
    /// The largest accepted share of right answers lost to abstention, from 0 to 1.
    /// It takes precedence over --wrong-routes where both cannot be met. The
    /// default is 0.0075 if the data has lines labelled `oos`, otherwise 0.03.
    /// `router eval` prints the effect of 0.01, 0.03, 0.05 and 0.1.
    #[arg(long, value_name = "SHARE")]
    lost_answers: Option<f64>,
    /// Do not add the built-in general messages.
    #[arg(long)]
    no_background: bool,
    /// The seed of the random choices.
    #[arg(long, value_name = "N", default_value_t = TrainOptions::default().seed)]
    seed: u64,
    /// The folder of a sentence model, whose vectors are used together with the
    /// n-grams; requires a program built with the feature `semantic`.
    #[arg(long, value_name = "FOLDER")]
    sentence_model: Option<PathBuf>,
}

/// Trains and writes a model, and prints its figures on held-out examples.
pub(super) fn run(config: &Config, args: &TrainArgs) -> Result<(), Failure> {
    let examples: Vec<Example> = match args.data.as_slice() {
        [] => {
            let examples = config.intents().training_examples();
            examples.map(Example::from).collect()
        }
        files => data::read(files)?,
    };
    let sentence_model = args.sentence_model.as_deref();
    let options = TrainOptions {
        seed: args.seed,
        wrong_routes: args.wrong_routes,
        lost_answers: args.lost_answers,
        background: !args.no_background,
        encoder: sentence_model.map(detector::encoder).transpose()?,
        ..TrainOptions::default()
    };
    let bar = progress_bar();
    let model = train(&examples, &options, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    let model = model.map_err(|error| {
        let code = match error {
            TrainError::Option { .. } => Code::Usage,
            _ => Code::Data,
        };
        Failure::new(code, error)
    })?;
    let bytes = model.to_bytes();
    data::write_atomically(&args.out, &bytes)?;
    let out_of_scope = examples.iter().filter(|e| e.is_out_of_scope()).count();
    let summary = format!(
        "{lines} lines ({out_of_scope} out of scope), {intents} intents; wrote {size:.1} MB to {path}\n{held_out}",
        lines = count(examples.len() as u64),
        intents = model.intents().len(),
        size = bytes.len() as f64 / 1e6,
        path = args.out.display(),
        held_out = held_out(&model),
    );
    written(std::io::stdout().lock().write_all(summary.as_bytes()))
}

/// The model's figures on held-out lines.
fn held_out(model: &LinearModel) -> String {
    let figures = model.held_out();
    let rows = [
        ("accuracy, never abstaining", figures.accuracy),
        ("accuracy, abstaining", figures.answered_right),
        ("out-of-scope recall", figures.out_of_scope_recall),
        ("wrong routes", figures.wrong_routes),
        ("calibration error", figures.calibration_error),
    ];
    let mut text = "on lines held out from training:\n".to_owned();
    for (name, share) in rows {
        text.push_str(&format!("  {name:<28}{}\n", percent(100.0 * share)));
    }
    text
}

/// A progress bar on standard error, shown only where that is a terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(1);
    // The template is a constant; should it ever be wrong, the plain bar will do.
    if let Ok(style) =
        ProgressStyle::with_template("{msg:11} [{wide_bar}] {percent} %, {elapsed} so far")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_message(match progress.stage {
        Stage::Encode => "encoding",
        Stage::Network => "network",
        Stage::Calibrate => "calibrating",
        _ => "training",
    });
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
}
