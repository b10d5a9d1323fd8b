//! Closes a listening socket without losing a connection.
//!
//! A client sends its request as soon as its connection is made, which for the system
//! of the service is a round trip after its first packet. If the socket is closed in
//! between, the connection is reset, and the request with it. So new connections are
//! kept out first: on Linux a filter drops their first packet, which the client's
//! system sends again a second later, to a closed socket. Connections that were begun
//! before get the time to be made and accepted.
//!
//! Elsewhere the socket is closed right after the last accept.

use std::time::Duration;

use tokio::net::TcpListener;

/// How long a connection may take to be made once its first packet has passed: one
/// round trip.
pub(super) const HANDSHAKE: Duration = Duration::from_millis(100);

/// Drops the packets that begin new connections. Returns whether it could.
#[cfg(target_os = "linux")]
pub(super) fn keep_out(socket: &TcpListener) -> bool {
    use socket2::{SockFilter, SockRef};

    /// Loads the byte of the TCP header's flags.
    const LOAD_FLAGS: SockFilter = SockFilter::new(0x30, 0, 0, 13);
    /// Goes on to the next line if SYN is set, else to the one after it.
    const IF_SYN: SockFilter = SockFilter::new(0x45, 0, 1, 0x02);
    const DROP: SockFilter = SockFilter::new(0x06, 0, 0, 0);
    const PASS: SockFilter = SockFilter::new(0x06, 0, 0, u32::MAX);
    let filter = [LOAD_FLAGS, IF_SYN, DROP, PASS];
    SockRef::from(socket).attach_filter(&filter).is_ok()
}

/// Elsewhere nothing is kept out.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_out(_socket: &TcpListener) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn new_connections_are_kept_out_and_earlier_ones_are_not() {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = socket.local_addr().expect("an address");
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200));
        let earlier = connect().expect("it is open");
        assert!(keep_out(&socket));
        let refused = connect().expect_err("it is kept out");
        assert_eq!(refused.kind(), ErrorKind::TimedOut);
        let (_, peer) = socket.accept().await.expect("the earlier connection");
        assert_eq!(peer, earlier.local_addr().expect("an address"));
    }
}
