//! Where a PostgreSQL server is, and whether a connection to it uses TLS.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::OpenError;

/// How long opening a connection may take, if the URL does not say.
pub(crate) const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Where a PostgreSQL database is, as whom it is read, and whether by TLS.
///
/// It displays as the database and the server; neither that nor the debug text shows the
/// user or the password.
///
/// ```
/// use live_data::PostgresAddress;
///
/// let address = PostgresAddress::new("postgres://reader@127.0.0.1/crm", None, None)?;
/// assert_eq!(address.to_string(), "crm at 127.0.0.1:5432");
/// # Ok::<(), live_data::OpenError>(())
/// ```
#[derive(Clone)]
pub struct PostgresAddress {
    /// Has a user and a database.
    pub(crate) config: Config,
    /// Not used where the mode of `config` is `disable`.
    pub(crate) tls: Arc<rustls::ClientConfig>,
}

impl PostgresAddress {
    /// Reads `postgres://USER@HOST:PORT/DATABASE?sslmode=…`; nothing is connected.
    ///
    /// The parameter `sslmode` is `disable` for connections without TLS, `require` or
    /// `verify-full` for TLS, where the server's certificate is checked for its name and
    /// issuer. Without it, connections to this machine use no TLS and all others use it.
    ///
    /// The password takes the place of one in the URL. `ca_file` is a PEM file of the
    /// authorities that issue the server's certificate; without it, they are those of the
    /// system.
    ///
    /// # Errors
    /// [`OpenError::Url`] if the URL or the file cannot be used. It shows neither user
    /// nor password.
    pub fn new(
        url: &str,
        password: Option<&str>,
        ca_file: Option<&Path>,
    ) -> Result<Self, OpenError> {
        let refuse = |reason: &str| Err(OpenError::Url(reason.to_owned()));
        let (url, mode) = without_mode(url);
        // The parser's error names the parameter and never a value.
        let mut config = Config::from_str(&url)
            .map_err(|error| OpenError::Url(super::fault::error_text(&error)))?;
        if config.get_hosts().is_empty() {
            return refuse("it names no host; write postgres://USER@HOST/DATABASE");
        }
        let Some(user) = config.get_user().map(str::to_owned) else {
            return refuse("it names no user; write postgres://USER@HOST/DATABASE");
        };
        let is_local = config.get_hosts().iter().all(is_local);
        let with_tls = match mode.as_deref() {
            None => !is_local,
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            Some(mode) => {
                return refuse(&format!(
                    "sslmode={mode} is not supported, as it may use a connection that is not \
                     protected; write verify-full, or disable for none"
                ));
            }
        };
        config.ssl_mode(match with_tls {
            true => SslMode::Require,
            false => SslMode::Disable,
        });
        if config.get_dbname().is_none() {
            config.dbname(user);
        }
        if let Some(password) = password {
            config.password(password);
        }
        if config.get_application_name().is_none() {
            config.application_name("router");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIME);
        }
        let roots = match with_tls {
            true => authorities(ca_file),
            false => Ok(RootCertStore::empty()),
        };
        let tls = roots.and_then(tls).map_err(OpenError::Url)?;
        Ok(Self {
            config,
            tls: Arc::new(tls),
        })
    }

    /// What makes connections of the client secure.
    pub(crate) fn connector(&self) -> MakeRustlsConnect {
        MakeRustlsConnect::new(rustls::ClientConfig::clone(&self.tls))
    }

    /// Opens a connection, which a task of the current runtime serves.
    pub(crate) async fn connect(&self) -> Result<Client, OpenError> {
        let connected = self.config.connect(self.connector()).await;
        let (client, connection) = connected.map_err(|error| OpenError::Database {
            name: self.to_string(),
            reason: super::fault::error_text(&error),
        })?;
        // Its error reaches the client's next call.
        tokio::spawn(connection);
        Ok(client)
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.config.get_dbname().unwrap_or_default();
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        write!(f, "{database} at ")?;
        match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => write!(f, "{name}:{port}"),
            #[cfg(unix)]
            Some(Host::Unix(folder)) => write!(f, "{}:{port}", folder.display()),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresAddress")
            .field(&format_args!("{self}"))
            .finish()
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

/// The authorities in the file, or those of the system.
fn authorities(ca_file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err("the system has no certificates of authorities; set `ca_file`".into());
            }
        }
        Some(file) => {
            let name = file.display();
            let unusable = |error: &dyn fmt::Display| format!("the file {name}: {error}");
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
    Ok(roots)
}

/// What checks the server's certificate by its issuer and its name.
fn tls(roots: RootCertStore) -> Result<rustls::ClientConfig, String> {
    let provider = rustls::crypto::ring::default_provider();
    let versions = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> Result<SslMode, String> {
        let location = PostgresAddress::new(url, Some("secret"), None);
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
            ("postgres://localhost/b", "no user"),
        ] {
            let error = mode(url).unwrap_err();
            assert!(error.contains(expect), "{error}");
        }
    }

    #[test]
    fn errors_name_neither_user_nor_password() {
        let address = PostgresAddress::new("postgres://ann:secret@localhost/b", None, None);
        let address = address.unwrap();
        assert_eq!(address.to_string(), "b at localhost:5432");
        assert_eq!(
            format!("{address:?}"),
            "PostgresAddress(b at localhost:5432)"
        );
        let error = mode("postgres://ann:secret@localhost:x/b").unwrap_err();
        assert!(
            !error.contains("secret") && !error.contains("ann"),
            "{error}"
        );
    }

    #[test]
    fn the_database_is_named_after_the_user_unless_the_url_says() {
        let address = PostgresAddress::new("postgres://ann@localhost", None, None);
        assert_eq!(address.unwrap().to_string(), "ann at localhost:5432");
    }
}
