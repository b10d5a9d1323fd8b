//! Where a PostgreSQL server is, and whether a connection to it uses TLS.

use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::OpenError;

/// How long opening a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A database on a server, and how it is reached.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
    /// The location in errors: host and database, without user and password.
    pub(crate) name: String,
}

impl Address {
    /// The location that a URL names.
    pub(crate) fn new(
        url: &str,
        password: Option<&str>,
        ca_file: Option<&Path>,
    ) -> Result<Self, OpenError> {
        let refuse = OpenError::Url;
        let (url, mode) = without_mode(url);
        // The parser's error names the parameter and never a value.
        let mut config =
            Config::from_str(&url).map_err(|error| refuse(super::fault::text(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(refuse("it names no host".to_owned()));
        }
        let is_local = config.get_hosts().iter().all(is_local);
        let with_tls = match mode.as_deref() {
            None => !is_local,
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            Some(mode) => {
                return Err(refuse(format!(
                    "sslmode={mode} is not supported, as it may use a connection that is not \
                     protected; write verify-full, or disable for none"
                )));
            }
        };
        config.ssl_mode(if with_tls {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        if let Some(password) = password {
            config.password(password);
        }
        if config.get_application_name().is_none() {
            config.application_name("router");
        }
        config.connect_timeout(CONNECT_TIME);
        let tls = tls(if with_tls { Some(ca_file) } else { None }).map_err(refuse)?;
        Ok(Self {
            name: name(&config),
            config,
            tls,
        })
    }

    /// Opens a connection, which a task of the current runtime serves.
    pub(crate) async fn connect(&self) -> Result<Client, OpenError> {
        let connected = self.config.connect(self.tls.clone()).await;
        let (client, connection) = connected.map_err(|error| OpenError::Database {
            name: self.name.clone(),
            reason: super::fault::text(&error),
        })?;
        // Its error reaches the client's next call.
        tokio::spawn(connection);
        Ok(client)
    }
}

/// The URL without `sslmode`, of which the client knows fewer values, and its value.
fn without_mode(url: &str) -> (String, Option<String>) {
    let Some((base, parameters)) = url.split_once('?') else {
        return (url.to_owned(), None);
    };
    let mut mode = None;
    let kept: Vec<&str> = parameters
        .split('&')
        .filter(|parameter| match parameter.strip_prefix("sslmode=") {
            Some(value) => {
                mode = Some(value.to_owned());
                false
            }
            None => true,
        })
        .collect();
    let kept = match kept.is_empty() {
        true => base.to_owned(),
        false => format!("{base}?{}", kept.join("&")),
    };
    (kept, mode)
}

/// Whether nobody else can read what is sent to the host.
fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn name(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(folder)) => folder.display().to_string(),
        None => String::new(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().unwrap_or_default();
    format!("{database} at {host}:{port}")
}

/// What checks the server's certificate: by the authorities in the file, or those of
/// the system. `None` where no connection uses TLS.
fn tls(authorities: Option<Option<&Path>>) -> Result<MakeRustlsConnect, String> {
    let mut roots = rustls::RootCertStore::empty();
    match authorities {
        None => {}
        Some(None) => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err("the system has no certificates of authorities; set `ca_file`".into());
            }
        }
        Some(Some(file)) => {
            let name = file.display();
            let unusable = |error: &dyn std::fmt::Display| format!("the file {name}: {error}");
            let certificates = CertificateDer::pem_file_iter(file).map_err(|e| unusable(&e))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|e| unusable(&e))?;
                roots.add(certificate).map_err(|e| unusable(&e))?;
            }
            if roots.is_empty() {
                return Err(unusable(&"it holds no certificate"));
            }
        }
    }
    let provider = rustls::crypto::ring::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> Result<SslMode, String> {
        let location = Address::new(url, Some("secret"), None);
        let location = location.map_err(|error| error.to_string())?;
        Ok(location.config.get_ssl_mode())
    }

    #[test]
    fn only_connections_to_this_machine_go_without_tls_unasked() {
        for (url, expect) in [
            ("postgres://a@localhost/b", SslMode::Disable),
            ("postgres://a@127.0.0.1:1/b", SslMode::Disable),
            ("postgres://a@[::1]/b", SslMode::Disable),
            ("postgres://a@%2Ftmp/b", SslMode::Disable),
            ("postgres://a@localhost/b?sslmode=require", SslMode::Require),
            (
                "postgres://a@db.example/b?sslmode=disable",
                SslMode::Disable,
            ),
            ("postgres://a@db.example/b", SslMode::Require),
            ("postgres://a@localhost,db.example/b", SslMode::Require),
            (
                "postgres://a@db.example/b?connect_timeout=3&sslmode=verify-full",
                SslMode::Require,
            ),
        ] {
            assert_eq!(mode(url), Ok(expect), "{url}");
        }
        for (url, expect) in [
            ("postgres://a@db.example/b?sslmode=prefer", "sslmode=prefer"),
            ("postgres://a@db.example/b?colour=red", "colour"),
            ("postgres:///b", "no host"),
        ] {
            let error = mode(url).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
    }

    #[test]
    fn errors_name_neither_user_nor_password() {
        let location = Address::new("postgres://ann:secret@localhost/b", None, None).unwrap();
        assert_eq!(location.name, "b at localhost:5432");
        let error = mode("postgres://ann:secret@localhost:x/b").unwrap_err();
        assert!(
            !error.contains("secret") && !error.contains("ann"),
            "{error}"
        );
    }
}
