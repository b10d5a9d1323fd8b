//! The options of a training.

use std::fmt;
use std::sync::Arc;

use intent_model::SentenceEncoder;

use crate::TrainError;

/// How a model is trained.
#[derive(Clone)]
pub struct TrainOptions {
    /// The seed of the random choices; the same seed gives the same model, byte
    /// for byte. Default: 1.
    pub seed: u64,
    /// The budget of wrong routes: the largest accepted share of wrong ones
    /// among the answered messages, in traffic of which one message in ten
    /// is out of scope. A message is wrongly routed when it is answered with
    /// another intent than its own, or although it has none. The threshold is
    /// chosen on the held-out examples: it rises until the budget is kept, and
    /// then, up to one half, as far as it costs no right answer.
    /// From 0 to 1; at 1 the model never abstains. Default: 0.025.
    pub wrong_routes: f64,
    /// What the budget may cost: the largest accepted share of the messages with
    /// an intent on which the model abstains although its best intent is right.
    /// If the budget would cost more, this limit holds and the budget does not;
    /// [`HeldOut::wrong_routes`](intent_model::HeldOut::wrong_routes) is the
    /// share that results. From 0 to 1. Default, or `None`: 0.0075 where the data
    /// has examples out of scope of its own, and 0.03 where it has none.
    pub lost_answers: Option<f64>,
    /// The share of the examples that each fold holds out; there are as many
    /// folds as it takes to hold out every example once, or 5,000 examples.
    /// From 0.1 to 0.5. Default: 0.25.
    pub held_out: f64,
    /// Whether general messages that belong to no business, in several languages,
    /// are added as examples out of scope. Those similar to an example are left
    /// out. Default: false.
    pub background: bool,
    /// A sentence encoder, whose vectors join the n-grams. Default: none.
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
    pub(crate) fn most_lost(&self, has_out_of_scope: bool) -> f64 {
        let default = if has_out_of_scope { 0.0075 } else { 0.03 };
        self.lost_answers.unwrap_or(default)
    }

    /// Checks that every option is in its range.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
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
