//! `router detect`: the intent of each message on standard input.

use std::fmt::Write;
use std::path::Path;

use intent_router::{Detector, KeywordDetector};

use super::lines;
use crate::exit::Failure;

/// Prints the intent of each line, and how sure the detector is of it.
pub(super) fn run(file: Option<&Path>) -> Result<(), Failure> {
    let detector = KeywordDetector::new(super::configuration(file)?.intents());
    lines::translate(|message, answer| {
        let detection = detector.detect(message);
        // Writing to a `String` cannot fail.
        let _ = write!(answer, "{}\t{:.4}", detection.intent, detection.confidence);
        Ok(())
    })
}
