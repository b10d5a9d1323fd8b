//! Parts of an HTML report: one self-contained file.
//!
//! A report is well-formed XML as well, so any parser reads it, and its content
//! security policy allows no script and no request.

use crate::plot::escape;

const STYLE: &str = include_str!("html.css");

/// A page with the style of the reports.
pub(crate) fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n",
        escape(title)
    )
}

/// A section of a page, with a heading unless the title is empty.
pub(crate) fn section(title: &str, body: &str) -> String {
    if title.is_empty() {
        format!("<section>\n{body}\n</section>")
    } else {
        format!("<section>\n<h2>{}</h2>\n{body}\n</section>", escape(title))
    }
}

/// A plot with its caption.
pub(crate) fn figure(plot: &str, caption: &str) -> String {
    format!(
        "<figure><div class=\"wide\">{plot}</div><figcaption>{}</figcaption></figure>",
        escape(caption)
    )
}
