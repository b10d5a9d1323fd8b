//! The keys that JSON Web Tokens are checked with.
//!
//! Each key is bound to the algorithms that it is for, so a token cannot choose how it
//! is checked: a public key is never taken for the secret of HS256.

use intent_router::Diagnostic;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde_json::Value;

/// The most keys of a set. A token without a key's name is checked with each.
const MOST_KEYS: usize = 32;

/// The least bytes of an RSA key of 2048 bits: of its modulus, and of modulus and
/// exponent in DER.
const LEAST_MODULUS: usize = 256;
const LEAST_RSA_DER: usize = 268;

/// The bytes of a public key: of P-256 its uncompressed point, of Ed25519 its point.
const P256: usize = 65;
const ED25519: usize = 32;

/// A key and the algorithms that it is for.
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// Keys.
pub(super) struct KeySet(Vec<Key>);

impl KeySet {
    /// The secret of HMAC algorithms, which must be as long as the longest hash
    /// (RFC 7518, 3.2).
    ///
    /// # Errors
    /// The secret is too short, or is a key file.
    pub(super) fn secret(secret: &str, accepted: &[Algorithm]) -> Result<Self, Diagnostic> {
        if secret.starts_with("-----BEGIN") {
            return Err(Diagnostic::error("the secret is a key in PEM form")
                .with_remedy("name a public key with `key_file`"));
        }
        let length = |algorithm: &Algorithm| match algorithm {
            Algorithm::HS256 => 32,
            Algorithm::HS384 => 48,
            _ => 64,
        };
        let least = accepted.iter().map(length).max().unwrap_or(32);
        if secret.len() < least {
            let message = format!(
                "the secret has {} bytes; its algorithms need {least}",
                secret.len()
            );
            return Err(Diagnostic::error(message)
                .with_remedy("make a random one, for example with `openssl rand -hex 64`"));
        }
        let key = DecodingKey::from_secret(secret.as_bytes())
            .map_err(|error| Diagnostic::error(error.to_string()))?;
        Ok(Self(vec![Key {
            id: None,
            algorithms: accepted.to_vec(),
            key,
        }]))
    }

    /// The key of a PEM file, or the keys of a JWKS file.
    ///
    /// # Errors
    /// The text is neither, or no key is for an accepted algorithm.
    pub(super) fn file(text: &str, accepted: &[Algorithm]) -> Result<Self, Diagnostic> {
        let remedy = "name a public key (PEM) or a set of them (JWKS)";
        let keys = if text.trim_start().starts_with('{') {
            Self::jwks(text.as_bytes(), accepted)
        } else {
            pem(text, accepted).map(|key| Self(vec![key]))
        };
        keys.map_err(|error| Diagnostic::error(error).with_remedy(remedy))
    }

    /// The keys of a JWKS document (RFC 7517). Keys for other algorithms and uses are
    /// left out, and so are secrets, which do not belong in a set of public keys.
    ///
    /// # Errors
    /// It is no such document, or holds no key for an accepted algorithm.
    pub(super) fn jwks(text: &[u8], accepted: &[Algorithm]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document =
            serde_json::from_slice(text).map_err(|error| format!("is no JWKS: {error}"))?;
        if document.keys.len() > MOST_KEYS {
            let count = document.keys.len();
            return Err(format!("has {count} keys; {MOST_KEYS} are the most"));
        }
        // A key of a kind that this program does not know is no error.
        let known = document.keys.into_iter();
        let known = known.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let keys: Vec<Key> = known.filter_map(|jwk| of_jwk(&jwk, accepted)).collect();
        if keys.is_empty() {
            return Err("has no key for any of auth.jwt.algorithms".to_owned());
        }
        Ok(Self(keys))
    }

    /// The keys that a token may be signed with. A key without a name fits every token,
    /// and a token without a key's name every key.
    pub(super) fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &DecodingKey> {
        let fits = move |key: &&Key| {
            let named = key
                .id
                .as_deref()
                .is_none_or(|own| id.is_none_or(|id| own == id));
            named && key.algorithms.contains(&algorithm)
        };
        self.0.iter().filter(fits).map(|key| &key.key)
    }
}

fn pem(text: &str, accepted: &[Algorithm]) -> Result<Key, String> {
    let labels: Vec<&str> = text.matches("-----BEGIN").collect();
    if labels.len() != 1 {
        return Err(format!("has {} PEM blocks instead of one", labels.len()));
    }
    if text.contains("PRIVATE KEY-----") {
        return Err("is a private key, which only the issuer may have".to_owned());
    }
    // Of a certificate, the library would take the wrong part.
    if !text.contains("PUBLIC KEY-----") {
        return Err("is no public key".to_owned());
    }
    let bytes = text.as_bytes();
    let key = DecodingKey::from_rsa_pem(bytes)
        .or_else(|_| DecodingKey::from_ec_pem(bytes))
        .or_else(|_| DecodingKey::from_ed_pem(bytes))
        .map_err(|_| "is no public key of RSA, P-256 or Ed25519".to_owned())?;
    check_size(&key)?;
    let algorithms = fitting(&key, accepted);
    if algorithms.is_empty() {
        return Err("is a key for none of auth.jwt.algorithms".to_owned());
    }
    Ok(Key {
        id: None,
        algorithms,
        key,
    })
}

/// The key of a JWK, if it is a public key for an accepted algorithm.
fn of_jwk(jwk: &Jwk, accepted: &[Algorithm]) -> Option<Key> {
    let for_signatures = matches!(
        jwk.common.public_key_use,
        None | Some(PublicKeyUse::Signature)
    );
    let is_public = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => true,
        AlgorithmParameters::EllipticCurve(key) => key.curve == EllipticCurve::P256,
        AlgorithmParameters::OctetKeyPair(key) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    if !(for_signatures && is_public) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    check_size(&key).ok()?;
    let mut algorithms = fitting(&key, accepted);
    if let Some(own) = jwk.common.key_algorithm {
        algorithms.retain(|algorithm| KeyAlgorithm::from(*algorithm) == own);
    }
    (!algorithms.is_empty()).then(|| Key {
        id: jwk.common.key_id.clone(),
        algorithms,
        key,
    })
}

/// The accepted algorithms that the key is for.
fn fitting(key: &DecodingKey, accepted: &[Algorithm]) -> Vec<Algorithm> {
    let is_for = |algorithm: &&Algorithm| algorithm.family() == key.family();
    accepted.iter().filter(is_for).copied().collect()
}

fn check_size(key: &DecodingKey) -> Result<(), String> {
    let (bytes, least_rsa) = match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => (bytes.len(), LEAST_RSA_DER),
        DecodingKeyKind::RsaModulusExponent { n, .. } => {
            let leading_zeros = n.iter().take_while(|byte| **byte == 0).count();
            (n.len() - leading_zeros, LEAST_MODULUS)
        }
    };
    match key.family() {
        AlgorithmFamily::Rsa if bytes < least_rsa => {
            Err("is an RSA key of less than 2048 bits".to_owned())
        }
        AlgorithmFamily::Ec if bytes != P256 => {
            Err("is a key of another curve than P-256".to_owned())
        }
        AlgorithmFamily::Ed if bytes != ED25519 => {
            Err("is a key of another curve than Ed25519".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
