//! The hosts by which this service may be asked, and the reading of the host that
//! a request or an origin names.

use std::net::IpAddr;

use http::uri::Authority;
use http::{HeaderMap, Uri, Version, header};

use crate::config::{Host, HostList};

/// The hosts by which this service may be asked: loopback names, the listen
/// addresses, and those of the setting `server.hosts`.
///
/// A page that a browser loaded under another name could otherwise point this name
/// at this service and read its answers (DNS rebinding).
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    listen: Vec<IpAddr>,
    configured: HostList,
}

impl Hosts {
    /// The hosts of a service that listens on these addresses.
    pub(crate) fn new(listen: Vec<IpAddr>, configured: HostList) -> Self {
        Self { listen, configured }
    }

    /// Whether the service may be asked by this host, at any port. An unspecified
    /// listen address (`0.0.0.0`, `[::]`) allows no further host.
    pub(crate) fn allow(&self, host: &Host) -> bool {
        let mut own = self.listen.iter().filter(|ip| !ip.is_unspecified());
        let is_own = own.any(|ip| *host == Host::Ip(*ip));
        host.is_loopback() || is_own || self.configured.contains(host)
    }
}

/// A host with the port, if one is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    pub(crate) host: Host,
    pub(crate) port: Option<u16>,
}

impl HostPort {
    /// Reads `host` or `host:port`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        let host = authority.host();
        let port = match text.strip_prefix(host)? {
            "" => None,
            rest => Some(rest.strip_prefix(':')?.parse().ok()?),
        };
        let host = host.parse().ok()?;
        Some(Self { host, port })
    }
}

/// What is wrong with the host that a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostFault {
    /// There is none.
    Missing,
    /// There are several, which may differ.
    Several,
    /// It is not a host name or address with an optional port.
    Malformed,
}

/// The host that a request is for. HTTP/2 names it in the URI (`:authority`), and
/// HTTP/1.1 in exactly one `Host` header, with which an absolute URI must agree.
pub(crate) fn named(
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<HostPort, HostFault> {
    let mut given = headers.get_all(header::HOST).iter();
    let header = given.next();
    if given.next().is_some() {
        return Err(HostFault::Several);
    }
    let header = match header {
        Some(value) => {
            let text = value.to_str().map_err(|_| HostFault::Malformed)?;
            Some(HostPort::read(text).ok_or(HostFault::Malformed)?)
        }
        None => None,
    };
    let uri = match uri.authority() {
        Some(authority) => Some(HostPort::read(authority.as_str()).ok_or(HostFault::Malformed)?),
        None => None,
    };
    match (header, uri) {
        (Some(header), Some(uri)) if header != uri => Err(HostFault::Several),
        (Some(named), _) => Ok(named),
        (None, Some(uri)) if version >= Version::HTTP_2 => Ok(uri),
        (None, _) => Err(HostFault::Missing),
    }
}
