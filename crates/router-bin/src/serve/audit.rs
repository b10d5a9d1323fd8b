//! The audit log: one entry for each administrative act.

mod file;

use std::time::{Duration, SystemTime};

use serde::Serialize;

use self::file::AuditFile;
use super::problem::Problem;
use super::request_id::RequestId;
use crate::config::AuditLog;
use crate::exit::Failure;

/// The outcome of an act that succeeded. Otherwise it is the problem's code.
const DONE: &str = "done";

/// The outcome of an act whose end its handler did not see.
const UNFINISHED: &str = "unfinished";

/// An administrative act.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Act<'a> {
    /// Who acts: the name of the caller, or what made the service act by itself.
    pub(crate) actor: &'a str,
    /// What is done: `invalidate`, `caching`, `reload` or `erase`.
    pub(crate) act: &'static str,
    /// What it is done to, shortened and without identifiers of people.
    pub(crate) selector: &'a str,
    /// How many entries it removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<usize>,
    /// [`DONE`], [`UNFINISHED`], or the code of the problem.
    pub(crate) outcome: &'static str,
}

/// Records an act when it is dropped. A handler is dropped before its end if the
/// client leaves or the time is up; the act goes on, and is recorded as unfinished.
pub(crate) struct Recorded<'a> {
    audit: &'a Audit,
    actor: &'a str,
    act: &'static str,
    selector: String,
    count: Option<usize>,
    outcome: &'static str,
}

impl<'a> Recorded<'a> {
    /// An act of `actor` that begins.
    pub(crate) fn new(
        audit: &'a Audit,
        actor: &'a str,
        act: &'static str,
        selector: String,
    ) -> Self {
        Self {
            audit,
            actor,
            act,
            selector,
            count: None,
            outcome: UNFINISHED,
        }
    }

    /// Sets what the act is done to, if that was not known when it began.
    pub(crate) fn shows(&mut self, selector: String) {
        self.selector = selector;
    }

    /// Sets how the act ended, and how many entries it removed.
    pub(crate) fn end<T>(&mut self, outcome: &Result<T, Problem>, count: Option<usize>) {
        self.count = count;
        self.outcome = outcome.as_ref().map_or_else(Problem::code, |_| DONE);
    }
}

impl Drop for Recorded<'_> {
    fn drop(&mut self) {
        self.audit.record(&Act {
            actor: self.actor,
            act: self.act,
            selector: &self.selector,
            count: self.count,
            outcome: self.outcome,
        });
    }
}

/// An act with its time and request, as it is written.
#[derive(Serialize)]
struct Entry<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(flatten)]
    act: &'a Act<'a>,
}

/// Where entries go. Recording one never blocks.
#[derive(Clone)]
pub(crate) enum Audit {
    /// The log, with the target `audit`.
    Log,
    /// A file of JSON lines.
    File(AuditFile),
}

impl Audit {
    /// Opens the file, if one is configured.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn open(audit: &AuditLog) -> Result<Self, Failure> {
        match &audit.file {
            Some(file) => AuditFile::open(file.clone()).map(Self::File),
            None => Ok(Self::Log),
        }
    }

    /// Records an act of the current request.
    pub(crate) fn record(&self, act: &Act<'_>) {
        match self {
            Self::Log => {
                let Act {
                    actor,
                    act,
                    selector,
                    count,
                    outcome,
                } = act;
                // The request's span has its identifier.
                tracing::info!(target: "audit", actor, act, selector, count, outcome);
            }
            Self::File(file) => {
                let request_id = RequestId::current();
                let entry = Entry {
                    time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
                    request_id: request_id.as_ref().map(RequestId::as_str),
                    act,
                };
                // Strings and numbers always serialise.
                file.append(serde_json::to_string(&entry).unwrap_or_default() + "\n");
            }
        }
    }

    /// Opens the file again by its name, after it was moved away.
    pub(crate) fn reopen(&self) {
        if let Self::File(file) = self {
            file.reopen();
        }
    }

    /// Waits until the entries so far are written, at most for `time`.
    pub(crate) fn flush(&self, time: Duration) {
        if let Self::File(file) = self {
            file.flush(time);
        }
    }

    /// The number of entries that could not be written.
    pub(crate) fn failures(&self) -> u64 {
        match self {
            Self::Log => 0,
            Self::File(file) => file.failures(),
        }
    }
}
