//! The accuracy of a model on held-out examples.

/// Figures of a model on held-out examples.
///
/// They are measured on models trained on parts of the examples, so they are
/// slightly worse than those of the final model, which is trained on all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeldOut {
    /// How many examples of an intent were held out.
    pub in_scope: u32,
    /// How many messages out of scope were held out: examples labelled so or,
    /// without any, examples of intents left out of training; and synthetic ones.
    pub out_of_scope: u32,
    /// The share of the examples in scope whose best intent is the right one.
    pub accuracy: f64,
    /// The accuracy with abstention: the share that is answered and right.
    pub answered_right: f64,
    /// The share of the messages out of scope on which the model abstains;
    /// each source of such messages counts for as much as the others.
    pub out_of_scope_recall: f64,
    /// The share of wrong ones among the answered messages, in traffic of
    /// which one message in ten is out of scope.
    pub wrong_routes: f64,
    /// Expected calibration error of the confidences of the best intents, in
    /// ten bins of equal width (Guo et al. 2017).
    pub calibration_error: f64,
}
