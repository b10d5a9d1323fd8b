//! A connection that speaks the replication protocol, which `tokio-postgres` lacks.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::frontend;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_rustls::TlsConnector;

use crate::postgres::{CONNECT_TIME, PostgresAddress};

/// The longest message that is read, in bytes. A row may be longer; reading it fails.
const LONGEST_MESSAGE: usize = 64 << 20;

/// Why a connection cannot be used further.
#[derive(Debug, Error)]
pub(super) enum WireError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server's error.
    #[error("{message} (SQLSTATE {code})")]
    Server { code: String, message: String },
    #[error("{0}")]
    Protocol(&'static str),
    #[error("the server did not answer in time")]
    Timeout,
}

/// A row of a simple query: texts, or `None` for NULL.
pub(super) type Row = Vec<Option<String>>;

/// A message of the server.
pub(super) struct Frame {
    pub(super) tag: u8,
    pub(super) body: Bytes,
}

trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}

/// A connection to a server; closed when it is dropped.
pub(super) struct Connection {
    stream: Box<dyn Transport>,
    input: BytesMut,
}

/// Connects to the first host that takes a connection.
async fn reach(address: &PostgresAddress) -> Result<Box<dyn Transport>, WireError> {
    let ports = address.config.get_ports();
    let mut last = WireError::Protocol("the URL names no host");
    for (index, host) in address.config.get_hosts().iter().enumerate() {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let reached = match host {
            Host::Tcp(host) => reach_host(address, host, port).await,
            #[cfg(unix)]
            Host::Unix(folder) => {
                let path = folder.join(format!(".s.PGSQL.{port}"));
                match tokio::net::UnixStream::connect(path).await {
                    Ok(stream) => return Ok(Box::new(stream)),
                    Err(error) => Err(error.into()),
                }
            }
        };
        match reached {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn reach_host(
    address: &PostgresAddress,
    host: &str,
    port: u16,
) -> Result<Box<dyn Transport>, WireError> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    if address.config.get_ssl_mode() == SslMode::Disable {
        return Ok(Box::new(stream));
    }
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await?;
    if stream.read_u8().await? != b'S' {
        return Err(WireError::Protocol(
            "the server has no TLS; `sslmode=disable` does without",
        ));
    }
    let name = rustls::pki_types::ServerName::try_from(host.to_owned())
        .map_err(|_| WireError::Protocol("the host is no name for TLS"))?;
    let connector = TlsConnector::from(Arc::clone(&address.tls));
    Ok(Box::new(connector.connect(name, stream).await?))
}

impl Connection {
    /// Connects and logs in; for replication or for SQL.
    pub(super) async fn open(
        address: &PostgresAddress,
        for_replication: bool,
    ) -> Result<Self, WireError> {
        let limit = address.config.get_connect_timeout().copied();
        let opening = async {
            let stream = reach(address).await?;
            let input = BytesMut::new();
            let mut connection = Self { stream, input };
            connection.log_in(&address.config, for_replication).await?;
            Ok(connection)
        };
        within(limit.unwrap_or(CONNECT_TIME), opening).await
    }

    async fn log_in(&mut self, config: &Config, for_replication: bool) -> Result<(), WireError> {
        let user = config.get_user().unwrap_or_default();
        let password = config.get_password().unwrap_or_default();
        let mut parameters = vec![
            ("user", user),
            ("database", config.get_dbname().unwrap_or(user)),
            ("client_encoding", "UTF8"),
            (
                "application_name",
                config.get_application_name().unwrap_or("router"),
            ),
        ];
        if let Some(options) = config.get_options() {
            parameters.push(("options", options));
        }
        if for_replication {
            parameters.push(("replication", "database"));
        }
        let mut out = BytesMut::new();
        frontend::startup_message(parameters, &mut out)?;
        self.send(&out).await?;
        let mut scram = None;
        loop {
            let mut frame = self.frame().await?;
            out.clear();
            match frame.tag {
                b'R' if frame.body.remaining() >= 4 => match frame.body.get_i32() {
                    0 => continue,
                    3 => frontend::password_message(password, &mut out)?,
                    5 if frame.body.remaining() >= 4 => {
                        let salt = frame.body.get_u32().to_be_bytes();
                        let hash = md5_hash(user.as_bytes(), password, salt);
                        frontend::password_message(hash.as_bytes(), &mut out)?;
                    }
                    10 => {
                        let unbound = sasl::ChannelBinding::unsupported();
                        let begun = sasl::ScramSha256::new(password, unbound);
                        let message = begun.message();
                        frontend::sasl_initial_response(sasl::SCRAM_SHA_256, message, &mut out)?;
                        scram = Some(begun);
                    }
                    11 => {
                        let scram = scram.as_mut().ok_or(UNEXPECTED)?;
                        scram.update(&frame.body)?;
                        frontend::sasl_response(scram.message(), &mut out)?;
                    }
                    12 => {
                        scram.as_mut().ok_or(UNEXPECTED)?.finish(&frame.body)?;
                        continue;
                    }
                    _ => {
                        return Err(WireError::Protocol(
                            "the server asks for a way to log in that is not supported; \
                             it takes scram-sha-256, md5, and password",
                        ));
                    }
                },
                b'Z' => return Ok(()),
                b'K' | b'S' | b'N' | b'v' => continue,
                _ => return Err(UNEXPECTED),
            }
            self.send(&out).await?;
        }
    }

    /// Runs SQL, and returns the rows of its statements.
    pub(super) async fn query(&mut self, sql: &str) -> Result<Vec<Row>, WireError> {
        let mut out = BytesMut::new();
        frontend::query(sql, &mut out)?;
        self.send(&out).await?;
        let mut rows = Vec::new();
        let mut failed = None;
        loop {
            match self.any_frame().await? {
                Frame { tag: b'D', body } => rows.push(row(body)?),
                Frame { tag: b'E', body } => failed = Some(server_error(&body)),
                Frame { tag: b'Z', .. } => return failed.map_or(Ok(rows), Err),
                Frame { tag: b'W', .. } => return Ok(rows),
                _ => {}
            }
        }
    }

    /// Whether a message can be read without waiting.
    pub(super) fn has_frame(&self) -> bool {
        match self.input.get(1..5) {
            Some(length) => self.input.len() > Buf::get_u32(&mut &*length) as usize,
            None => false,
        }
    }

    /// The next message; an error of the server is an error. Dropping the future
    /// loses nothing.
    pub(super) async fn frame(&mut self) -> Result<Frame, WireError> {
        match self.any_frame().await? {
            Frame { tag: b'E', body } => Err(server_error(&body)),
            frame => Ok(frame),
        }
    }

    async fn any_frame(&mut self) -> Result<Frame, WireError> {
        loop {
            if let Some(header) = self.input.get(..5) {
                let (tag, mut length) = (header[0], &header[1..]);
                let length = length.get_u32() as usize;
                if !(4..=LONGEST_MESSAGE).contains(&length) {
                    return Err(WireError::Protocol("a message is too long"));
                }
                if self.input.len() > length {
                    let mut body = self.input.split_to(length + 1).freeze();
                    body.advance(5);
                    return Ok(Frame { tag, body });
                }
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }
}

/// The outcome, or an error after the limit.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, WireError>>,
) -> Result<T, WireError> {
    let outcome = tokio::time::timeout(limit, work).await;
    outcome.unwrap_or(Err(WireError::Timeout))
}

const UNEXPECTED: WireError = WireError::Protocol("the server sent an unexpected message");

/// A row of texts.
fn row(mut body: Bytes) -> Result<Row, WireError> {
    let count = body.try_get_u16().map_err(|_| UNEXPECTED)?;
    let mut row = Vec::new();
    for _ in 0..count {
        let length = body.try_get_i32().map_err(|_| UNEXPECTED)?;
        row.push(match usize::try_from(length) {
            Err(_) => None,
            Ok(length) if length <= body.len() => {
                Some(String::from_utf8_lossy(&body.split_to(length)).into_owned())
            }
            Ok(_) => return Err(UNEXPECTED),
        });
    }
    Ok(row)
}

/// The code and the message of an error.
fn server_error(body: &[u8]) -> WireError {
    let (mut code, mut message) = (String::new(), String::new());
    for field in body.split(|&byte| byte == 0) {
        let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
        match field.split_first() {
            Some((b'C', value)) => code = text(value),
            Some((b'M', value)) => message = text(value),
            _ => {}
        }
    }
    WireError::Server { code, message }
}
