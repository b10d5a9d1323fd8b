//! The progress of a training.

/// A stage of [`train`](crate::train).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Encoding the examples as sentence vectors.
    Encode,
    /// Training the network that reads the sentence vectors.
    Network,
    /// Training on parts of the examples, to calibrate on the rest.
    Calibrate,
    /// Training on all examples.
    Train,
}

/// The progress of [`train`](crate::train).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// How much of the stage is done; starts at 0 and ends with `total`.
    pub done: usize,
    /// How much there is to do; above 0.
    pub total: usize,
}

impl Progress {
    pub(crate) fn new(stage: Stage, done: usize, total: usize) -> Self {
        Self { stage, done, total }
    }
}
