//! `router bench`: the same declared traffic without the cache, then with it.
//!
//! [`traffic`] plans the requests, [`run`] makes them twice and records each,
//! [`summary`] works the figures out, [`table`] and [`report`] show them. What
//! is measured is whatever implements [`run::Subject`]. Beside that, [`wordings`]
//! compares the key modes on traffic that asks the same in many wordings.

pub(crate) mod declaration;
#[cfg(test)]
mod fixtures;
pub(crate) mod format;
pub(crate) mod measure;
pub(crate) mod plot;
pub(crate) mod report;
pub(crate) mod run;
mod sampler;
pub(crate) mod subject;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod traffic;
pub(crate) mod wordings;
