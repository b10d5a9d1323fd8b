//! A listener: accepts connections up to a number, keeps room for probes beyond it,
//! and drains when the service stops.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::closing::{HANDSHAKE, keep_out};
use super::limits::Limits;
use super::serving::{Access, Serving};
use super::stop::{Phase, Stop};
use super::tls::Tls;

/// The connections beyond the limit that are open at once. They may only probe.
const PROBE_CONNECTIONS: usize = 64;

/// The time of such a connection to send a request and to read the response.
const PROBE_TIME: Duration = Duration::from_secs(2);

/// The most connections that are taken from the system's queue when the service stops:
/// a queue that its clients fill as fast as it is emptied must not delay the stop.
const MOST_QUEUED: usize = 4096;

/// A socket and how its connections are served.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    /// Whether a service manager passed the socket. It keeps it open, so connections
    /// that are not accepted wait for the next process.
    pub(crate) is_passed: bool,
    /// With it, connections are encrypted.
    pub(crate) tls: Option<Tls>,
    pub(crate) limits: Limits,
    pub(crate) max_connections: usize,
    /// The setting of `max_connections`.
    pub(crate) setting: &'static str,
}

impl Listener {
    /// Serves `app` until the service drains, then answers what was received within
    /// the deadline.
    pub(crate) async fn serve(self, app: Router, mut stop: Stop) {
        let (open, mut all_closed) = mpsc::channel::<()>(1);
        let deadline = self.limits.shutdown_deadline;
        let mut connections = Connections::new(&self, app, stop.clone(), open);
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = stop.reached(Phase::Draining) => break,
            };
            match accepted {
                Ok((stream, peer)) => connections.serve(stream, peer),
                Err(error) => pause_after(&error).await,
            }
        }
        if !self.is_passed {
            self.close(&mut connections).await;
        }
        // The channel closes with the last connection.
        drop(connections);
        if tokio::time::timeout(deadline, all_closed.recv())
            .await
            .is_err()
        {
            tracing::warn!(
                "requests were still in flight at the shutdown deadline; they are aborted"
            );
        }
    }

    /// Closes the socket, and serves what has arrived by then.
    async fn close(self, connections: &mut Connections) {
        if keep_out(&self.socket) {
            let accept = async {
                while let Ok((stream, peer)) = self.socket.accept().await {
                    connections.serve(stream, peer);
                }
            };
            // Ends by the timeout.
            let _ = tokio::time::timeout(HANDSHAKE, accept).await;
        }
        connections.serve_queued(self.socket);
    }
}

/// The connections of a listener.
struct Connections {
    slots: Arc<Semaphore>,
    /// Serves connections within the limit.
    within: Serving,
    /// Serves those beyond it.
    probes: Serving,
    /// The connections beyond the limit, in the order of their arrival.
    probing: VecDeque<JoinHandle<()>>,
}

impl Connections {
    fn new(listener: &Listener, app: Router, stop: Stop, open: mpsc::Sender<()>) -> Self {
        let most = listener.max_connections;
        let within = Serving {
            app,
            tls: listener.tls.clone(),
            limits: listener.limits,
            access: Access::All {
                requests: Arc::new(Semaphore::new(most)),
            },
            max_connections: most,
            setting: listener.setting,
            stop,
            _open: open,
        };
        let probes = Serving {
            limits: Limits {
                header_timeout: PROBE_TIME,
                idle_timeout: PROBE_TIME,
                ..listener.limits
            },
            access: Access::Probes,
            ..within.clone()
        };
        Self {
            slots: Arc::new(Semaphore::new(most)),
            within,
            probes,
            probing: VecDeque::new(),
        }
    }

    /// Serves a connection in a task of its own.
    fn serve(&mut self, stream: TcpStream, peer: SocketAddr) {
        // Responses are small and written at once, so Nagle's algorithm only
        // delays them. A socket without the option works too.
        let _ = stream.set_nodelay(true);
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            let served = self.within.clone().serve(stream, peer);
            tokio::spawn(async move {
                served.await;
                drop(slot);
            });
            return;
        }
        self.probing.retain(|probe| !probe.is_finished());
        // The oldest one has had the longest time to send its request.
        if self.probing.len() >= PROBE_CONNECTIONS
            && let Some(oldest) = self.probing.pop_front()
        {
            oldest.abort();
        }
        let served = self.probes.clone().serve(stream, peer);
        self.probing.push_back(tokio::spawn(served));
    }

    /// Serves the connections that the system has accepted, then closes the socket.
    /// Nothing waits in between, as a connection made in the meantime would be lost.
    fn serve_queued(&mut self, socket: TcpListener) {
        let Ok(socket) = socket.into_std() else {
            return;
        };
        for _ in 0..MOST_QUEUED {
            let Ok((stream, peer)) = socket.accept() else {
                break;
            };
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.serve(stream, peer);
            }
        }
    }
}

/// Pauses after a failed accept: without file descriptors or memory the next one
/// would fail at once. A connection that its client closed needs no pause.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        return;
    }
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
