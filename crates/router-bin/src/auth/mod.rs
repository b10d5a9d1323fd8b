//! Authentication: from the credential of a request to its caller.
//!
//! A [`Caller`] says what may be done and as whom is asked. It is made of a credential
//! in this module and nowhere else.

mod bearer;
mod caller;
mod check;
mod fetch;
mod jwks;
mod jwt;
mod keys;
mod proxy;
mod refusal;
mod scopes;
mod secret;
mod sessions;
mod tokens;
mod webhook;

use std::net::IpAddr;

use http::HeaderMap;
use intent_router::Diagnostic;

pub(crate) use self::caller::{Caller, ClaimedUser};
use self::check::Check;
use self::jwt::Jwt;
use self::proxy::Proxy;
pub(crate) use self::refusal::Refusal;
pub(crate) use self::secret::Place;
use self::sessions::Sessions;
use self::tokens::Tokens;
use self::webhook::Webhook;
pub(crate) use self::webhook::WebhookRefusal;
use crate::config::{AuthMode, Config, ConfigError, JwtSettings, ProxySettings, Scope};

/// Identifies callers as the configuration says.
pub(crate) struct Authenticator {
    mode: Mode,
    tokens: Tokens,
    sessions: Sessions,
    webhook: Option<Webhook>,
}

/// How callers are identified, apart from the tokens of the configuration.
enum Mode {
    /// Not at all; the caller of every request.
    None(Caller),
    Token,
    Jwt(Box<Jwt>),
    Proxy(Proxy),
}

impl Authenticator {
    /// Checks the settings and reads the secrets.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub(crate) fn open(config: &Config) -> Result<Self, ConfigError> {
        let settings = &config.auth;
        let mut check = Check::new(config);
        check_mode(config, &mut check);
        let tokens = Tokens::open(&settings.tokens, &mut check);
        let webhook = Webhook::open(&config.changes.webhook, &mut check);
        let mode = match settings.mode {
            AuthMode::None => Some(Mode::None(Caller::anonymous())),
            AuthMode::Token => Some(Mode::Token),
            AuthMode::Jwt => {
                Jwt::open(&settings.jwt, &mut check).map(|jwt| Mode::Jwt(Box::new(jwt)))
            }
            AuthMode::TrustedProxy => {
                Proxy::open(&settings.trusted_proxy, &mut check).map(Mode::Proxy)
            }
        };
        let opened = mode.map(|mode| Self {
            mode,
            tokens,
            sessions: Sessions::new(
                settings.secure_cookie || config.server.tls.certificate.is_some(),
            ),
            webhook,
        });
        // Proof: where a mode is not opened, its `open` has added an error, and `end`
        // returns it.
        check
            .end(opened)
            .map(|opened| opened.expect("a mode that is not opened is an error"))
    }

    /// The caller of a request from `peer`.
    ///
    /// A bearer token counts before the cookie of a log-in, and that before the headers
    /// of a proxy, which adds them to every request.
    ///
    /// # Errors
    /// Why the caller is refused.
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Caller, Refusal> {
        let proxied = match &self.mode {
            Mode::None(anonymous) => return Ok(anonymous.clone()),
            Mode::Proxy(proxy) => proxy.caller(headers, peer)?,
            Mode::Token | Mode::Jwt(_) => None,
        };
        if let Some(token) = bearer::token(headers)? {
            if let Some(caller) = self.tokens.bearer(token) {
                return Ok(caller.clone());
            }
            return match &self.mode {
                Mode::Jwt(jwt) => jwt.caller(token).await,
                _ => Err(Refusal::Invalid("the token is not known".to_owned())),
            };
        }
        let known = self.sessions.caller(headers).or(proxied);
        known.ok_or(Refusal::NoCredential(match self.mode {
            Mode::Proxy(_) => "send it through the proxy, or with `Authorization: Bearer TOKEN`",
            _ => "send it as `Authorization: Bearer TOKEN`",
        }))
    }

    /// What checks signed requests, if they are configured.
    pub(crate) fn webhook(&self) -> Option<&Webhook> {
        self.webhook.as_ref()
    }

    /// Whether the dashboard asks for a token.
    pub(crate) fn has_log_in(&self) -> bool {
        !matches!(self.mode, Mode::None(_))
    }

    /// Logs a browser in with a token of the configuration that may see statistics;
    /// returns its caller and the `Set-Cookie`.
    ///
    /// # Errors
    /// Why the token is refused.
    pub(crate) fn log_in(&self, token: &str) -> Result<(Caller, String), Refusal> {
        let Some(caller) = self.tokens.bearer(token) else {
            let detail = "the token is not one of auth.tokens".to_owned();
            return Err(Refusal::Invalid(detail));
        };
        caller.needs(Scope::Metrics)?;
        let cookie = self.sessions.start(caller.clone());
        let cookie = cookie.map_err(|_| Refusal::NotNow("the system has no random numbers now"))?;
        Ok((caller.clone(), cookie))
    }

    /// Logs a browser out; returns the `Set-Cookie` that removes its cookie.
    pub(crate) fn log_out(&self, headers: &HeaderMap) -> String {
        self.sessions.end(headers)
    }

    /// Keeps the keys of JSON Web Tokens up to date.
    pub(crate) async fn keep_keys(&self) {
        if let Mode::Jwt(jwt) = &self.mode {
            jwt.keep_keys().await;
        }
    }
}

/// Checks that the settings belong to the mode, and that a service that identifies
/// nobody cannot be reached from other machines.
fn check_mode(config: &Config, check: &mut Check<'_>) {
    let settings = &config.auth;
    let mode = settings.mode;
    let admin = config.server.admin.listen;
    let listeners = [
        ("server.listen", Some(config.server.listen)),
        ("server.admin.listen", admin),
    ];
    for (path, listen) in listeners {
        let reachable = listen.filter(|at| !at.ip().to_canonical().is_loopback());
        let Some(listen) = reachable.filter(|_| mode == AuthMode::None) else {
            continue;
        };
        let message = format!(
            "{listen} is reachable from other machines, and with auth.mode \"none\" everyone \
             there may ask as anyone"
        );
        let remedy = "set auth.mode to \"token\", \"jwt\" or \"trusted_proxy\", or listen on a \
                      loopback address such as 127.0.0.1:8080";
        check.found(path, Diagnostic::error(message).with_remedy(remedy));
    }
    let mut belongs = |path: &str, is_set: bool, modes: &[AuthMode]| {
        if is_set && !modes.contains(&mode) {
            let names: Vec<_> = modes
                .iter()
                .map(|mode| format!("\"{}\"", mode.name()))
                .collect();
            let message = format!("has no effect with auth.mode \"{}\"", mode.name());
            let remedy = format!("set auth.mode to {}, or remove it", names.join(" or "));
            check.found(path, Diagnostic::error(message).with_remedy(remedy));
        }
    };
    let with_tokens = [AuthMode::Token, AuthMode::Jwt, AuthMode::TrustedProxy];
    belongs("auth.tokens", !settings.tokens.is_empty(), &with_tokens);
    let is_set = settings.jwt != JwtSettings::default();
    belongs("auth.jwt", is_set, &[AuthMode::Jwt]);
    let is_set = settings.trusted_proxy != ProxySettings::default();
    belongs("auth.trusted_proxy", is_set, &[AuthMode::TrustedProxy]);
    if mode == AuthMode::Token && settings.tokens.is_empty() {
        let error = Diagnostic::error("there is no token, so nobody could call")
            .with_remedy("add one under [[auth.tokens]]");
        check.found("auth.tokens", error);
    }
}
