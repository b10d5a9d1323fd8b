use std::sync::Arc;
use std::time::Duration;

use indicatif::ProgressBar;
use proptest::prelude::*;

use super::render;
use crate::Provenance;
use crate::bench::options::Options;
use crate::bench::population::Population;
use crate::bench::run::{Run, measure};
use crate::bench::summary::Summary;
use crate::bench::test_support::{Ideal, intent, traffic};
use crate::bench::traffic::Traffic;
use crate::plot::escape;

/// Fails unless every element is closed in its order, every attribute quoted,
/// and every `&` begins a reference.
fn assert_well_formed(document: &str) {
    let mut rest = document
        .strip_prefix("<!DOCTYPE html>")
        .expect("it says what it is");
    let mut open: Vec<&str> = Vec::new();
    while let Some(at) = rest.find('<') {
        assert_text(&rest[..at]);
        let end = rest[at..].find('>').expect("every tag ends") + at;
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (inner, is_empty) = tag
            .strip_suffix('/')
            .map_or((tag, false), |inner| (inner, true));
        let name = inner.split_whitespace().next().expect("tags are named");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "<{tag}>");
        assert_eq!(inner.matches('"').count() % 2, 0, "<{tag}>");
        assert_eq!(
            inner.matches("=\"").count() * 2,
            inner.matches('"').count(),
            "<{tag}>"
        );
        assert_text(inner);
        if !is_empty {
            open.push(name);
        }
        // The style's own text is not markup.
        if name == "style" {
            let close = rest.find("</style>").expect("the style ends");
            assert!(!rest[..close].contains(['<', '&']));
            rest = &rest[close..];
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(rest.trim().is_empty());
}

fn assert_text(text: &str) {
    assert!(!text.contains('>'), "{text}");
    for after in text.split('&').skip(1) {
        let known = ["amp;", "lt;", "gt;", "quot;", "#39;"];
        assert!(
            known.iter().any(|known| after.starts_with(known)),
            "{after}"
        );
    }
    assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
}

async fn measured(traffic: Traffic, provenance: Provenance) -> String {
    let traffic = Arc::new(traffic);
    let done = measure(
        &Arc::new(Ideal::default()),
        &traffic,
        &ProgressBar::hidden(),
    )
    .await
    .expect("nothing fails");
    render(&Summary::new(provenance, &traffic, &done), &done)
}

#[tokio::test]
async fn the_report_is_well_formed_and_needs_nothing_else() {
    let options = Options {
        requests: 2_000,
        ..Options::default()
    };
    let report = measured(
        traffic(options),
        Provenance::now("router bench", "a source"),
    )
    .await;
    assert_well_formed(&report);
    for outside in [
        "http:", "https:", "url(", "@import", "<script", "<link", " src=",
    ] {
        assert!(!report.contains(outside), "{outside}");
    }
    assert_eq!(report.matches("<svg").count(), 3);
}

#[tokio::test]
async fn whatever_a_catalogue_or_a_command_says_is_shown_as_text() {
    const HOSTILE: &str = "</style></p><script>alert(\"1\")</script>&'\u{0}\u{1b}[2J";
    let mut hostile = intent("a", 1, false);
    hostile.name = HOSTILE.into();
    let population = Population {
        prefix: HOSTILE.into(),
        role: HOSTILE.into(),
        digits: 1,
    };
    let traffic = Traffic::new(Options::default(), population, vec![hostile]).expect("in bounds");
    let report = measured(traffic, Provenance::now(HOSTILE, HOSTILE)).await;
    assert_well_formed(&report);
    assert!(!report.contains("<script"));
    assert!(report.contains("&lt;script&gt;alert(&quot;1&quot;)"));
    assert!(!report.contains(['\u{0}', '\u{1b}']));
}

#[test]
fn runs_without_records_or_time_still_make_a_report() {
    let traffic = traffic(Options::default());
    let empty = Run::default();
    let provenance = || Provenance::now("router bench", "a source");
    assert_well_formed(&render(
        &Summary::new(provenance(), &traffic, &empty),
        &empty,
    ));
    let instant = crate::bench::measurement::Phase {
        samples: vec![
            crate::bench::measurement::Sample {
                started: 0,
                latency: 0,
                outcome: crate::bench::measurement::OutcomeClass::Hit,
                queries: 0,
            };
            3
        ],
        elapsed: Duration::ZERO,
    };
    let timeless = Run {
        off: instant.clone(),
        on: instant,
    };
    assert_well_formed(&render(
        &Summary::new(provenance(), &traffic, &timeless),
        &timeless,
    ));
}

proptest! {
    #[test]
    fn prop_escaped_text_reads_back_and_holds_no_markup(text in any::<String>()) {
        let escaped = escape(&text);
        prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
        let back = escaped
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
        let shown = |c: char| {
            let kept = !c.is_control() || c == '\n' || c == '\t';
            if kept && !matches!(c, '\u{fffe}' | '\u{ffff}') { c } else { char::REPLACEMENT_CHARACTER }
        };
        prop_assert_eq!(back, text.chars().map(shown).collect::<String>());
    }
}
