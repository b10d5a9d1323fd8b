//! How right a model was about what it had not been trained on.

/// Figures of the held-out examples: what to expect of a model.
///
/// They are taken from models trained on a part of the examples each, and so
/// are a little worse than the model that is trained on all of them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct HeldOut {
    /// How many examples of an intent were held out.
    pub in_scope: u32,
    /// How many messages that belong to no intent: examples labelled so, or,
    /// without any, examples of an intent that was left out of training; and
    /// messages made strange by replacing their telling words.
    pub out_of_scope: u32,
    /// The share of examples of an intent whose best intent is the right one.
    pub accuracy: f64,
    /// The same with abstention: those that are answered and right.
    pub answered_right: f64,
    /// The share of the messages that belong to no intent that it abstains on;
    /// each kind of them counts for as much as the others.
    pub out_of_scope_recall: f64,
    /// The share of wrong ones among the answered, as
    /// [`TrainOptions::wrong_routes`](crate::TrainOptions::wrong_routes) counts.
    pub wrong_routes: f64,
    /// Expected calibration error of the confidences of the best intents, in
    /// ten bins of the same width (Guo et al. 2017).
    pub calibration_error: f64,
}
