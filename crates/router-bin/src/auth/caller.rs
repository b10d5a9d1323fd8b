//! Who calls, and the only way from what a body says of its user to the user that a
//! request is made for.

use std::sync::Arc;

use cache_keys::CanonicalJson;
use intent_router::UserContext;
use serde::{Deserialize, Deserializer};

use super::refusal::Refusal;
use super::scopes::Scopes;
use crate::config::Scope;

/// The user that a body names: a claim that no credential has confirmed.
///
/// [`Caller::user`] is the only way to make a request's user of it.
#[derive(Debug)]
pub(crate) struct ClaimedUser(UserContext);

impl ClaimedUser {
    /// A body that names nobody.
    pub(crate) fn nobody() -> Self {
        Self(UserContext::default())
    }
}

impl<'de> Deserialize<'de> for ClaimedUser {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        UserContext::deserialize(from).map(Self)
    }
}

/// The user of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    id: CanonicalJson,
    role: Option<CanonicalJson>,
}

impl User {
    /// A user with this identifier and role. Without a role they ask as a guest does,
    /// whose role counts as `guest`.
    pub(super) fn new(id: &str, role: Option<&str>) -> Self {
        Self {
            id: CanonicalJson::string(id),
            role: role.map(CanonicalJson::string),
        }
    }
}

/// Who calls: what they may do, and the user as whom they ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    name: Arc<str>,
    scopes: Scopes,
    user: Option<User>,
}

impl Caller {
    pub(super) fn new(name: Arc<str>, scopes: Scopes, user: Option<User>) -> Self {
        Self { name, scopes, user }
    }

    /// The caller of a service that identifies nobody.
    pub(super) fn anonymous() -> Self {
        Self::new("anonymous".into(), Scopes::all(), None)
    }

    /// A caller of that name who may do nothing.
    #[cfg(test)]
    pub(crate) fn for_test(name: &str) -> Self {
        Self::new(name.into(), Scopes::default(), None)
    }

    /// The name for logs: that of the token, or the way in which the user was
    /// identified. It never holds the user's identifier.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether both are one caller: the same bearer, as the same user.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.user == other.user
    }

    /// What the caller may do.
    pub(crate) fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// Checks that the caller may do what needs `scope`.
    pub(crate) fn needs(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.allow(scope) {
            Ok(())
        } else {
            Err(Refusal::NoScope(scope))
        }
    }

    /// The user for whom this caller's request is answered: that of the credential,
    /// whom the body may name too. Only the scope `ask-for-anyone` lets it name another.
    ///
    /// Names are equal as they are in the cache's keys: `42` and `"42"` differ, and an
    /// absent role is `"guest"`.
    pub(crate) fn user(&self, claimed: ClaimedUser) -> Result<UserContext, Refusal> {
        let claimed = claimed.0;
        let for_anyone = self.scopes.allow(Scope::AskForAnyone);
        let Some(user) = &self.user else {
            let names_nobody = claimed.user_id.is_none() && claimed.user_role.is_none();
            return match names_nobody || for_anyone {
                true => Ok(claimed),
                false => Err(Refusal::AnotherUser),
            };
        };
        let guest = CanonicalJson::string("guest");
        let role = user.role.as_ref().unwrap_or(&guest);
        let names_another = claimed.user_id.as_ref().is_some_and(|id| *id != user.id)
            || claimed.user_role.as_ref().is_some_and(|r| r != role);
        match (names_another, for_anyone) {
            (true, true) => Ok(claimed),
            (true, false) => Err(Refusal::AnotherUser),
            (false, _) => Ok(UserContext {
                user_id: Some(user.id.clone()),
                user_role: user.role.clone(),
                conversation: claimed.conversation,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(json: &str) -> ClaimedUser {
        serde_json::from_str(json).expect("a user")
    }

    fn caller(scopes: &[Scope], user: Option<(&str, Option<&str>)>) -> Caller {
        let user = user.map(|(id, role)| User::new(id, role));
        Caller::new("test".into(), scopes.iter().copied().collect(), user)
    }

    /// The identifier and the role of the user that `body` is answered for.
    fn asked(caller: &Caller, body: &str) -> Option<[Option<String>; 2]> {
        let user = caller.user(claimed(body)).ok()?;
        let text = |json: Option<CanonicalJson>| json.map(|json| json.as_str().to_owned());
        Some([text(user.user_id), text(user.user_role)])
    }

    fn named(id: &str, role: Option<&str>) -> Option<[Option<String>; 2]> {
        Some([Some(id.to_owned()), role.map(str::to_owned)])
    }

    #[test]
    fn the_credential_decides_who_asks() {
        let member = caller(&[Scope::Ask], Some(("42", Some("member"))));
        let themselves = named("\"42\"", Some("\"member\""));
        for same in [
            "{}",
            r#"{"user_id": "42"}"#,
            r#"{"user_role": "member"}"#,
            r#"{"user_id": "\u0034\u0032", "user_role": "member"}"#,
        ] {
            assert_eq!(asked(&member, same), themselves, "{same}");
        }
        for other in [
            r#"{"user_id": 42}"#,
            r#"{"user_id": null}"#,
            r#"{"user_id": ""}"#,
            r#"{"user_id": ["42"]}"#,
            r#"{"user_id": "43", "user_role": "member"}"#,
            r#"{"user_id": "42", "user_role": "guest"}"#,
            r#"{"user_id": "42", "user_role": null}"#,
            r#"{"user_role": "admin"}"#,
        ] {
            assert_eq!(asked(&member, other), None, "{other}");
        }
    }

    #[test]
    fn a_user_without_a_role_is_a_guest_by_role() {
        let user = caller(&[Scope::Ask], Some(("42", None)));
        for same in ["{}", r#"{"user_role": "guest"}"#, r#"{"user_id": "42"}"#] {
            assert_eq!(asked(&user, same), named("\"42\"", None), "{same}");
        }
        assert_eq!(asked(&user, r#"{"user_role": null}"#), None);
        assert_eq!(asked(&user, r#"{"user_role": "member"}"#), None);
    }

    #[test]
    fn a_credential_without_a_user_asks_as_nobody() {
        let guest = caller(&[Scope::Ask], None);
        assert_eq!(asked(&guest, "{}"), Some([None, None]));
        assert_eq!(asked(&guest, r#"{"user_id": "42"}"#), None);
        assert_eq!(asked(&guest, r#"{"user_id": null}"#), None);
        assert_eq!(asked(&guest, r#"{"user_role": "member"}"#), None);
    }

    #[test]
    fn a_credential_for_anyone_takes_both_names_of_the_body_or_none() {
        let assistant = caller(&[Scope::AskForAnyone], Some(("42", Some("member"))));
        let other = r#"{"user_id": "43"}"#;
        assert_eq!(asked(&assistant, other), named("\"43\"", None));
        let own = named("\"42\"", Some("\"member\""));
        assert_eq!(asked(&assistant, "{}"), own);
        let assistant = caller(&[Scope::AskForAnyone], None);
        assert_eq!(asked(&assistant, other), named("\"43\"", None));
        let odd = r#"{"user_id": null, "user_role": "guest"}"#;
        assert_eq!(asked(&assistant, odd), named("null", Some("\"guest\"")));
    }

    #[test]
    fn the_conversation_stays() {
        let body = r#"{"conversation": {"intent": "payment_history"}}"#;
        for user in [None, Some(("42", None))] {
            let user = caller(&[Scope::Ask], user).user(claimed(body));
            let conversation = user.expect("a user").conversation;
            assert_eq!(conversation.expect("kept").intent, "payment_history");
        }
    }
}
