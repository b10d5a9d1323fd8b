//! `[source.postgres]`: how a PostgreSQL database is reached.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::fields::file_path;

/// How the PostgreSQL database that `source.url` names is reached.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PostgresSettings {
    /// The file with the user's password; excludes `password_env`.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) password_file: Option<PathBuf>,
    /// The environment variable with the user's password. Without this and
    /// `password_file`, it is that in the URL, else that in the variable PGPASSWORD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password_env: Option<String>,
    /// A PEM file of the authorities that issue the server's certificate; absent: those
    /// of the system.
    #[serde(
        deserialize_with = "file_path",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) ca_file: Option<PathBuf>,
}

/// The URL of a PostgreSQL database. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PostgresUrl(String);

impl PostgresUrl {
    /// The URL, if its scheme is that of PostgreSQL.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (scheme, _) = url.split_once("://")?;
        matches!(scheme, "postgres" | "postgresql").then(|| Self(url.to_owned()))
    }

    /// The whole URL, with its password.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// Whether the URL has a password.
    pub(crate) fn has_password(&self) -> bool {
        self.to_string() != self.0
    }
}

/// The URL with `***` for the password.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("postgres", ""));
        write!(f, "{scheme}://")?;
        // A password may have any character, so it ends with the last `@`.
        let rest = match rest.rsplit_once('@') {
            Some((login, rest)) => {
                match login.split_once(':') {
                    Some((user, _)) => write!(f, "{user}:***@")?,
                    None => write!(f, "{login}@")?,
                }
                rest
            }
            None => rest,
        };
        let Some((place, parameters)) = rest.split_once('?') else {
            return f.write_str(rest);
        };
        f.write_str(place)?;
        for (index, parameter) in parameters.split('&').enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            match parameter.split_once('=') {
                Some((name @ "password", _)) => write!(f, "{name}=***")?,
                _ => f.write_str(parameter)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PostgresUrl {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("postgres://ann@db/crm", "postgres://ann@db/crm"),
            ("postgres://db/crm?user=ann", "postgres://db/crm?user=ann"),
            ("postgresql://ann:s@db/crm", "postgresql://ann:***@db/crm"),
            (
                "postgres://ann:s:@/?s@db:1/crm",
                "postgres://ann:***@db:1/crm",
            ),
            (
                "postgres://ann:s@db/crm?sslmode=disable&password=s&port=1",
                "postgres://ann:***@db/crm?sslmode=disable&password=***&port=1",
            ),
            ("postgres://db?password=s", "postgres://db?password=***"),
        ] {
            let url = PostgresUrl::parse(url).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
            assert_eq!(url.has_password(), shown.contains("***"), "{shown}");
        }
    }
}
