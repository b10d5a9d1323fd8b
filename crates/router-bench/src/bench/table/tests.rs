use std::sync::Arc;

use indicatif::ProgressBar;

use super::{HEADER, render, rows};
use crate::Provenance;
use crate::bench::options::Options;
use crate::bench::run::{Run, measure};
use crate::bench::summary::Summary;
use crate::bench::test_support::{Ideal, traffic};

fn provenance() -> Provenance {
    Provenance::now("router bench --users 20", "embedded SQLite, demo data")
}

#[tokio::test]
async fn columns_line_up_and_the_traffic_is_stated() {
    let traffic = Arc::new(traffic(Options {
        users: 20,
        requests: 2_000,
        ..Options::default()
    }));
    let done = measure(
        &Arc::new(Ideal::default()),
        &traffic,
        &ProgressBar::hidden(),
    )
    .await
    .expect("nothing fails");
    let summary = Summary::new(provenance(), &traffic, &done);
    let text = render(&summary);
    for sentence in summary.traffic.sentences() {
        assert!(text.contains(&sentence));
    }
    assert!(text.contains("  database queries"));
    assert!(text.ends_with("router bench --users 20\n"));
    let ends: Vec<usize> = text
        .lines()
        .filter(|line| line.starts_with("  hit rate") || line.contains("cache off  "))
        .map(|line| {
            let until = line.find(" %").map_or_else(
                || line.find("cache off").expect("the header") + HEADER[1].len(),
                |at| at + 2,
            );
            line[..until].chars().count()
        })
        .collect();
    assert_eq!(ends.len(), 3, "{text}");
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}\n{text}");
}

#[test]
fn a_run_without_records_is_still_a_table() {
    let summary = Summary::new(provenance(), &traffic(Options::default()), &Run::default());
    assert!(render(&summary).contains("–"));
    assert!(rows(&summary).iter().all(|row| !row[0].is_empty()));
}
