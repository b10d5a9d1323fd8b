//! The sockets that the service listens on: those that a service manager passes
//! (systemd's socket activation), or else new ones.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};

use listenfd::ListenFd;
use tokio::net::TcpListener;

/// The name that the passed socket for administration has (`FileDescriptorName=`).
const ADMIN: &str = "admin";

/// The passed sockets.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    public: Option<StdListener>,
    admin: Option<StdListener>,
}

impl Sockets {
    /// Takes the sockets that were passed to this process: at most one by the name
    /// `admin`, and at most one by any other.
    ///
    /// This removes variables of the environment, so it must run before there are
    /// threads that might read it.
    ///
    /// # Errors
    /// If a passed file is not a listening socket, or there are too many.
    pub(crate) fn passed() -> io::Result<Self> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut files = ListenFd::from_env();
        let mut sockets = Self::default();
        for index in 0..files.len() {
            let place = match names.next() {
                Some(ADMIN) => &mut sockets.admin,
                _ => &mut sockets.public,
            };
            if place.is_some() {
                let message = "more than one socket for the same listener was passed; \
                     pass one, and one with FileDescriptorName=admin";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            *place = files.take_tcp_listener(index)?;
        }
        Ok(sockets)
    }

    /// The addresses of the passed sockets: the public one, and that for
    /// administration.
    ///
    /// # Errors
    /// If the system cannot tell one.
    pub(crate) fn addresses(&self) -> io::Result<[Option<SocketAddr>; 2]> {
        let address = |socket: &Option<StdListener>| {
            let socket = socket.as_ref();
            socket.map(StdListener::local_addr).transpose()
        };
        Ok([address(&self.public)?, address(&self.admin)?])
    }

    /// The public socket, and whether it was passed; else a new one at `address`.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) async fn public(&mut self, address: SocketAddr) -> io::Result<(TcpListener, bool)> {
        socket(self.public.take(), address).await
    }

    /// The socket for administration, and whether it was passed; else a new one at
    /// `address`, if there is one.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) async fn admin(
        &mut self,
        address: Option<SocketAddr>,
    ) -> io::Result<Option<(TcpListener, bool)>> {
        match (self.admin.take(), address) {
            (Some(passed), _) => adopt(passed).map(Some),
            (None, Some(address)) => socket(None, address).await.map(Some),
            (None, None) => Ok(None),
        }
    }
}

async fn socket(
    passed: Option<StdListener>,
    address: SocketAddr,
) -> io::Result<(TcpListener, bool)> {
    match passed {
        Some(passed) => adopt(passed),
        None => TcpListener::bind(address)
            .await
            .map(|socket| (socket, false)),
    }
}

fn adopt(passed: StdListener) -> io::Result<(TcpListener, bool)> {
    passed.set_nonblocking(true)?;
    TcpListener::from_std(passed).map(|socket| (socket, true))
}
