//! Warnings about settings that are valid but probably not meant.

use intent_router::Diagnostic;

use super::auth::AuthMode;
use super::diagnostics::Origin;
use super::schema::dotted;
use super::settings::{Config, SourceUrl};

impl Config {
    /// Settings that are valid but probably not meant.
    pub(crate) fn warnings(&self) -> Vec<Diagnostic> {
        let mut warnings = self.unread.clone();
        let public = ("server.listen", self.server.listen);
        let admin = self.server.admin.listen;
        let listeners = std::iter::once(public).chain(admin.map(|at| ("server.admin.listen", at)));
        let is_plain = self.auth.mode != AuthMode::None && self.server.tls.certificate.is_none();
        for (path, listen) in listeners.filter(|(_, at)| is_plain && !at.ip().is_loopback()) {
            let message = format!(
                "{listen} is reachable from other machines, and what is sent there, tokens included, is not encrypted"
            );
            let warning = Diagnostic::warning(message)
                .with_path(path)
                .with_remedy("set [server.tls], or put a proxy that ends TLS in front of it");
            warnings.push(warning);
        }
        let is_postgres = matches!(self.source.url, Some(SourceUrl::Postgres(_)));
        for path in ["password_file", "password_env", "ca_file"] {
            let path = format!("source.postgres.{path}");
            if !is_postgres && self.origins.contains_key(&path) {
                let warning = Diagnostic::warning("applies only to a PostgreSQL database")
                    .with_path(path)
                    .with_remedy("set `source.url` to `postgres://…`, or remove this key");
                warnings.push(warning);
            }
        }
        if let (Some(SourceUrl::Postgres(url)), Some(Origin::File(_))) =
            (&self.source.url, self.origins.get("source.url"))
            && url.has_password()
        {
            let warning = Diagnostic::warning("the URL holds a password")
                .with_path("source.url")
                .with_remedy(
                    "leave it out, and name the file or the variable that has it with \
                     `source.postgres.password_file` or `source.postgres.password_env`",
                );
            warnings.push(warning);
        }
        if let Some(url) = self.source.back_end().filter(|url| is_plain_http(url)) {
            let path = match self.source.http.url {
                Some(_) => "source.http.url",
                None => "source.url",
            };
            let message = format!("what is sent to {url}, secrets included, is not encrypted");
            let warning = Diagnostic::warning(message)
                .with_path(path)
                .with_remedy("use `https://`");
            warnings.push(warning);
        }
        let intents = self.intents().intents();
        let standard = intent_router::classes::standard();
        for (name, class) in self.cache.classes.iter() {
            let used = intents.iter().any(|intent| intent.class == name);
            let handle = standard.get(name);
            if !used && handle.is_none() {
                let quoted = dotted(&[name.to_owned()]);
                let warning = Diagnostic::warning("no intent of the catalogue uses this class")
                    .with_path(format!("cache.classes.{quoted}"))
                    .with_remedy("check its spelling");
                warnings.push(warning);
            }
            if !used && handle == Some(intent_router::classes::INTENT_ROUTING) {
                warnings.extend(class.ignored_for_detections().map(|setting| {
                    Diagnostic::warning(
                        "this class stores detections, which use only `ttl` and `jitter`",
                    )
                    .with_path(format!("cache.classes.{name}.{setting}"))
                }));
            }
        }
        warnings
    }
}

/// Whether a URL names another machine without TLS.
fn is_plain_http(url: &str) -> bool {
    let uri = url.parse::<http::Uri>().ok();
    uri.is_some_and(|uri| {
        uri.scheme_str() == Some("http") && !uri.host().is_some_and(super::web::is_loopback)
    })
}
