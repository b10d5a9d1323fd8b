//! `router eval`: how often a detector is right, and what it costs.
//!
//! [`judge`] asks a detector about labelled messages, [`figures`] works out
//! what came of it, [`tradeoff`] what another threshold would bring; [`table`]
//! and [`report`] show it.

pub(crate) mod figures;
pub(crate) mod judge;
pub(crate) mod report;
pub(crate) mod table;
pub(crate) mod tradeoff;
