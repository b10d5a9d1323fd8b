//! JSON Web Tokens: their checks, and the user that their claims name.

use std::sync::Arc;

use intent_router::Diagnostic;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, AlgorithmFamily, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::caller::{Caller, User};
use super::check::Check;
use super::fetch::Fetcher;
use super::jwks::Jwks;
use super::keys::KeySet;
use super::refusal::Refusal;
use super::scopes::Scopes;
use super::secret::{self, Place};
use crate::config::{JwtSettings, Scope};

/// The longest token that is read.
const MOST: usize = 16 << 10;

/// Checks tokens, and makes callers of them.
pub(super) struct Jwt {
    keys: KeySource,
    validation: Validation,
    claims: Claims,
}

/// Where the keys come from.
enum KeySource {
    Fixed(Arc<KeySet>),
    Fetched(Jwks, Box<Fetcher>),
}

/// Which claims are read, and what stands for those that are absent.
struct Claims {
    user: String,
    role: Option<String>,
    default_role: Option<String>,
    scopes: Option<String>,
}

impl Jwt {
    /// The checks of the settings; what is wrong with them goes to `check`.
    pub(super) fn open(settings: &JwtSettings, check: &mut Check<'_>) -> Option<Self> {
        let algorithms: Vec<Algorithm> = settings.algorithms.iter().map(|&a| a.into()).collect();
        let keys = keys(settings, &algorithms, check);
        if settings.user_claim.is_empty() {
            let error = Diagnostic::error("is empty").with_remedy("name a claim, such as \"sub\"");
            check.found("auth.jwt.user_claim", error);
        }
        Some(Self {
            keys: keys?,
            validation: validation(settings, algorithms)?,
            claims: Claims::of(settings),
        })
    }

    /// Fetches the keys again and again, if they come from a URL.
    pub(super) async fn keep_keys(&self) {
        if let KeySource::Fetched(keys, fetcher) = &self.keys {
            let accepted = &self.validation.algorithms;
            let fetch = move || async move {
                let text = fetcher.fetch().await?;
                KeySet::jwks(&text, accepted)
            };
            keys.run(fetch).await;
        }
    }

    /// The caller whom a token names.
    ///
    /// # Errors
    /// The token is not valid, or lacks a claim.
    pub(super) async fn caller(&self, token: &str) -> Result<Caller, Refusal> {
        if token.len() > MOST {
            return Err(invalid(format!("the token has more than {MOST} bytes")));
        }
        let header = decode_header(token).map_err(|error| refusal(&error))?;
        if !self.validation.algorithms.contains(&header.alg) {
            return Err(refusal(&ErrorKind::InvalidAlgorithm.into()));
        }
        let id = header.kid.as_deref();
        let keys = match &self.keys {
            KeySource::Fixed(keys) => Arc::clone(keys),
            KeySource::Fetched(keys, _) => keys.find(id, header.alg).await?,
        };
        let mut outcome = Err(invalid(
            "the token is signed with an unknown key".to_owned(),
        ));
        for key in keys.candidates(id, header.alg) {
            // The algorithm is one of those that the key is for.
            let mut validation = self.validation.clone();
            validation.algorithms = vec![header.alg];
            match decode::<Map<String, Value>>(token, key, &validation) {
                Ok(token) => return self.claims.caller(&token.claims),
                Err(error) => {
                    outcome = Err(refusal(&error));
                    // With another key the signature may be right; other faults stay.
                    if !matches!(error.kind(), ErrorKind::InvalidSignature) {
                        break;
                    }
                }
            }
        }
        outcome
    }
}

/// The checks of a token's header and claims; `None` without an algorithm.
fn validation(settings: &JwtSettings, algorithms: Vec<Algorithm>) -> Option<Validation> {
    let mut validation = Validation::new(*algorithms.first()?);
    validation.algorithms = algorithms;
    validation.leeway = settings.leeway.get().as_secs();
    validation.validate_nbf = true;
    let mut required = vec!["exp"];
    if let Some(issuer) = &settings.issuer {
        validation.set_issuer(&[issuer]);
        required.push("iss");
    }
    if !settings.audience.is_empty() {
        validation.set_audience(&settings.audience);
        required.push("aud");
    }
    validation.set_required_spec_claims(&required);
    Some(validation)
}

/// The keys of the one setting that says where they are.
fn keys(
    settings: &JwtSettings,
    algorithms: &[Algorithm],
    check: &mut Check<'_>,
) -> Option<KeySource> {
    let is_secret = settings.secret_file.is_some() || settings.secret_env.is_some();
    let places = [
        ("key_file", settings.key_file.is_some()),
        ("secret_file or secret_env", is_secret),
        ("jwks_url", settings.jwks_url.is_some()),
    ];
    let given: Vec<&str> = places
        .iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| *name)
        .collect();
    if given.len() != 1 {
        let message = match given.as_slice() {
            [] => "says nowhere where its keys are".to_owned(),
            several => format!("says in {} places where its keys are", several.len()),
        };
        let names = places.map(|(name, _)| name).join(", ");
        let error = Diagnostic::error(message).with_remedy(format!("give one of {names}"));
        check.found("auth.jwt", error);
        return None;
    }
    if algorithms.is_empty() {
        let error = Diagnostic::error("is empty")
            .with_remedy("name the algorithms that the issuer uses, such as [\"RS256\"]");
        check.found("auth.jwt.algorithms", error);
        return None;
    }
    let mut others = algorithms.iter();
    if others.any(|algorithm| (algorithm.family() == AlgorithmFamily::Hmac) != is_secret) {
        let error = Diagnostic::error("names an algorithm that does not fit the key").with_remedy(
            "HS256, HS384 and HS512 need a secret, RS256, ES256 and EdDSA public keys",
        );
        check.found("auth.jwt.algorithms", error);
        return None;
    }
    let fixed = |keys: KeySet| KeySource::Fixed(Arc::new(keys));
    if let Some(path) = &settings.key_file {
        let keys = secret::file(path).and_then(|text| KeySet::file(&text, algorithms));
        return check.take("auth.jwt.key_file", keys).map(fixed);
    }
    if let Some(url) = &settings.jwks_url {
        let fetcher = check.take("auth.jwt.jwks_url", Fetcher::new(url.uri().clone()))?;
        let (refresh, interval) = (settings.jwks_refresh, settings.jwks_min_interval);
        let keys = Jwks::new(refresh.get(), interval.get());
        return Some(KeySource::Fetched(keys, Box::new(fetcher)));
    }
    let (file, variable) = (&settings.secret_file, &settings.secret_env);
    let names = ["secret_file", "secret_env"];
    let secret = Place::of(names, file.as_deref(), variable.as_deref());
    let keys = secret
        .and_then(|place| place.read())
        .and_then(|secret| KeySet::secret(&secret, algorithms));
    let path = if file.is_some() {
        "auth.jwt.secret_file"
    } else {
        "auth.jwt.secret_env"
    };
    check.take(path, keys).map(fixed)
}

impl Claims {
    fn of(settings: &JwtSettings) -> Self {
        Self {
            user: settings.user_claim.clone(),
            role: settings.role_claim.clone(),
            default_role: settings.default_role.clone(),
            scopes: settings.scope_claim.clone(),
        }
    }

    /// The caller whom the claims of a valid token name.
    fn caller(&self, claims: &Map<String, Value>) -> Result<Caller, Refusal> {
        let user = text(claims, &self.user)?.ok_or_else(|| absent(&self.user))?;
        if user.is_empty() {
            return Err(invalid(format!("the claim `{}` is empty", self.user)));
        }
        let role = match &self.role {
            Some(name) => match text(claims, name)?.or(self.default_role.as_deref()) {
                Some(role) => Some(role),
                None => return Err(absent(name)),
            },
            None => self.default_role.as_deref(),
        };
        let scopes = match &self.scopes {
            Some(name) => scopes(claims, name)?,
            None => [Scope::Ask].into_iter().collect(),
        };
        Ok(Caller::new(
            "jwt".into(),
            scopes,
            Some(User::new(user, role)),
        ))
    }
}

/// A claim that is text, if the token has it.
fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid(format!("the claim `{name}` is not text"))),
    }
}

/// The scopes that a claim lists, as words of a text (RFC 8693) or as an array. Those of
/// other services are left out.
fn scopes(claims: &Map<String, Value>, name: &str) -> Result<Scopes, Refusal> {
    let known = |word: &str| Scope::ALL.into_iter().find(|scope| scope.name() == word);
    match claims.get(name) {
        None => Ok(Scopes::default()),
        Some(Value::String(words)) => Ok(words.split(' ').filter_map(known).collect()),
        Some(Value::Array(words)) => {
            let words = words.iter().filter_map(Value::as_str);
            Ok(words.filter_map(known).collect())
        }
        Some(_) => Err(invalid(format!(
            "the claim `{name}` is neither text nor an array"
        ))),
    }
}

fn absent(claim: &str) -> Refusal {
    invalid(format!("the token has no claim `{claim}`"))
}

fn invalid(detail: String) -> Refusal {
    Refusal::Invalid(detail)
}

/// What is wrong with a token, in words for its bearer.
fn refusal(error: &Error) -> Refusal {
    let detail = match error.kind() {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidSignature => "the signature of the token is wrong",
        ErrorKind::InvalidAlgorithm => "the algorithm of the token is not accepted",
        ErrorKind::MissingRequiredClaim(claim) => return absent(claim),
        ErrorKind::InvalidClaimFormat(claim) => {
            return invalid(format!(
                "the claim `{claim}` is of another type than it must be"
            ));
        }
        // A claim of an unexpected type ends up here, too.
        ErrorKind::Json(_) => "a part of the token cannot be read",
        _ => "the credential is neither a known token nor a JSON Web Token",
    };
    invalid(detail.to_owned())
}

#[cfg(test)]
mod tests;
