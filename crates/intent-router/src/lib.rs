//! From a message to an answer: intents as data, detection, slots and keys.

pub mod catalogue;
pub mod detect;
pub mod slots;
pub mod text;
