//! Whose records a request gets: two users, and every combination of credential, headers
//! and body, in every mode. An answer that holds another user's records than the
//! credential allows is a cross read; there is none.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::setup::{bearer, jwt, proxy, server, signed, token};
use crate::support::Server;

const QUESTION: &str = "what is my claim status?";
const ROLE: &str = "beneficiary";
const A: &str = "BEN-000001";
const B: &str = "BEN-000002";

/// As whom a credential lets its bearer ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    /// As this user only.
    As(&'static str),
    /// As anyone, and as nobody by default.
    AsAnyone,
    /// As anyone, and as this user by default.
    AsAnyoneOr(&'static str),
    /// As nobody in particular.
    AsNobody,
    /// Not at all.
    Not,
}

type Headers = Vec<(&'static str, String)>;

/// A request's credential and what it allows.
struct Credential {
    headers: Headers,
    may: May,
}

fn credential(headers: impl IntoIterator<Item = (&'static str, String)>, may: May) -> Credential {
    Credential {
        headers: headers.into_iter().collect(),
        may,
    }
}

/// What a body says of its user.
fn bodies() -> Vec<Map<String, Value>> {
    let ids = [
        None,
        Some(json!(A)),
        Some(json!(B)),
        Some(json!(null)),
        Some(json!("")),
        Some(json!([A])),
        Some(json!(1)),
    ];
    let roles = [
        None,
        Some(json!(ROLE)),
        Some(json!("guest")),
        Some(json!(null)),
    ];
    let mut bodies = Vec::new();
    for role in &roles {
        for id in &ids {
            let members = [("user_id", id), ("user_role", role)];
            let given = members
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
            bodies.push(given.collect());
        }
    }
    bodies
}

/// The records of both users, from a service that believes the body.
fn records() -> BTreeMap<&'static str, Value> {
    let server = Server::start(&[]);
    let of = |user| {
        (
            user,
            server.ask(QUESTION, user, ROLE).value()["data"].clone(),
        )
    };
    let records: BTreeMap<_, _> = [A, B].map(of).into();
    assert_ne!(records[A], records[B]);
    records
}

/// The credentials that every mode but `none` takes: tokens of the configuration.
fn tokens(server: &Server) -> Vec<Credential> {
    let login = json!({ "token": token("all") });
    let cookie = server.post("/v1/session", &login);
    let cookie = cookie.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    vec![
        credential([bearer(&token(A))], May::As(A)),
        credential([bearer(&token(B))], May::As(B)),
        credential([bearer(&token("ask"))], May::AsNobody),
        credential([bearer(&token("ask-for-anyone"))], May::AsAnyone),
        credential([bearer(&token("all"))], May::AsAnyone),
        credential([bearer(&token("admin"))], May::Not),
        credential([bearer(&token("metrics"))], May::Not),
        credential([bearer(&token("unknown"))], May::Not),
        credential([("cookie", cookie.clone())], May::AsAnyone),
        credential([("cookie", cookie), bearer(&token(A))], May::As(A)),
        credential([("cookie", "router_session=1".to_owned())], May::Not),
        credential([bearer(&token(A)), bearer(&token(B))], May::Not),
    ]
}

/// The counts of what was asked and answered.
#[derive(Debug, Default)]
struct Counts {
    cases: usize,
    refused: usize,
    own: usize,
    hits: usize,
}

/// The user whose records the case may get; `None` if it must be refused.
fn expected(may: May, body: &Map<String, Value>) -> Option<Option<&'static str>> {
    let id = body.get("user_id");
    let role = body.get("user_role");
    let named = [A, B].into_iter().find(|user| id == Some(&json!(user)));
    match may {
        May::Not => None,
        May::AsAnyone => Some(named),
        May::AsAnyoneOr(user) => expected(May::As(user), body).or(Some(named)),
        May::AsNobody => (id.is_none() && role.is_none()).then_some(None),
        May::As(user) => {
            let same_user = id.is_none() || named == Some(user);
            let same_role = role.is_none() || role == Some(&json!(ROLE));
            (same_user && same_role).then_some(Some(user))
        }
    }
}

fn check(
    server: &Server,
    records: &BTreeMap<&str, Value>,
    credential: &Credential,
    body: &Map<String, Value>,
    counts: &mut Counts,
) {
    let request = json!({ "message": QUESTION, "user_context": body }).to_string();
    let mut headers = vec![("content-type", "application/json")];
    let given = credential.headers.iter();
    headers.extend(given.map(|(name, value)| (*name, value.as_str())));
    let reply = server.send("POST", "/v1/route", &headers, request.as_bytes());
    counts.cases += 1;
    let case = format!("{headers:?} {request}: {} {}", reply.status, reply.text());
    let owner = expected(credential.may, body);
    if reply.status != 200 {
        assert!([400, 401, 403].contains(&reply.status), "{case}");
        assert_eq!(owner, None, "refused for nothing: {case}");
        counts.refused += 1;
        return;
    }
    let data = &reply.value()["data"];
    for (user, records) in records {
        let is_cross_read = data == records && owner.flatten() != Some(*user);
        assert!(!is_cross_read, "cross read of {user}: {case}");
    }
    let owner = owner.unwrap_or_else(|| panic!("answered and must not be: {case}"));
    if let Some(owner) = owner {
        assert_eq!(data, &records[owner], "{case}");
        counts.own += 1;
    }
    counts.hits += usize::from(reply.is_hit());
}

/// Asks every case, then all again in the opposite order, when the cache is full of
/// answers of both users.
fn walk(server: &Server, credentials: &[Credential]) -> Counts {
    let records = records();
    let bodies = bodies();
    let mut cases: Vec<_> = credentials
        .iter()
        .flat_map(|credential| bodies.iter().map(move |body| (credential, body)))
        .collect();
    let mut counts = Counts::default();
    for _ in 0..2 {
        for (credential, body) in &cases {
            check(server, &records, credential, body, &mut counts);
        }
        cases.reverse();
    }
    assert_eq!(counts.cases, 2 * credentials.len() * bodies.len());
    counts
}

/// The headers with which a client may try to pass for another user.
fn forwarded() -> Vec<Headers> {
    let user = |id: &str| ("x-user", id.to_owned());
    let role = || ("x-role", ROLE.to_owned());
    vec![
        vec![],
        vec![user(A), role()],
        vec![user(B), role()],
        vec![user(B)],
        vec![user(A), user(B), role()],
        vec![user(""), role()],
    ]
}

/// The credentials, each with every set of forwarded headers, which mean nothing.
fn with_headers(credentials: Vec<Credential>) -> Vec<Credential> {
    let mut all = Vec::new();
    for Credential { headers, may } in &credentials {
        for forwarded in forwarded() {
            all.push(credential([forwarded, headers.clone()].concat(), *may));
        }
    }
    all
}

#[test]
fn without_authentication_the_body_names_the_user() {
    let server = Server::start(&[]);
    let credentials = with_headers(vec![
        credential([], May::AsAnyone),
        credential([bearer(&token(A))], May::AsAnyone),
    ]);
    let counts = walk(&server, &credentials);
    eprintln!("{counts:?}, 0 cross reads");
    assert_eq!(counts.refused, 0);
    assert!(counts.hits > 100, "{counts:?}");
}

#[test]
fn tokens_never_read_across() {
    let server = server("identity/token", "[auth]\nmode = 'token'");
    let mut credentials = tokens(&server);
    credentials.push(credential([], May::Not));
    let counts = walk(&server, &with_headers(credentials));
    eprintln!("{counts:?}, 0 cross reads");
    assert!(counts.hits > 300 && counts.own > 300, "{counts:?}");
}

#[test]
fn json_web_tokens_never_read_across() {
    let server = server("identity/jwt", &jwt());
    let mut credentials = tokens(&server);
    let other_payload = signed("ed", B, "ask", 600);
    let genuine = signed("ed", A, "ask", 600);
    let mut parts: Vec<&str> = genuine.split('.').collect();
    parts[1] = other_payload.split('.').nth(1).expect("a payload");
    credentials.extend([
        credential([], May::Not),
        credential([bearer(&genuine)], May::As(A)),
        credential([bearer(&other_payload)], May::As(B)),
        credential(
            [bearer(&signed("ed", A, "ask-for-anyone", 600))],
            May::AsAnyoneOr(A),
        ),
        credential([bearer(&signed("ed", A, "admin", 600))], May::Not),
        credential([bearer(&signed("ed", A, "ask", -600))], May::Not),
        credential([bearer(&signed("other-ed", A, "ask", 600))], May::Not),
        credential([bearer(&parts.join("."))], May::Not),
    ]);
    let counts = walk(&server, &with_headers(credentials));
    eprintln!("{counts:?}, 0 cross reads");
    assert!(counts.hits > 300 && counts.own > 300, "{counts:?}");
}

#[test]
fn a_trusted_proxy_never_lets_read_across() {
    let server = server("identity/proxy", &proxy("127.0.0.1"));
    let mut credentials = Vec::new();
    let named = [
        May::Not,
        May::As(A),
        May::As(B),
        May::Not,
        May::Not,
        May::Not,
    ];
    for (headers, may) in forwarded().into_iter().zip(named) {
        credentials.push(credential(headers.clone(), may));
        // Headers that are wrong are refused with any credential; else a token counts.
        let is_wrong = headers.len() == 1 || headers.len() == 3;
        for token in tokens(&server) {
            let mut headers = headers.clone();
            let may = match token.may {
                _ if is_wrong => May::Not,
                // No log-in: the headers count.
                May::Not if token.headers[0].1 == "router_session=1" => may,
                of_token => of_token,
            };
            headers.extend(token.headers);
            credentials.push(credential(headers, may));
        }
    }
    let counts = walk(&server, &credentials);
    eprintln!("{counts:?}, 0 cross reads");
    assert!(counts.hits > 300 && counts.own > 300, "{counts:?}");
}

#[test]
fn the_headers_of_a_proxy_are_refused_from_elsewhere() {
    let server = server("identity/elsewhere", &proxy("10.0.0.0/8"));
    let mut credentials = Vec::new();
    for headers in forwarded() {
        let is_given = !headers.is_empty();
        credentials.push(credential(headers.clone(), May::Not));
        for token in tokens(&server) {
            let may = if is_given { May::Not } else { token.may };
            let headers = [headers.clone(), token.headers].concat();
            credentials.push(credential(headers, may));
        }
    }
    let counts = walk(&server, &credentials);
    eprintln!("{counts:?}, 0 cross reads");
    assert!(counts.refused > 1000, "{counts:?}");
    let headers = [
        ("content-type", "application/json"),
        ("x-user", A),
        ("x-role", ROLE),
    ];
    let body = json!({ "message": QUESTION, "user_context": {} }).to_string();
    let reply = server.send("POST", "/v1/route", &headers, body.as_bytes());
    reply.is_problem(401, "127.0.0.1 is not in auth.trusted_proxy.from");
}

#[test]
fn a_body_that_names_another_user_is_told_so() {
    let server = server("identity/told", "[auth]\nmode = 'token'");
    let credential = bearer(&token(A));
    let headers = [
        ("content-type", "application/json"),
        (credential.0, &credential.1),
    ];
    let ask = |message: &str, context: Value| {
        let body = json!({ "message": message, "user_context": context }).to_string();
        server.send("POST", "/v1/route", &headers, body.as_bytes())
    };
    let reply = ask(QUESTION, json!({ "user_id": B }));
    reply.is_problem(403, "another user or role");
    assert_eq!(reply.value()["code"], "another_user");
    assert!(!reply.text().contains(B), "identifiers are not repeated");
    // The conversation still counts, without the body naming anyone.
    let conversation = json!({ "intent": "payment_history" });
    let reply = ask(
        "and for last month?",
        json!({ "conversation": conversation }),
    );
    assert_eq!(reply.value()["intent"], "payment_history");
    assert_eq!(reply.value()["source"], "live_data");
}
