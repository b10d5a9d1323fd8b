//! The user that a trusted proxy names in headers.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use intent_router::Diagnostic;

use super::caller::{Caller, User};
use super::check::Check;
use super::refusal::Refusal;
use crate::config::{Network, ProxySettings, Scope};

/// Reads the headers of a trusted proxy.
pub(super) struct Proxy {
    from: Vec<Network>,
    user: HeaderName,
    role: Option<HeaderName>,
    default_role: Option<String>,
}

impl Proxy {
    /// The proxy of the settings; what is wrong with them goes to `check`.
    pub(super) fn open(settings: &ProxySettings, check: &mut Check<'_>) -> Option<Self> {
        if settings.from.is_empty() {
            let error = Diagnostic::error("is empty, so no proxy is trusted")
                .with_remedy("name the addresses of the proxy, such as [\"127.0.0.1\"]");
            check.found("auth.trusted_proxy.from", error);
        }
        let role = settings.role_header.as_ref().map(|header| header.name());
        let Some(user) = &settings.user_header else {
            let error = Diagnostic::error("is missing")
                .with_remedy("name the header in which the proxy puts the user's identifier");
            check.found("auth.trusted_proxy.user_header", error);
            return None;
        };
        if role == Some(user.name()) {
            let error = Diagnostic::error("is the header of the user's identifier")
                .with_remedy("name another, or remove it");
            check.found("auth.trusted_proxy.role_header", error);
        }
        Some(Self {
            from: settings.from.clone(),
            user: user.name().clone(),
            role: role.cloned(),
            default_role: settings.default_role.clone(),
        })
    }

    /// The caller whom the headers name; `None` without any.
    ///
    /// # Errors
    /// The headers come from another peer than the proxy, or cannot be read.
    pub(super) fn caller(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Option<Caller>, Refusal> {
        let names = [Some(&self.user), self.role.as_ref()];
        let mut names = names.into_iter().flatten();
        let is_given = names.any(|name| headers.contains_key(name));
        if is_given && !self.from.iter().any(|network| network.contains(peer)) {
            return Err(Refusal::NotTheProxy(peer.to_canonical()));
        }
        let role = match &self.role {
            Some(name) => single(headers, name)?,
            None => None,
        };
        let Some(user) = single(headers, &self.user)? else {
            return Ok(None);
        };
        let role = role.or(self.default_role.as_deref());
        if let (None, Some(name)) = (role, &self.role) {
            let detail = format!("the proxy gave no header `{name}`");
            return Err(Refusal::Invalid(detail));
        }
        let scopes = [Scope::Ask].into_iter().collect();
        let user = User::new(user, role);
        Ok(Some(Caller::new("proxy".into(), scopes, Some(user))))
    }
}

/// The value of a header that is given at most once. An empty one counts as absent: so
/// proxies name nobody.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        let detail = format!("there is more than one header `{name}`");
        return Err(Refusal::Unreadable(detail));
    }
    let text = std::str::from_utf8(value.as_bytes())
        .map_err(|_| Refusal::Unreadable(format!("the header `{name}` is not UTF-8")))?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "x-user";
    const ROLE: &str = "x-role";

    fn proxy() -> Proxy {
        let network = serde_json::from_str("\"10.0.0.0/8\"").expect("a network");
        Proxy {
            from: vec![network],
            user: HeaderName::from_static(USER),
            role: Some(HeaderName::from_static(ROLE)),
            default_role: None,
        }
    }

    fn caller(
        proxy: &Proxy,
        headers: &[(&'static str, &'static [u8])],
        peer: &str,
    ) -> Result<Option<Caller>, Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                *name,
                http::HeaderValue::from_bytes(value).expect("a value"),
            );
        }
        proxy.caller(&map, peer.parse().expect("an address"))
    }

    fn named(id: &str, role: &str) -> Option<Caller> {
        let scopes = [Scope::Ask].into_iter().collect();
        Some(Caller::new(
            "proxy".into(),
            scopes,
            Some(User::new(id, Some(role))),
        ))
    }

    #[test]
    fn the_proxy_names_the_user_and_nobody_else_does() {
        let headers: &[(_, &[u8])] = &[(USER, b" anna "), (ROLE, "r\u{f4}le".as_bytes())];
        for peer in ["10.1.2.3", "::ffff:10.1.2.3"] {
            assert_eq!(
                caller(&proxy(), headers, peer),
                Ok(named("anna", "r\u{f4}le"))
            );
        }
        for peer in ["11.1.2.3", "127.0.0.1", "::1"] {
            for given in [headers, &headers[..1], &headers[1..]] {
                let refused = caller(&proxy(), given, peer);
                assert!(matches!(refused, Err(Refusal::NotTheProxy(_))), "{peer}");
            }
            assert_eq!(caller(&proxy(), &[], peer), Ok(None));
        }
    }

    #[test]
    fn headers_that_are_doubled_or_unreadable_are_refused() {
        for headers in [
            &[(USER, &b"anna"[..]), (USER, b"anna"), (ROLE, b"member")],
            &[(USER, b"anna"), (ROLE, b"member"), (ROLE, b"admin")],
            &[(USER, b"ann\xff"), (ROLE, b"member"), ("other", b"")],
        ] {
            let refused = caller(&proxy(), headers, "10.1.2.3");
            assert!(
                matches!(refused, Err(Refusal::Unreadable(_))),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn a_user_without_the_role_that_is_expected_is_refused() {
        let headers: &[(_, &[u8])] = &[(USER, b"anna")];
        let refused = caller(&proxy(), headers, "10.1.2.3");
        assert!(matches!(refused, Err(Refusal::Invalid(_))));
        let mut lenient = proxy();
        lenient.default_role = Some("member".to_owned());
        assert_eq!(
            caller(&lenient, headers, "10.1.2.3"),
            Ok(named("anna", "member"))
        );
    }

    #[test]
    fn a_header_without_a_value_names_nobody() {
        let headers: &[(_, &[u8])] = &[(USER, b""), (ROLE, b"member")];
        assert_eq!(caller(&proxy(), headers, "10.1.2.3"), Ok(None));
    }
}
