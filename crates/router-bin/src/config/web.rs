//! Names of the network: header fields, networks of peers, and the URL of a key set.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use http::{HeaderName, Uri};
use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderField(HeaderName);

/// An address or a network, such as `10.0.0.7` or `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network(IpNet);

/// The URL of a key set: `https`, or `http` on a loopback address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JwksUrl(Uri);

impl HeaderField {
    /// The name.
    pub(crate) fn name(&self) -> &HeaderName {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let name = HeaderName::try_from(text).map_err(|_| {
            format!(
                "`{}` is not the name of a header; write one such as \"X-Forwarded-User\"",
                text.escape_debug()
            )
        })?;
        Ok(Self(name))
    }
}

impl Network {
    /// Whether the address is in the network. An IPv4 address that is written in IPv6
    /// counts as itself.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let network = text.parse::<IpNet>().ok();
        let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        let network = network.ok_or_else(|| {
            format!(
                "`{}` is not an address or a network; write one such as \"10.0.0.7\" or \"10.0.0.0/8\"",
                text.escape_debug()
            )
        })?;
        Ok(Self(network))
    }
}

impl JwksUrl {
    /// The URL.
    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            "is not the URL of a key set; write one such as \"https://id.example.org/jwks.json\"";
        // The URL may hold a password, so the errors do not show it.
        let uri: Uri = text.parse().map_err(|_| format!("this {wrong}"))?;
        let host = uri.host().ok_or_else(|| format!("this {wrong}"))?;
        if uri.authority().is_some_and(|it| it.as_str().contains('@')) {
            return Err("a user or password in the URL is not supported; remove it".to_owned());
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if is_loopback(host) => Ok(Self(uri)),
            Some("http") => Err(
                "`http://` lets anyone on the way replace the keys; use `https://`, \
                 or an address of this machine"
                    .to_owned(),
            ),
            _ => Err(format!("this {wrong}")),
        }
    }
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Display for HeaderField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Reads, writes and describes a type as text.
macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "minLength": 1 })
            }
        }
    )*};
}

as_text!(HeaderField, Network, JwksUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_sets_come_over_tls_or_from_this_machine() {
        for good in [
            "https://id.example.org/jwks.json",
            "http://localhost:9000/keys",
            "http://127.0.0.2/keys",
            "http://[::1]:9000/keys",
        ] {
            assert!(JwksUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example.org/jwks.json",
            "http://localhost.example.org/keys",
            "http://127.0.0.1.example.org/keys",
            "http://10.0.0.1/keys",
            "ftp://localhost/keys",
            "file:///etc/keys",
            "/keys",
            "",
        ] {
            assert!(JwksUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn networks_contain_their_addresses_however_written() {
        let within = |network: &str, address: &str| {
            let network = Network::parse(network).expect("a network");
            network.contains(address.parse().expect("an address"))
        };
        assert!(within("10.0.0.7", "10.0.0.7"));
        assert!(within("10.0.0.0/8", "10.9.8.7"));
        assert!(within("10.0.0.0/8", "::ffff:10.9.8.7"));
        assert!(within("fd00::/8", "fd12::1"));
        assert!(!within("10.0.0.7", "10.0.0.8"));
        assert!(!within("10.0.0.0/8", "11.0.0.1"));
        assert!(!within("0.0.0.0/0", "fd12::1"));
        for bad in ["", "10.0.0", "10.0.0.0/33", "example.org"] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
    }
}
