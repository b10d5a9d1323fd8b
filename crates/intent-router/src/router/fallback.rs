//! Answers without records.

use serde_json::{Value, json};

use crate::outcome::Bypass;

/// Why there is no answer from records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    UnknownIntent,
    OtherPerson,
    NeedsContext,
    Unidentified,
    NoSuchMember,
    AnsweredByCaller,
}

impl Fallback {
    /// The bypass of a request that gets this fallback before its context is
    /// resolved.
    pub(super) fn bypass(self) -> Bypass {
        match self {
            Self::OtherPerson => Bypass::OtherPerson,
            Self::NeedsContext => Bypass::NeedsContext,
            Self::Unidentified => Bypass::Unidentified,
            Self::AnsweredByCaller => Bypass::AnsweredByCaller,
            Self::UnknownIntent | Self::NoSuchMember => Bypass::UnknownIntent,
        }
    }

    /// The `data` of the response.
    pub(super) fn data(self) -> Value {
        let (reason, message) = match self {
            Self::UnknownIntent => (
                "unknown_intent",
                "Sorry, that was not understood. Please say it in other words, or ask for an agent.",
            ),
            Self::OtherPerson => (
                "other_person",
                "Sorry, only your own records can be shown here. Others have to ask for theirs.",
            ),
            Self::NeedsContext => (
                "needs_context",
                "Sorry, what is this about? Please ask the whole question, such as: has my claim been approved?",
            ),
            Self::Unidentified => (
                "unidentified",
                "Please sign in first: this answer is about your own records.",
            ),
            Self::AnsweredByCaller => (
                "answered_by_caller",
                "This question is not answered here. Please ask where you usually ask it.",
            ),
            Self::NoSuchMember => ("no_such_member", "There is no such member in our records."),
        };
        json!({ "reason": reason, "message": message })
    }
}
