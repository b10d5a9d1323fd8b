//! The HTML report of an evaluation: a plot of the trade-off, and the metrics.

use super::metrics::Metrics;
use super::predictions::Prediction;
use super::trade_off::{TradeOff, curve};
use crate::html::{figure, page, section};
use crate::plot::{Series, escape, shares};

/// Renders an evaluation as one self-contained page.
pub fn render(predictions: &[Prediction], metrics: &Metrics) -> String {
    let curve = curve(predictions);
    let most = curve.last().map_or(0.0, |last| last.lost_answers);
    let line = |name, class, share: fn(&TradeOff) -> Option<f64>| Series {
        name,
        class,
        values: curve.iter().filter_map(share).collect(),
    };
    let plot = shares(
        "Accuracy and out-of-scope recall over lost answers",
        "right answers given up",
        most,
        &[
            line("accuracy", "off", |at| at.accuracy),
            line("out-of-scope recall", "on", |at| at.oos_recall),
        ],
    );
    let legend = "<p class=\"legend\"><span><span class=\"key off\"></span>accuracy</span>\
         <span><span class=\"key on\"></span>out-of-scope recall</span></p>";
    let caption = "The share of messages in scope that are answered rightly, and of messages out \
         of scope that are left unanswered, if the confidence asked for rises until the share of \
         right answers below is given up.";
    let body = [
        "<h1>How often the detector is right</h1>".to_owned(),
        section("Trade-off", &format!("{legend}{}", figure(&plot, caption))),
        section(
            "All figures",
            &format!("<pre>{}</pre>", escape(&metrics.to_table())),
        ),
    ]
    .join("\n");
    page("router eval", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_plot_and_the_figures_and_escapes_names() {
        let prediction = |label: Option<&str>, confidence: f64| Prediction {
            label: label.map(str::to_owned),
            found: Some("<b>".to_owned()),
            confidence,
            best: Some(("<b>".to_owned(), confidence)),
            micros: 1.0,
        };
        let predictions = [prediction(Some("<b>"), 0.9), prediction(None, 0.2)];
        let html = render(&predictions, &Metrics::new(&predictions));
        assert_eq!(html.matches("<path class=\"curve").count(), 2);
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"));
        assert!(html.contains("lost answers  threshold"));
        assert!(!html.contains("http://") && !html.contains("https://"));
    }
}
