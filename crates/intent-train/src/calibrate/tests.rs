use super::*;

fn sample(score: f64, in_scope: bool, right: bool) -> Sample {
    let mut signals = [0.0; SIGNALS];
    signals[0] = score;
    Sample {
        signals,
        source: match in_scope {
            true => Source::InScope,
            false => Source::LabelledOutOfScope,
        },
        right,
    }
}

fn options(wrong_routes: f64, lost_answers: f64) -> TrainOptions {
    TrainOptions {
        wrong_routes,
        lost_answers: Some(lost_answers),
        ..TrainOptions::default()
    }
}

/// Messages that are the more often right the higher their score: of those with
/// score s, s in ten, for s from 0 to 9.
fn graded() -> Vec<Sample> {
    let all = (0..1_000).map(|i| sample(f64::from(i % 10), true, i / 10 % 10 < i % 10));
    all.collect()
}

#[test]
fn confidence_is_the_share_of_right_ones() {
    let (gate, report) = calibrate(&graded(), &options(1.0, 1.0), true);
    for score in 0..10 {
        let mut signals = [0.0; SIGNALS];
        signals[0] = f64::from(score);
        let share = f64::from(score) / 10.0;
        let found = gate.probability(&signals);
        // A straight line is not quite a logistic curve.
        assert!((found - share).abs() < 0.08, "{found} instead of {share}");
    }
    assert!(report.calibration_error < 0.03, "{report:?}");
    assert!((report.accuracy - 0.45).abs() < 1e-9, "{report:?}");
}

#[test]
fn the_threshold_keeps_the_budget() {
    for budget in [0.5, 0.3, 0.2, 0.15] {
        let (_, report) = calibrate(&graded(), &options(budget, 1.0), true);
        assert!(report.wrong_routes <= budget, "{report:?}");
        // A whole step of the scores lies between one threshold and the next.
        assert!(report.wrong_routes > budget - 0.07, "{report:?}");
    }
    // What nothing can keep gives everything up.
    let (_, report) = calibrate(&graded(), &options(0.0, 1.0), true);
    assert_eq!((report.answered_right, report.wrong_routes), (0.0, 0.0));
    let (gate, _) = calibrate(&graded(), &options(1.0, 1.0), true);
    assert_eq!(gate.threshold, 0.0);
}

#[test]
fn no_more_right_answers_are_lost_than_allowed() {
    for allowed in [0.0, 0.01, 0.1] {
        let (_, report) = calibrate(&graded(), &options(0.0, allowed), true);
        assert!(
            report.accuracy - report.answered_right <= allowed + 1e-9,
            "{report:?}"
        );
    }
}

/// Ten messages without an intent count for as much as a hundred.
#[test]
fn messages_without_an_intent_count_as_a_tenth_of_the_traffic() {
    let mut all: Vec<Sample> = (0..900).map(|_| sample(1.0, true, true)).collect();
    all.extend((0..10).map(|_| sample(1.0, false, false)));
    let (_, report) = calibrate(&all, &options(1.0, 1.0), true);
    assert!((report.wrong_routes - 0.1).abs() < 1e-9, "{report:?}");
}

#[test]
fn the_threshold_lies_between_the_wrong_and_the_right() {
    let mut all: Vec<Sample> = (0..90).map(|_| sample(3.0, true, true)).collect();
    all.extend((0..30).map(|_| sample(-3.0, false, false)));
    let (gate, report) = calibrate(&all, &options(0.05, 0.0), true);
    assert_eq!(
        (report.answered_right, report.out_of_scope_recall),
        (1.0, 1.0)
    );
    let middle = gate.probability(&sample(0.0, true, true).signals);
    assert!((gate.threshold - middle).abs() < 0.4, "{gate:?}");
}

#[test]
fn nothing_held_out_lets_everything_through() {
    let (gate, report) = calibrate(&[], &options(0.05, 0.01), true);
    assert!(gate.probability(&[0.0; SIGNALS]) >= gate.threshold);
    assert_eq!(report, HeldOut::default());
}
