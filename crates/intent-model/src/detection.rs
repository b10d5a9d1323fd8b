//! The result of detection, and the evidence for it.

/// The intent of a message, as a detector found it.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The intent's name, or [`Detection::UNKNOWN`].
    pub intent: String,
    /// From 0 (no idea) to 1 (certain).
    pub confidence: f64,
}

impl Detection {
    /// The name of "none of the intents".
    pub const UNKNOWN: &'static str = "unknown";

    /// The detection of a message without a known intent.
    pub fn unknown() -> Self {
        Self {
            intent: Self::UNKNOWN.to_owned(),
            confidence: 0.0,
        }
    }
}

/// A feature of a message that counted for or against an intent.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The intent that the feature counts for, or against if the weight is
    /// negative; [`Detection::UNKNOWN`] if it counts for none.
    pub intent: String,
    /// The feature, for a person to read: `phrase "claim status"`,
    /// `chars "_clai"`.
    pub feature: String,
    /// How much it counts, in the detector's own unit.
    pub weight: f64,
}
