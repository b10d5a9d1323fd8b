//! Progress bars on standard error; hidden if that is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar with `steps` steps.
pub(crate) fn bar(steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    // The template is a constant; if it were invalid, the default style serves.
    if let Ok(style) =
        ProgressStyle::with_template("{msg:10} [{wide_bar}] {human_pos}/{human_len}, {eta} left")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
