//! `router detect`: detects the intent of each message on standard input.

use std::fmt::Write;

use clap::Args;
use intent_router::Evidence;

use super::lines;
use crate::config::Config;
use crate::detector;
use crate::exit::Failure;

/// Prints the intent of each message read from standard input.
#[derive(Args, Debug, Default)]
pub(crate) struct DetectArgs {
    #[command(flatten)]
    model: detector::ModelArgs,
    /// Add lines that start with a tab: each piece of evidence with its weight and
    /// intent, the largest weight first.
    #[arg(long)]
    explain: bool,
}

/// Prints intent and confidence for each line.
pub(super) fn run(config: &Config, args: &DetectArgs) -> Result<(), Failure> {
    let detector = args.model.detector(config)?.detector;
    lines::translate(|message, answer| {
        let detection = detector.detect(message);
        // Writing to a `String` cannot fail.
        let _ = write!(answer, "{}\t{:.4}", detection.intent, detection.confidence);
        if args.explain {
            for Evidence {
                intent,
                feature,
                weight,
            } in detector.explain(message)
            {
                let _ = write!(answer, "\n\t{weight:+.3}\t{intent}\t{feature}");
            }
        }
        Ok(())
    })
}
