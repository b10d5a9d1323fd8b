//! The settings of `[auth]`: who may call the service, and as whom they ask.
//!
//! They name where secrets are, a file or an environment variable, and never hold
//! one. Each is checked alone here; `crate::auth` checks them together and reads the
//! secrets.

use std::path::PathBuf;

use jsonwebtoken::Algorithm;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use toml::Value;

use super::fields::file_path;
use super::units::{Leeway, Timeout};
use super::web::{HeaderField, JwksUrl, Network};

/// Who may call the service, and as whom they ask.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthSettings {
    /// How callers are identified: not at all (`none`, on a loopback address only), by
    /// the tokens below (`token`), by JSON Web Tokens (`jwt`), or by headers that a
    /// proxy sets (`trusted_proxy`).
    pub(crate) mode: AuthMode,
    /// Whether browsers send the dashboard's cookie over HTTPS only; set it where a
    /// proxy in front of the service ends TLS.
    pub(crate) secure_cookie: bool,
    /// The bearer tokens, for programs and operators; not in mode `none`.
    #[serde(deserialize_with = "tokens", skip_serializing_if = "Vec::is_empty")]
    pub(crate) tokens: Vec<TokenSettings>,
    /// How JSON Web Tokens are checked and read; in mode `jwt` only.
    pub(crate) jwt: JwtSettings,
    /// What a proxy says of its callers; in mode `trusted_proxy` only.
    pub(crate) trusted_proxy: ProxySettings,
}

/// How callers are identified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthMode {
    /// Not at all: everyone may do everything, and is who they say.
    #[default]
    None,
    /// By a bearer token of the configuration.
    Token,
    /// By a JSON Web Token.
    Jwt,
    /// By headers that a proxy sets.
    TrustedProxy,
}

impl AuthMode {
    /// The mode as the configuration writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token => "token",
            Self::Jwt => "jwt",
            Self::TrustedProxy => "trusted_proxy",
        }
    }
}

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scope {
    /// Ask as the user of the credential.
    Ask,
    /// Ask as any user.
    AskForAnyone,
    /// Look answers up and fill them; includes `ask`.
    Fill,
    /// Remove entries from the cache.
    Invalidate,
    /// Administer the service; includes `invalidate` and `metrics`.
    Admin,
    /// Read statistics and metrics.
    Metrics,
}

impl Scope {
    /// Every scope.
    pub(crate) const ALL: [Self; 6] = [
        Self::Ask,
        Self::AskForAnyone,
        Self::Fill,
        Self::Invalidate,
        Self::Admin,
        Self::Metrics,
    ];

    /// The scope as the configuration and credentials write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::AskForAnyone => "ask-for-anyone",
            Self::Fill => "fill",
            Self::Invalidate => "invalidate",
            Self::Admin => "admin",
            Self::Metrics => "metrics",
        }
    }
}

/// A bearer token: where it is kept, and what its bearer may do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenSettings {
    /// The name of its bearer in logs.
    pub(crate) name: String,
    /// The file that holds the token.
    #[serde(
        default,
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) file: Option<PathBuf>,
    /// The environment variable that holds the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) env: Option<String>,
    /// What its bearer may do.
    pub(crate) scopes: Vec<Scope>,
    /// The user as whom its bearer asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    /// The role of that user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_role: Option<String>,
}

/// Reads the tokens; an error says for each wrong one which it is.
fn tokens<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<TokenSettings>, D::Error> {
    let values = Vec::<Value>::deserialize(from)?;
    let mut tokens = Vec::new();
    let mut errors = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        match TokenSettings::deserialize(value) {
            Ok(token) => tokens.push(token),
            Err(error) => errors.push(format!("[{index}]: {}", error.message())),
        }
    }
    if errors.is_empty() {
        return Ok(tokens);
    }
    Err(D::Error::custom(errors.join("; ")))
}

/// How JSON Web Tokens are checked and read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JwtSettings {
    /// The algorithms that are accepted; all must fit the key.
    pub(crate) algorithms: Vec<JwtAlgorithm>,
    /// The file with the public key (PEM) or the public keys (JWKS).
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) key_file: Option<PathBuf>,
    /// The file with the secret of HS256, HS384 or HS512.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) secret_file: Option<PathBuf>,
    /// The environment variable with the secret of HS256, HS384 or HS512.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret_env: Option<String>,
    /// Where the public keys (JWKS) are fetched: `https://`, or `http://` on a loopback
    /// address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jwks_url: Option<JwksUrl>,
    /// How often the keys are fetched.
    pub(crate) jwks_refresh: Timeout,
    /// The least time between two fetches, which a token with an unknown key may cause.
    pub(crate) jwks_min_interval: Timeout,
    /// The issuer (`iss`) that every token must name; absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) issuer: Option<String>,
    /// The audiences (`aud`), one of which every token must name; empty: only tokens
    /// that name none are accepted.
    pub(crate) audience: Vec<String>,
    /// By how much the clocks of issuer and service may differ when `exp` and `nbf` are
    /// checked.
    pub(crate) leeway: Leeway,
    /// The claim that is the user's identifier.
    pub(crate) user_claim: String,
    /// The claim that is the user's role; absent: `default_role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role_claim: Option<String>,
    /// The role of a user whose token names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_role: Option<String>,
    /// The claim that lists the scopes; absent: every token has the scope `ask`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope_claim: Option<String>,
}

impl Default for JwtSettings {
    fn default() -> Self {
        Self {
            algorithms: Vec::new(),
            key_file: None,
            secret_file: None,
            secret_env: None,
            jwks_url: None,
            jwks_refresh: Timeout::seconds::<600>(),
            jwks_min_interval: Timeout::seconds::<30>(),
            issuer: None,
            audience: Vec::new(),
            leeway: Leeway::seconds::<30>(),
            user_claim: "sub".to_owned(),
            role_claim: None,
            default_role: None,
            scope_claim: None,
        }
    }
}

/// The algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum JwtAlgorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSA (PKCS #1 v1.5) with SHA-256.
    RS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl From<JwtAlgorithm> for Algorithm {
    fn from(algorithm: JwtAlgorithm) -> Self {
        match algorithm {
            JwtAlgorithm::HS256 => Self::HS256,
            JwtAlgorithm::HS384 => Self::HS384,
            JwtAlgorithm::HS512 => Self::HS512,
            JwtAlgorithm::RS256 => Self::RS256,
            JwtAlgorithm::ES256 => Self::ES256,
            JwtAlgorithm::EdDSA => Self::EdDSA,
        }
    }
}

/// What a proxy says of its callers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProxySettings {
    /// The addresses or networks of the proxy; the headers are refused from any other.
    pub(crate) from: Vec<Network>,
    /// The header with the user's identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_header: Option<HeaderField>,
    /// The header with the user's role; absent: `default_role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role_header: Option<HeaderField>,
    /// The role of a user for whom the proxy names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_role: Option<String>,
}
