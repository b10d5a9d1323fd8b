//! What can be chosen about a training.

use std::fmt;
use std::sync::Arc;

use super::TrainError;
use crate::detect::SentenceEncoder;

/// How a model is trained.
#[derive(Clone)]
pub struct TrainOptions {
    /// Where the order of the examples is drawn from; the same seed gives the
    /// same model, byte for byte. Default: 1.
    pub seed: u64,
    /// The budget of wrong routes: the largest accepted share of wrong ones
    /// among the answered messages, in traffic of which one message in ten
    /// belongs to no intent. A message is wrongly routed when it is answered
    /// with another intent than its own, or though it has none. The threshold
    /// is chosen on the held-out examples: the least confident are given up
    /// until the budget is kept, and then, up to a confidence of one half,
    /// those that cost no right answer.
    /// From 0 to 1; at 1 the model never abstains. Default: 0.025.
    pub wrong_routes: f64,
    /// What the budget may cost: the largest accepted share of the messages
    /// with an intent that would have been answered rightly, and on which the
    /// model abstains all the same. Where the budget would cost more, this
    /// limit holds and the budget does not, as
    /// [`HeldOut::wrong_routes`](crate::HeldOut::wrong_routes) then says. From
    /// 0 to 1. Default, or `None`: 0.0075 where the data has examples out of
    /// scope of its own, and 0.03 where it has none.
    pub lost_answers: Option<f64>,
    /// The share of the examples that each of the models for calibration is
    /// not trained on; there are as many of them as it takes to hold every
    /// example out once, or 5,000 examples. From 0.1 to 0.5. Default: 0.25.
    pub held_out: f64,
    /// Whether general messages that belong to no business, in several languages,
    /// are added as examples out of scope. Those near an example are left out.
    /// Default: false; `router train` and the built-in model use them.
    pub background: bool,
    /// A sentence model, what its vectors say of the intents joins what the
    /// n-grams do. Default: none.
    pub encoder: Option<Arc<dyn SentenceEncoder>>,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            wrong_routes: 0.025,
            lost_answers: None,
            held_out: 0.25,
            background: false,
            encoder: None,
        }
    }
}

impl fmt::Debug for TrainOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrainOptions")
            .field("seed", &self.seed)
            .field("wrong_routes", &self.wrong_routes)
            .field("lost_answers", &self.lost_answers)
            .field("held_out", &self.held_out)
            .field("background", &self.background)
            .field(
                "encoder",
                &self.encoder.as_ref().map(|encoder| encoder.id()),
            )
            .finish()
    }
}

impl TrainOptions {
    /// The largest accepted share of right answers lost, with or without
    /// examples out of scope.
    pub(super) fn most_lost(&self, has_out_of_scope: bool) -> f64 {
        let default = if has_out_of_scope { 0.0075 } else { 0.03 };
        self.lost_answers.unwrap_or(default)
    }

    /// Finds an option that is out of its range.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        for (option, value, least, most) in [
            ("wrong_routes", self.wrong_routes, 0.0, 1.0),
            ("lost_answers", self.lost_answers.unwrap_or(0.0), 0.0, 1.0),
            ("held_out", self.held_out, 0.1, 0.5),
        ] {
            if !(least..=most).contains(&value) {
                return Err(TrainError::Option {
                    option,
                    value,
                    least,
                    most,
                });
            }
        }
        Ok(())
    }
}
