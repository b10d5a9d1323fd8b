//! Services of each mode, and credentials for them.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::program::{argument, file};
use crate::support::Server;

/// The scopes of the tokens below, each of which is named for its scope.
pub(crate) const SCOPES: [&str; 6] = [
    "ask",
    "ask-for-anyone",
    "fill",
    "invalidate",
    "admin",
    "metrics",
];

/// The folder of the tests' keys.
pub(crate) const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");

/// The secret of a token with this name.
pub(crate) fn token(name: &str) -> String {
    format!("{name}-{}", "0123456789abcdef".repeat(2))
}

/// The tables of tokens: one for each scope, one for each of two users, and one that may
/// do everything.
fn tokens(folder: &str) -> String {
    let all = SCOPES.map(|scope| format!("'{scope}'")).join(", ");
    let mut tables: Vec<(String, String)> = SCOPES
        .iter()
        .map(|scope| ((*scope).to_owned(), format!("scopes = ['{scope}']")))
        .collect();
    for user in ["BEN-000001", "BEN-000002"] {
        let table = format!("scopes = ['ask']\nuser_id = '{user}'\nuser_role = 'beneficiary'");
        tables.push((user.to_owned(), table));
    }
    tables.push(("all".to_owned(), format!("scopes = [{all}]")));
    let tables = tables.into_iter().map(|(name, rest)| {
        file(folder, &name, token(&name) + "\n");
        format!("[[auth.tokens]]\nname = '{name}'\nfile = '{name}'\n{rest}\n")
    });
    tables.collect()
}

/// A service with these settings and the tokens above.
pub(crate) fn server(folder: &str, settings: &str) -> Server {
    let text = format!("{settings}\n{}", tokens(folder));
    let config = file(folder, "router.toml", text);
    Server::start(&[
        ("ROUTER_CONFIG", argument(&config)),
        ("ROUTER_MCP__ENABLED", "true"),
    ])
}

/// The settings of mode `jwt`, with keys of the tests.
pub(crate) fn jwt() -> String {
    format!(
        "[auth]\nmode = 'jwt'\n[auth.jwt]\nalgorithms = ['EdDSA']\nkey_file = '{KEYS}/ed.pub'\n\
         issuer = 'https://id.example.org'\naudience = ['router']\nrole_claim = 'role'\n\
         scope_claim = 'scope'"
    )
}

/// The settings of mode `trusted_proxy` with a proxy at this address.
pub(crate) fn proxy(from: &str) -> String {
    format!(
        "[auth]\nmode = 'trusted_proxy'\n[auth.trusted_proxy]\nfrom = ['{from}']\n\
         user_header = 'X-User'\nrole_header = 'X-Role'"
    )
}

/// A JSON Web Token for mode `jwt`, signed with the key of this name.
pub(crate) fn signed(key: &str, user: &str, scope: &str, seconds: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time");
    let claims: Value = json!({
        "sub": user, "role": "beneficiary", "scope": scope, "aud": "router",
        "iss": "https://id.example.org", "exp": now.as_secs().saturating_add_signed(seconds),
    });
    let pem = std::fs::read(format!("{KEYS}/{key}.pem")).expect("a key");
    let private = EncodingKey::from_ed_pem(&pem).expect("a key");
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(key.to_owned());
    encode(&header, &claims, &private).expect("a token")
}

/// The header of a bearer token.
pub(crate) fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}
