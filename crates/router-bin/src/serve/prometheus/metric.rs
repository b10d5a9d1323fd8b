//! A counter or a gauge of one scrape.

/// One metric: name, help, and a value for each set of labels.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) values: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// A metric of one value, without labels.
pub(super) fn plain(name: &'static str, help: &'static str, value: f64) -> Metric {
    Metric {
        name,
        help,
        values: vec![(Vec::new(), value)],
    }
}

/// The values of a metric with the label `result`.
pub(super) fn by_result(
    results: impl IntoIterator<Item = (&'static str, u64)>,
) -> Vec<(Vec<(&'static str, String)>, f64)> {
    results
        .into_iter()
        .map(|(result, count)| (vec![("result", result.to_owned())], count as f64))
        .collect()
}

/// The type of the labels of exemplars; there are no exemplars.
pub(super) type NoLabels = [(&'static str, &'static str); 0];
