//! Which parameters the queries and the HTTP request of an intent may use.

use super::document::At;
use crate::catalogue::sql::{BUILT_IN_PARAMETERS, MESSAGE_PARAMETERS};
use crate::catalogue::{KeyMode, Kind};

/// What an intent says of its parameters. A kind or key that is wrong is `None`.
pub(super) struct AllowedParameters<'p> {
    pub(super) kind: Option<Kind>,
    pub(super) key: Option<KeyMode>,
    pub(super) slots: &'p [At<&'p str>],
}

/// Where a parameter is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// In a query, as `:name`.
    Sql,
    /// In a template of a request, as `{name}`.
    Template,
}

impl Language {
    fn written(self, parameter: &str) -> String {
        match self {
            Self::Sql => format!(":{parameter}"),
            Self::Template => format!("{{{parameter}}}"),
        }
    }

    /// The parameters that do not depend on the intent's slots. The `terms` are an
    /// expression of a database's full-text search.
    fn built_in(self) -> impl Iterator<Item = &'static str> {
        let all = BUILT_IN_PARAMETERS.into_iter();
        all.filter(move |name| self == Self::Sql || *name != "terms")
    }
}

impl AllowedParameters<'_> {
    /// Why the intent must not use the parameter; `None` if it may.
    pub(super) fn refusal(&self, parameter: &str, language: Language) -> Option<String> {
        let written = language.written(parameter);
        let is_slot = self.slots.iter().any(|slot| slot.value == parameter);
        if !is_slot && !language.built_in().any(|name| name == parameter) {
            let known: Vec<_> = language.built_in().map(|n| language.written(n)).collect();
            return Some(format!(
                "unknown parameter {written}; use a slot of this intent or one of {}",
                known.join(", ")
            ));
        }
        if self.kind == Some(Kind::KnowledgeBase) && matches!(parameter, "user_id" | "user_role") {
            return Some(format!(
                "answers of kind knowledge_base are shared by all users, so its queries cannot use {written}"
            ));
        }
        if self.key == Some(KeyMode::Slots) && MESSAGE_PARAMETERS.contains(&parameter) {
            return Some(format!(
                "with key = \"slots\" the answer depends only on the slots, so its queries cannot use {written}"
            ));
        }
        None
    }
}
