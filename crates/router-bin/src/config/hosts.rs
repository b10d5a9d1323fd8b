//! Host names, as the setting `server.hosts` lists them and requests name them.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest host name in bytes (RFC 1035).
const MOST_NAME: usize = 253;

/// A host without a port: an IP address, or a name in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// An IP address.
    Ip(IpAddr),
    /// A name, without the dot that may end it.
    Name(String),
}

impl Host {
    /// Whether it names this machine to itself.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(address) => address.is_loopback(),
            Self::Name(name) => name == "localhost",
        }
    }
}

impl FromStr for Host {
    type Err = ();

    /// Reads a host as a URL writes it: an IPv6 address is in brackets.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Some(inner) = text.strip_prefix('[') {
            let address = inner.strip_suffix(']').ok_or(())?;
            return address
                .parse::<Ipv6Addr>()
                .map(|address| Self::Ip(address.into()))
                .map_err(drop);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(IpAddr::V4(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let part = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !part.is_empty() && part.bytes().all(allowed)
        };
        if name.len() <= MOST_NAME && name.split('.').all(part) {
            return Ok(Self::Name(name.to_ascii_lowercase()));
        }
        Err(())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The setting `server.hosts`: a list, or in a variable names with commas between
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostList(Vec<Host>);

impl HostList {
    /// Whether the list has this host.
    pub(crate) fn contains(&self, host: &Host) -> bool {
        self.0.contains(host)
    }
}

fn read<E: Error>(text: &str) -> Result<Host, E> {
    text.parse().map_err(|()| {
        E::custom(format_args!(
            "`{}` is not a host name; write a name or an IP address without scheme and port, \
             such as \"cache.example.com\" or \"[2001:db8::1]\"",
            text.escape_debug()
        ))
    })
}

impl<'de> Deserialize<'de> for HostList {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = HostList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of host names")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<HostList, E> {
                let names = text.split(',').map(|name| read(name.trim()));
                names.collect::<Result<_, E>>().map(HostList)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<HostList, A::Error> {
                let mut hosts = Vec::new();
                while let Some(name) = list.next_element::<Cow<'_, str>>()? {
                    hosts.push(read(&name)?);
                }
                Ok(HostList(hosts))
            }
        }

        from.deserialize_any(Names)
    }
}

impl Serialize for HostList {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

impl JsonSchema for HostList {
    fn schema_name() -> Cow<'static, str> {
        "HostList".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_urls_write_them() {
        for (text, host) in [
            ("localhost", Some("localhost")),
            ("LocalHost.", Some("localhost")),
            ("a-b_c.example", Some("a-b_c.example")),
            ("127.0.0.1", Some("127.0.0.1")),
            ("[::1]", Some("[::1]")),
            ("[0:0::1]", Some("[::1]")),
            ("::1", None),
            ("[::1", None),
            ("[127.0.0.1]", None),
            ("", None),
            (".", None),
            ("a..b", None),
            ("a b", None),
            ("a/b", None),
            ("user@host", None),
            ("host:80", None),
            ("caf\u{e9}", None),
        ] {
            let read = text.parse::<Host>().ok().map(|host| host.to_string());
            assert_eq!(read.as_deref(), host, "{text}");
        }
    }

    #[test]
    fn loopback_is_told_by_name_and_by_address() {
        for (text, is_loopback) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.8.9.10", true),
            ("[::1]", true),
            ("128.0.0.1", false),
            ("0.0.0.0", false),
            ("[::]", false),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("127.1", false),
        ] {
            let host: Host = text.parse().expect("a host");
            assert_eq!(host.is_loopback(), is_loopback, "{text}");
        }
    }
}
