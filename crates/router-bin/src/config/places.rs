//! Where the settings were made: places for diagnostics found after the configuration
//! was read, and settings that an option of the command line overrides.

use std::net::SocketAddr;

use intent_router::Diagnostic;

use super::diagnostics::{ConfigError, Origin};
use super::settings::Config;

impl Config {
    /// Places a diagnostic at a setting: at its origin, or else at that of the nearest
    /// table or list around it that has one, or at that of a setting in it.
    pub(crate) fn place(&self, path: &str, diagnostic: Diagnostic) -> Diagnostic {
        let ends = path.match_indices(['.', '[']).map(|(end, _)| end);
        let around = ends.map(|end| &path[..end]).chain([path]);
        let around = around.filter_map(|path| self.origins.get(path));
        let below = format!("{path}.");
        let mut below = self
            .origins
            .iter()
            .filter(|(path, _)| path.starts_with(&below));
        match around.last().or_else(|| Some(below.next()?.1)) {
            Some(origin) => origin.place(path, diagnostic),
            None => diagnostic.with_path(path),
        }
    }

    /// The error with these diagnostics.
    pub(crate) fn refused(&self, diagnostics: Vec<Diagnostic>) -> ConfigError {
        ConfigError::new(self.path.as_deref(), diagnostics)
    }

    /// Sets the addresses of sockets that a service manager passed, which take the
    /// place of configured ones.
    pub(crate) fn listens_on_passed(
        &mut self,
        public: Option<SocketAddr>,
        admin: Option<SocketAddr>,
    ) {
        let mut passed = |path: &str| {
            let origin = Origin::Environment("LISTEN_FDS".to_owned());
            self.origins.insert(path.to_owned(), origin);
        };
        if let Some(address) = public {
            passed("server.listen");
            self.server.listen = address;
        }
        if let Some(address) = admin {
            passed("server.admin.listen");
            self.server.admin.listen = Some(address);
        }
    }

    /// Sets the address to listen on, as an option of the command line says.
    pub(crate) fn listen_on(&mut self, option: &'static str, address: SocketAddr) {
        self.server.listen = address;
        let origins = &mut self.origins;
        origins.insert("server.listen".to_owned(), Origin::Option(option));
    }
}
