//! Warnings about settings that are valid but probably not meant.

use intent_router::Diagnostic;

use super::auth::AuthMode;
use super::schema::dotted;
use super::settings::Config;

impl Config {
    /// Settings that are valid but probably not meant.
    pub(crate) fn warnings(&self) -> Vec<Diagnostic> {
        let mut warnings = self.unread.clone();
        let listen = self.server.listen;
        if self.auth.mode != AuthMode::None && !listen.ip().is_loopback() {
            let message = format!(
                "{listen} can be reached from other machines, and what is sent there, tokens included, is not encrypted"
            );
            let warning = Diagnostic::warning(message)
                .with_path("server.listen")
                .with_remedy("put a proxy that ends TLS in front of it");
            warnings.push(warning);
        }
        let intents = self.intents().intents();
        let standard = intent_router::classes::standard();
        for (name, class) in self.cache.classes.iter() {
            let used = intents.iter().any(|intent| intent.class == name);
            let handle = standard.get(name);
            if !used && handle.is_none() {
                let quoted = dotted(&[name.to_owned()]);
                let warning = Diagnostic::warning("no intent of the catalogue has this class")
                    .with_path(format!("cache.classes.{quoted}"))
                    .with_remedy("check its spelling");
                warnings.push(warning);
            }
            if !used && handle == Some(intent_router::classes::INTENT_ROUTING) {
                warnings.extend(class.ignored_for_detections().map(|setting| {
                    Diagnostic::warning(
                        "what is kept in this class is detections, for which only `ttl` and `jitter` mean something",
                    )
                    .with_path(format!("cache.classes.{name}.{setting}"))
                }));
            }
        }
        warnings
    }
}
