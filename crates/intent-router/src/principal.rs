//! Who asks: an identified user in a role, or everybody.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cache_keys::{CanonicalJson, Field, JsonError, KeyError};
use once_cell::sync::Lazy;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What a request says of its user and their conversation. Other members of the
/// context are ignored.
///
/// An absent member and a present `null` are different things: the first
/// counts as `"guest"` in the key, the second stays `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(expecting = "user_context must be an object such as {\"user_id\": \"BEN-000001\"}")]
pub struct UserContext {
    /// The user's identifier: any JSON value.
    #[serde(default, deserialize_with = "user_id")]
    pub user_id: Option<CanonicalJson>,
    /// The user's role: any JSON value.
    #[serde(default, deserialize_with = "user_role")]
    pub user_role: Option<CanonicalJson>,
    /// What the conversation was about before this message; `null` is none.
    #[serde(default, deserialize_with = "conversation")]
    pub conversation: Option<Conversation>,
}

/// What the previous message was about, so that a message such as "and for last
/// month?" can be understood.
///
/// Used only for messages that do not say what they are about. Slots that the
/// message names replace those of the same name here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// The intent of the previous message, as its answer named it.
    pub intent: String,
    /// Slots of the previous message, by their names in the catalogue. A value is
    /// any text in which the slot is found.
    #[serde(default)]
    pub slots: BTreeMap<String, String>,
}

fn user_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<CanonicalJson>, D::Error> {
    present(from, KeyError::UserId)
}

fn user_role<'de, D: Deserializer<'de>>(from: D) -> Result<Option<CanonicalJson>, D::Error> {
    present(from, KeyError::UserRole)
}

fn conversation<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Conversation>, D::Error> {
    let text = Box::<RawValue>::deserialize(from)?;
    // Serde would take an array of the members' values as well.
    let read = match text.get() {
        "null" => Ok(None),
        object if object.starts_with('{') => serde_json::from_str(object)
            .map(Some)
            .map_err(|error| error.to_string()),
        _ => Err("it is not an object".to_owned()),
    };
    read.map_err(|error| {
        D::Error::custom(format_args!(
            "user_context.conversation must be an object such as {{\"intent\": \
             \"payment_history\", \"slots\": {{\"period\": \"2025-03\"}}}}: {error}"
        ))
    })
}

/// Reads a member that is present, `null` included; an error names the member.
fn present<'de, D: Deserializer<'de>>(
    from: D,
    named: fn(JsonError) -> KeyError,
) -> Result<Option<CanonicalJson>, D::Error> {
    let text = Box::<RawValue>::deserialize(from)?;
    match CanonicalJson::parse(text.get()) {
        Ok(json) => Ok(Some(json)),
        Err(error) => Err(D::Error::custom(named(error))),
    }
}

impl UserContext {
    /// A user with a textual identifier and role.
    pub fn new(user_id: &str, user_role: &str) -> Self {
        Self {
            user_id: Some(CanonicalJson::string(user_id)),
            user_role: Some(CanonicalJson::string(user_role)),
            conversation: None,
        }
    }

    /// A context without a user.
    pub fn guest() -> Self {
        Self::default()
    }
}

/// The value of a role or an identifier that the context lacks.
const GUEST: &str = "guest";

static GUEST_ROLE: Lazy<CanonicalJson> = Lazy::new(|| CanonicalJson::string(GUEST));

/// Converts a member of the context for the key scheme.
pub(crate) fn field(value: Option<&CanonicalJson>) -> Field<'_> {
    value.map_or(Field::Absent, Field::Canonical)
}

/// An identified user in a role.
///
/// It is never built from a `user_id` that is false in Python, so a request with
/// a principal may use the cache.
///
/// ```
/// use intent_router::{Principal, UserContext};
///
/// assert!(Principal::identify(&UserContext::guest()).is_none());
/// assert!(Principal::identify(&UserContext::new("", "beneficiary")).is_none());
/// let who = Principal::identify(&UserContext::new("BEN-000001", "beneficiary"));
/// assert_eq!(who.map(|p| p.id_text().into_owned()).as_deref(), Some("BEN-000001"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    user_id: CanonicalJson,
    role: CanonicalJson,
}

impl Principal {
    /// The principal of a context; `None` when its `user_id` is absent or false
    /// in Python (`null`, `false`, `0`, `""`, `[]`, `{}`).
    pub fn identify(context: &UserContext) -> Option<Self> {
        let user_id = context.user_id.as_ref().filter(|id| id.is_truthy())?;
        Some(Self {
            user_id: user_id.clone(),
            role: context
                .user_role
                .clone()
                .unwrap_or_else(|| GUEST_ROLE.clone()),
        })
    }

    /// The identifier as it is in the key.
    pub fn user_id(&self) -> &CanonicalJson {
        &self.user_id
    }

    /// The role as it is in the key: `"guest"` when the context has none.
    pub fn role(&self) -> &CanonicalJson {
        &self.role
    }

    /// The identifier as plain text, for query parameters and for people.
    pub fn id_text(&self) -> Cow<'_, str> {
        self.user_id.text()
    }

    /// The role as plain text; `guest` when absent.
    pub fn role_text(&self) -> Cow<'_, str> {
        self.role.text()
    }
}

/// The owner of an entry. It is part of the entry's identity, so one owner's answer
/// is never found for another, even if the digests are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// An answer that is the same for everybody (knowledge base).
    Everyone,
    /// One person in one role.
    Person(Principal),
}

impl Owner {
    /// The owner's identifier for people: the user's, or `guest`.
    pub fn id_text(&self) -> Cow<'_, str> {
        match self {
            Self::Everyone => Cow::Borrowed(GUEST),
            Self::Person(who) => who.id_text(),
        }
    }

    /// The owner's role for people; `guest` for everyone.
    pub fn role_text(&self) -> Cow<'_, str> {
        match self {
            Self::Everyone => Cow::Borrowed(GUEST),
            Self::Person(who) => who.role_text(),
        }
    }
}
