//! The effective settings as TOML, each with its origin.

use std::fmt::Write;

use toml::Value;

use super::diagnostics::Origin;
use super::schema::dotted;
use super::settings::{Config, SourceUrl};

impl Config {
    /// The effective settings as a configuration file, each with a comment that
    /// names its origin.
    pub(crate) fn show(&self) -> Result<String, toml::ser::Error> {
        let mut settings = Value::try_from(self.with_absolute_paths())?;
        if self.source.url.is_some() {
            // These describe the demo data, which is not used.
            if let Some(source) = settings.get_mut("source").and_then(Value::as_table_mut) {
                source.retain(|name, _| !name.starts_with("demo_"));
            }
        }
        let mut text = String::new();
        self.table(&settings, &mut Vec::new(), &mut text);
        Ok(text)
    }

    /// The same settings with absolute paths. A path that cannot be made absolute
    /// stays as it is.
    fn with_absolute_paths(&self) -> Self {
        let mut config = self.clone();
        let postgres = &mut config.source.postgres;
        let source = config.source.url.as_mut();
        let source = source.and_then(|url| match url {
            SourceUrl::Sqlite(path) => Some(path),
            SourceUrl::Postgres(_) | SourceUrl::Http(_) => None,
        });
        let (detector, jwt) = (&mut config.detector, &mut config.auth.jwt);
        let tls = &mut config.server.tls;
        let tokens = config.auth.tokens.iter_mut();
        let files = [
            jwt.key_file.as_mut(),
            jwt.secret_file.as_mut(),
            source,
            config.catalogue.file.as_mut(),
            detector.model.as_mut(),
            detector.sentence_model.as_mut(),
            tls.certificate.as_mut(),
            tls.key.as_mut(),
            config.privacy.key_file.as_mut(),
            config.audit.file.as_mut(),
            postgres.password_file.as_mut(),
            postgres.ca_file.as_mut(),
        ];
        let files = files
            .into_iter()
            .chain(tokens.map(|token| token.file.as_mut()));
        for path in files.flatten() {
            if let Ok(absolute) = std::path::absolute(&*path) {
                *path = absolute;
            }
        }
        config
    }

    fn table(&self, table: &Value, path: &mut Vec<String>, text: &mut String) {
        let entries = || table.as_table().into_iter().flatten();
        let lines: Vec<(String, String)> = entries()
            .filter(|(_, value)| !value.is_table())
            .map(|(name, value)| {
                path.push(name.clone());
                let origin = self.origin(&dotted(path));
                path.pop();
                (format!("{name} = {value}"), origin)
            })
            .collect();
        if !lines.is_empty() {
            let gap = if text.is_empty() { "" } else { "\n" };
            let width = lines.iter().map(|(line, _)| line.chars().count()).max();
            let width = width.unwrap_or_default();
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{gap}[{}]", dotted(path));
            for (line, origin) in lines {
                let _ = writeln!(text, "{line:width$}  # {origin}");
            }
        }
        for (name, value) in entries().filter(|(_, value)| value.is_table()) {
            path.push(name.clone());
            self.table(value, path, text);
            path.pop();
        }
    }

    fn origin(&self, path: &str) -> String {
        match self.origins.get(path) {
            None => "default".to_owned(),
            Some(Origin::File(at)) => format!("file, line {}", at.line),
            Some(Origin::Environment(name)) => format!("environment, {name}"),
            Some(Origin::Option(name)) => format!("option, {name}"),
        }
    }
}
