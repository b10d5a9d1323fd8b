//! An issuer whose keys change, and who fails in every way. Time is paused.

use std::sync::Mutex;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use super::*;

const ED: &str = include_str!("../../../tests/keys/ed.pem");
const ACCEPTED: [Algorithm; 1] = [Algorithm::EdDSA];
const REFRESH: Duration = Duration::from_secs(600);
const INTERVAL: Duration = Duration::from_secs(30);

/// What the issuer answers.
#[derive(Clone)]
enum Answer {
    Keys(&'static [&'static str]),
    Text(&'static str),
    Fails,
    Never,
}

/// An issuer: its answer now, and how often it was asked.
struct Issuer(Mutex<(Answer, u32)>);

impl Issuer {
    fn answers(&self, answer: Answer) {
        self.0.lock().expect("a lock").0 = answer;
    }

    fn asked(&self) -> u32 {
        self.0.lock().expect("a lock").1
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let answer = {
            let mut state = self.0.lock().expect("a lock");
            state.1 += 1;
            state.0.clone()
        };
        match answer {
            Answer::Keys(names) => KeySet::jwks(document(names).as_bytes(), &ACCEPTED),
            Answer::Text(text) => KeySet::jwks(text.as_bytes(), &ACCEPTED),
            Answer::Fails => Err("answered 500".to_owned()),
            Answer::Never => std::future::pending().await,
        }
    }
}

/// A key set in which one key has these names.
fn document(names: &[&str]) -> String {
    let private = EncodingKey::from_ed_pem(ED.as_bytes()).expect("a key");
    let key = |name: &&str| {
        let mut jwk = Jwk::from_encoding_key(&private, Algorithm::EdDSA).expect("a public key");
        jwk.common.key_id = Some((*name).to_owned());
        jwk
    };
    json!({ "keys": names.iter().map(key).collect::<Vec<_>>() }).to_string()
}

/// Starts to fetch from an issuer that answers so.
fn start(answer: Answer) -> (Arc<Jwks>, Arc<Issuer>) {
    let jwks = Arc::new(Jwks::new(REFRESH, INTERVAL));
    let issuer = Arc::new(Issuer(Mutex::new((answer, 0))));
    let (keys, asked) = (Arc::clone(&jwks), Arc::clone(&issuer));
    tokio::spawn(async move { keys.run(|| asked.fetch()).await });
    (jwks, issuer)
}

/// Whether a key of this name is found, after a fetch if need be.
async fn knows(jwks: &Jwks, name: &str) -> Result<bool, Refusal> {
    let header = Header::new(Algorithm::EdDSA);
    let keys = jwks.find(Some(name), header.alg).await?;
    Ok(keys.candidates(Some(name), header.alg).next().is_some())
}

#[tokio::test(start_paused = true)]
async fn a_known_key_is_found_at_once_while_the_issuer_is_silent() {
    let (jwks, issuer) = start(Answer::Keys(&["a"]));
    assert_eq!(knows(&jwks, "a").await, Ok(true));
    issuer.answers(Answer::Never);
    tokio::time::sleep(REFRESH + Duration::from_secs(1)).await;
    assert_eq!(issuer.asked(), 2, "the next fetch is under way");
    let now = Instant::now();
    assert_eq!(knows(&jwks, "a").await, Ok(true));
    assert_eq!(now.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_fetched_once_in_an_interval() {
    let (jwks, issuer) = start(Answer::Keys(&["a"]));
    assert_eq!(knows(&jwks, "a").await, Ok(true));
    issuer.answers(Answer::Keys(&["b"]));
    // Too soon after the last fetch.
    assert_eq!(knows(&jwks, "b").await, Ok(false));
    assert_eq!(issuer.asked(), 1);
    tokio::time::advance(INTERVAL).await;
    let many = (0..100).map(|_| knows(&jwks, "b"));
    for found in futures_util::future::join_all(many).await {
        assert_eq!(found, Ok(true));
    }
    assert_eq!(issuer.asked(), 2, "all waited for one fetch");
    for n in 0..100 {
        assert_eq!(knows(&jwks, &format!("made up {n}")).await, Ok(false));
    }
    assert_eq!(issuer.asked(), 2);
    assert_eq!(
        knows(&jwks, "a").await,
        Ok(false),
        "a withdrawn key is gone"
    );
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_without_a_cause() {
    let (jwks, issuer) = start(Answer::Keys(&["a"]));
    assert_eq!(knows(&jwks, "a").await, Ok(true));
    issuer.answers(Answer::Keys(&["b"]));
    tokio::time::sleep(INTERVAL * 2).await;
    assert_eq!(issuer.asked(), 1);
    tokio::time::sleep(REFRESH).await;
    assert_eq!(issuer.asked(), 2);
    let keys = jwks.state.borrow().keys.clone().expect("keys");
    let has = |name| keys.candidates(Some(name), Algorithm::EdDSA).count();
    assert_eq!((has("a"), has("b")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_last_good_keys_stay_while_the_issuer_fails() {
    let (jwks, issuer) = start(Answer::Keys(&["a"]));
    assert_eq!(knows(&jwks, "a").await, Ok(true));
    let mut asked = 1;
    for bad in [
        Answer::Fails,
        Answer::Never,
        Answer::Text("<html>not found</html>"),
        Answer::Text("{\"keys\": []}"),
        Answer::Text("{\"keys\": [{\"kty\": \"oct\", \"k\": \"c2VjcmV0\"}]}"),
        Answer::Text("[]"),
    ] {
        issuer.answers(bad);
        tokio::time::advance(INTERVAL).await;
        let began = Instant::now();
        assert_eq!(knows(&jwks, "b").await, Ok(false));
        assert!(
            began.elapsed() <= Duration::from_secs(5),
            "the wait is bounded"
        );
        asked += 1;
        assert_eq!(issuer.asked(), asked);
        assert_eq!(knows(&jwks, "a").await, Ok(true));
    }
    issuer.answers(Answer::Keys(&["b"]));
    tokio::time::advance(INTERVAL).await;
    assert_eq!(knows(&jwks, "b").await, Ok(true), "it recovers");
}

#[tokio::test(start_paused = true)]
async fn without_any_keys_no_token_can_be_judged() {
    let (jwks, issuer) = start(Answer::Fails);
    let outcome = knows(&jwks, "a").await;
    assert!(matches!(outcome, Err(Refusal::NotNow(_))), "{outcome:?}");
    issuer.answers(Answer::Keys(&["a"]));
    tokio::time::advance(INTERVAL).await;
    assert_eq!(knows(&jwks, "a").await, Ok(true));
}
