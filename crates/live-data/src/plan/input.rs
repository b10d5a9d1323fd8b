//! The values that the parameters of queries are bound to.

use std::collections::BTreeSet;

use intent_router::{Ask, Principal};

/// The values of a plan's inputs for one question.
pub(crate) type Values = Vec<Option<String>>;

/// The value that a query parameter is bound to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Input {
    UserId,
    UserRole,
    Message,
    Terms,
    Doubtful,
    Today,
    Slot(String),
}

impl Input {
    /// The input of a parameter such as `:user_id`; `None` unless the name is one of
    /// the `allowed`.
    pub(super) fn of(parameter: &str, allowed: &BTreeSet<&str>) -> Option<Self> {
        let name = parameter.strip_prefix(':')?;
        allowed.contains(name).then(|| match name {
            "user_id" => Self::UserId,
            "user_role" => Self::UserRole,
            "message" => Self::Message,
            "terms" => Self::Terms,
            "doubtful" => Self::Doubtful,
            "today" => Self::Today,
            slot => Self::Slot(slot.to_owned()),
        })
    }

    /// The value in a question; `terms` writes words as a full-text query.
    pub(super) fn value(&self, ask: &Ask<'_>, terms: fn(&str) -> String) -> Option<String> {
        match self {
            Self::UserId => ask.principal.map(|who| who.id_text().into_owned()),
            Self::UserRole => ask.principal.map(|who| who.role_text().into_owned()),
            Self::Message => Some(ask.message.to_owned()),
            Self::Terms => Some(terms(ask.message)),
            // Text, or nothing where the message is plain.
            Self::Doubtful => ask.doubtful.then(|| "yes".to_owned()),
            Self::Today => ask.today.map(|day| day.to_string()),
            Self::Slot(name) => ask.slots.get(name).map(str::to_owned),
        }
    }

    /// The value in a look-up of a member.
    pub(super) fn member_value(&self, who: &Principal) -> Option<String> {
        match self {
            Self::UserId => Some(who.id_text().into_owned()),
            Self::UserRole => Some(who.role_text().into_owned()),
            // Others are not allowed in the look-up.
            Self::Message | Self::Terms | Self::Doubtful | Self::Today | Self::Slot(_) => None,
        }
    }
}
