//! Records, dates and periods that a message names.

pub(crate) mod amount;
mod calendar;
mod carried;
mod date;
pub(crate) mod enumeration;
mod guard;
pub(crate) mod pattern;
mod reading;
mod span;
mod taken;
mod takings;
mod values;

pub(crate) use carried::Carried;
pub use carried::ConversationError;
pub use date::Date;
pub use guard::Guard;
pub use reading::Reading;
pub use values::Slots;

#[cfg(test)]
mod tests;
