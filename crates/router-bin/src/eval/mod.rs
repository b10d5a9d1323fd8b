//! `router eval`: how often a detector is right, and what it costs.
//!
//! [`judge`] asks a detector about labelled messages, [`figures`] works out
//! what came of it, [`table`] shows it.

pub(crate) mod figures;
pub(crate) mod judge;
pub(crate) mod table;
