//! Detection: which intent a message has.

mod combine;
mod detector;
mod keyword;
mod linear;
mod spelling;

pub use combine::CombinedDetector;
pub use detector::Detector;
pub use intent_model::{Detection, Evidence};
pub use keyword::KeywordDetector;
pub use linear::LinearDetector;
