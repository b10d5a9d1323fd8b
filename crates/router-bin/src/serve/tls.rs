//! TLS: the certificate in use, and its exchange while the service runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use intent_router::Diagnostic;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// A certificate with its key, read again when their files change.
#[derive(Clone)]
pub(crate) struct Tls(Arc<Files>);

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// The lock is held only to copy or swap the pointer.
    current: RwLock<Pair>,
}

/// What was read from the files.
#[derive(Clone)]
struct Pair {
    chain: Vec<CertificateDer<'static>>,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads the PEM files of a certificate, its chain included, and of its key.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub(crate) fn load(certificate: &Path, key: &Path) -> Result<Self, Diagnostic> {
        let current = RwLock::new(Pair::read(certificate, key)?);
        Ok(Self(Arc::new(Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current,
        })))
    }

    /// The files.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        vec![self.0.certificate.clone(), self.0.key.clone()]
    }

    /// Reads the files again. New connections get the new certificate; if something is
    /// wrong with it, they go on to get the old one. Logs both outcomes.
    pub(crate) async fn reload(&self) {
        let tls = self.clone();
        let read = move || Pair::read(&tls.0.certificate, &tls.0.key);
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(pair)) => self.swap(pair),
            Ok(Err(problem)) => {
                tracing::error!(%problem, "the TLS certificate was not reloaded; the service goes on with the one it has");
            }
            // The panic hook has logged where.
            Err(_) => tracing::error!("the reload of the TLS certificate panicked"),
        }
    }

    fn swap(&self, pair: Pair) {
        let current = self.0.current.write();
        let mut current = current.unwrap_or_else(PoisonError::into_inner);
        let is_new = current.chain != pair.chain;
        *current = pair;
        drop(current);
        if is_new {
            tracing::info!(certificate = %self.0.certificate.display(), "reloaded the TLS certificate");
        }
    }

    /// Makes an encrypted connection of a new one.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = {
            let current = self.0.current.read();
            let current = current.unwrap_or_else(PoisonError::into_inner);
            TlsAcceptor::from(Arc::clone(&current.config))
        };
        acceptor.accept(stream).await
    }
}

impl Pair {
    fn read(certificate: &Path, key: &Path) -> Result<Self, Diagnostic> {
        let unreadable = |file: &Path, kind: &str, error: pem::Error| {
            let message = match error {
                pem::Error::Io(error) => format!("cannot be read: {error}"),
                pem::Error::NoItemsFound => format!("holds no {kind} in PEM form"),
                error => format!("is not a valid PEM file: {error}"),
            };
            Diagnostic::error(message)
                .with_source(file.display().to_string())
                .with_remedy(format!("name a PEM file with the {kind}"))
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .and_then(|chain| {
                let is_empty = chain.is_empty();
                (!is_empty).then_some(chain).ok_or(pem::Error::NoItemsFound)
            })
            .map_err(|error| unreadable(certificate, "certificate", error))?;
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| unreadable(key, "private key", error))?;
        let config = config(chain.clone(), private).map_err(|error| {
            let message = format!("cannot be used with the key in {}: {error}", key.display());
            Diagnostic::error(message)
                .with_source(certificate.display().to_string())
                .with_remedy("name a certificate and the key that it was made for")
        })?;
        Ok(Self {
            chain,
            config: Arc::new(config),
        })
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, tokio_rustls::rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
