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

    /// Sets the address to listen on, as an option of the command line says.
    pub(crate) fn listen_on(&mut self, option: &'static str, address: SocketAddr) {
        self.server.listen = address;
        let origins = &mut self.origins;
        origins.insert("server.listen".to_owned(), Origin::Option(option));
    }
}
