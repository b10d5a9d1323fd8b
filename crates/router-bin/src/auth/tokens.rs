//! The bearer tokens of the configuration.

use std::collections::BTreeSet;
use std::path::Path;

use intent_router::Diagnostic;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::caller::{Caller, User};
use super::check::Check;
use super::secret::Place;
use crate::config::{Scope, TokenSettings};

/// The least and the most characters of a token. 32 hexadecimal digits are 128 bits,
/// which nobody guesses.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=1024;

/// The SHA-256 of a secret. Secrets are compared by it: the time that a comparison
/// takes tells nothing of the secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SecretDigest([u8; 32]);

impl SecretDigest {
    pub(super) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }
}

/// The tokens and their bearers.
#[derive(Default)]
pub(super) struct Tokens(Vec<(SecretDigest, Caller)>);

impl Tokens {
    /// The tokens of the settings; what is wrong with them goes to `check`.
    pub(super) fn open(settings: &[TokenSettings], check: &mut Check<'_>) -> Self {
        let mut tokens = Self::default();
        let mut names = BTreeSet::new();
        for (index, token) in settings.iter().enumerate() {
            let path = format!("auth.tokens[{index}]");
            if !names.insert(&token.name) {
                let error =
                    Diagnostic::error(format!("another token is named `{}` too", token.name))
                        .with_remedy("give each its own name, which logs show");
                check.found(&format!("{path}.name"), error);
            }
            check_settings(&path, token, check);
            let file = token.file.as_deref();
            if let Some(digest) = check.take(&path, digest(file, token.env.as_deref())) {
                if tokens.0.iter().any(|(other, _)| *other == digest) {
                    let error = Diagnostic::error("another entry has the same token")
                        .with_remedy("make a token for each");
                    check.found(&path, error);
                }
                tokens.0.push((digest, bearer(token)));
            }
        }
        tokens
    }

    /// The bearer of a token. Every token is compared, so that the time tells neither
    /// which it is nor how much of it is right.
    pub(super) fn bearer(&self, token: &str) -> Option<&Caller> {
        let given = SecretDigest::of(token);
        let mut found = None;
        for (digest, caller) in &self.0 {
            if bool::from(digest.0.ct_eq(&given.0)) {
                found = Some(caller);
            }
        }
        found
    }
}

fn check_settings(path: &str, token: &TokenSettings, check: &mut Check<'_>) {
    let name = &token.name;
    if name.is_empty() || name.len() > 64 || name.contains(char::is_control) {
        let error = Diagnostic::error("cannot name a token")
            .with_remedy("use 1 to 64 printable characters");
        check.found(&format!("{path}.name"), error);
    }
    if token.scopes.is_empty() {
        let names = Scope::ALL.map(Scope::name).join(", ");
        let error = Diagnostic::error("the token allows nothing")
            .with_remedy(format!("give it one or more of {names}"));
        check.found(&format!("{path}.scopes"), error);
    }
    if token.user_id.as_ref().is_some_and(String::is_empty) {
        let error = Diagnostic::error("is empty, which is nobody")
            .with_remedy("name the user, or leave the key out");
        check.found(&format!("{path}.user_id"), error);
    }
    if token.user_role.is_some() && token.user_id.is_none() {
        let error = Diagnostic::error("is the role of no user")
            .with_remedy("name the user with `user_id`, or remove it");
        check.found(&format!("{path}.user_role"), error);
    }
}

fn digest(file: Option<&Path>, variable: Option<&str>) -> Result<SecretDigest, Diagnostic> {
    let token = Place::of(["file", "env"], file, variable)?.read()?;
    if !LENGTHS.contains(&token.len()) {
        let (least, most) = (LENGTHS.start(), LENGTHS.end());
        let message = format!(
            "the token has {} characters; it must have {least} to {most}",
            token.len()
        );
        return Err(Diagnostic::error(message)
            .with_remedy("make a random one, for example with `openssl rand -hex 32`"));
    }
    // The characters of a bearer token (RFC 6750, 2.1).
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if !token.bytes().all(allowed) {
        let message = "the token has a character other than letters, digits and -._~+/=";
        return Err(Diagnostic::error(message)
            .with_remedy("make a random one, for example with `openssl rand -hex 32`"));
    }
    Ok(SecretDigest::of(&token))
}

fn bearer(token: &TokenSettings) -> Caller {
    let role = token.user_role.as_deref();
    let user = token.user_id.as_deref().map(|id| User::new(id, role));
    let scopes = token.scopes.iter().copied().collect();
    Caller::new(token.name.as_str().into(), scopes, user)
}
