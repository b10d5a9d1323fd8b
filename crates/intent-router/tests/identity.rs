//! Whose an answer is, which entry it has, and which invalidations reach it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use cache_keys::{CacheKey, CanonicalJson, KeyError, KeyParts, KeyScheme, Md5Scheme};
use intent_router::{Pattern, Request, Selector};
use support::{CLAIM, ask, bench, bench_with, is_hit, is_stored_miss, now};

#[test]
fn invalidation_reaches_what_it_names_and_counts_it() {
    let bench = bench();
    let fill = || {
        let mut keys = Vec::new();
        for (user, role) in [
            ("BEN-000001", "beneficiary"),
            ("BEN-000001", "employer"),
            ("BEN-000002", "beneficiary"),
        ] {
            for message in [CLAIM, "show my payment history"] {
                keys.push(ask(&bench, message, user, role).key.unwrap());
            }
        }
        ask(&bench, "good morning", "BEN-000001", "beneficiary");
        keys
    };
    let text = CanonicalJson::string;
    let keys = fill();
    let cases = [
        (Selector::Key(keys[0]), 1),
        (Selector::User(text("BEN-000001")), 4),
        (Selector::User(text("BEN-00000")), 0),
        (Selector::Intent("claim_status".to_owned()), 3),
        (Selector::Role(text("beneficiary")), 4),
        (Selector::Class("live_data".to_owned()), 6),
        (Selector::Class("knowledge_base".to_owned()), 1),
        (Selector::Class("user_context".to_owned()), 3),
        (Selector::Class("nonesuch".to_owned()), 0),
        (Selector::Tag("claim:BEN-000002".to_owned()), 2),
        (Selector::Tag("intent=claim_status".to_owned()), 0),
        (Selector::Pattern(Pattern::new("BEN-000001")), 4),
        (
            Selector::Pattern(Pattern::new("claim_status/*/beneficiary")),
            2,
        ),
        (
            Selector::Pattern(Pattern::new(&keys[3].to_string()[5..20])),
            1,
        ),
        (Selector::All, 7),
    ];
    for (selector, expect) in cases {
        fill();
        assert_eq!(
            bench.router.cache().invalidate(&selector),
            expect,
            "{selector:?}"
        );
        assert_eq!(
            bench.router.cache().invalidate(&selector),
            0,
            "{selector:?} again"
        );
    }
}

#[test]
fn expired_answers_do_not_count_as_removed() {
    let bench = bench();
    ask(&bench, CLAIM, "BEN-000001", "beneficiary");
    bench.clock.advance(Duration::from_secs(301));
    ask(&bench, CLAIM, "BEN-000002", "beneficiary");
    assert_eq!(bench.router.cache().invalidate(&Selector::All), 1);
}

/// A scheme under which all requests collide, digest and check alike.
struct AllTheSame(CacheKey);

impl AllTheSame {
    fn new() -> Self {
        let parts = KeyParts {
            intent: "any",
            user_id: cache_keys::Field::Absent,
            user_role: cache_keys::Field::Absent,
            message: "",
        };
        Self(Md5Scheme::default().key(&parts).unwrap())
    }
}

impl KeyScheme for AllTheSame {
    fn key(&self, _: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        Ok(self.0)
    }
}

#[test]
fn owner_and_role_are_compared_even_when_every_key_collides() {
    let bench = bench_with(|builder| builder.scheme(Arc::new(AllTheSame::new())));
    for (user, role) in [
        ("BEN-000001", "beneficiary"),
        ("BEN-000002", "beneficiary"),
        ("BEN-000001", "employer"),
    ] {
        let routed = ask(&bench, CLAIM, user, role);
        assert!(is_stored_miss(&routed), "{user} {role}");
        assert_eq!(routed.answer.response().unwrap().data["user"], user);
        assert_eq!(routed.answer.response().unwrap().data["role"], role);
    }
    for (user, role) in [("BEN-000001", "beneficiary"), ("BEN-000002", "beneficiary")] {
        let routed = ask(&bench, CLAIM, user, role);
        assert!(is_hit(&routed));
        assert_eq!(routed.answer.response().unwrap().data["user"], user);
    }
    let digest = *AllTheSame::new().0.digest();
    let removed = bench.router.cache().invalidate(&Selector::Key(digest));
    assert_eq!(removed, 3, "a digest names every entry that has it");
}

/// A scheme whose digests are the same for all messages, and whose independent
/// checks are not.
struct SameDigest([Md5Scheme; 2]);

impl KeyScheme for SameDigest {
    fn key(&self, parts: &KeyParts<'_>) -> Result<CacheKey, KeyError> {
        let message = "";
        self.0[parts.message.len() % 2].key(&KeyParts { message, ..*parts })
    }
}

#[test]
fn messages_whose_digests_collide_do_not_share() {
    let scheme = SameDigest([1, 2].map(|n| Md5Scheme::with_secret([n; 16])));
    let bench = bench_with(|builder| builder.scheme(Arc::new(scheme)));
    let who = |message| ask(&bench, message, "BEN-000001", "beneficiary");
    let first = who("what is my claim status?");
    let second = who("what is my claim status");
    assert_eq!(first.key, second.key);
    assert!(is_stored_miss(&second));
    assert_eq!(
        who("what is my claim status")
            .answer
            .response()
            .unwrap()
            .data["message"],
        "what is my claim status"
    );
    let key = Selector::Key(first.key.unwrap());
    assert_eq!(bench.router.cache().invalidate(&key), 2);
}

#[test]
fn a_user_is_not_mistaken_for_a_role_or_an_intent_of_that_name() {
    let bench = bench();
    ask(&bench, CLAIM, "beneficiary", "claim_status");
    let cache = bench.router.cache();
    let text = CanonicalJson::string;
    for selector in [
        Selector::User(text("claim_status")),
        Selector::Role(text("beneficiary")),
        Selector::Intent("beneficiary".to_owned()),
        Selector::Tag("beneficiary".to_owned()),
        Selector::Tag("\"beneficiary\"".to_owned()),
    ] {
        assert_eq!(cache.invalidate(&selector), 0, "{selector:?}");
    }
    assert_eq!(cache.invalidate(&Selector::Role(text("claim_status"))), 1);
}

#[test]
fn an_absent_role_and_a_null_one_differ() {
    let bench = bench();
    let route = |context: &str| {
        let context = serde_json::from_str(context).unwrap();
        now(bench.router.route(&Request::new(CLAIM, context))).unwrap()
    };
    let absent = route(r#"{"user_id": "BEN-000001"}"#);
    let null = route(r#"{"user_id": "BEN-000001", "user_role": null}"#);
    assert!(is_stored_miss(&null));
    assert_ne!(absent.key, null.key);
    assert!(is_hit(&route(
        r#"{"user_id": "BEN-000001", "user_role": null}"#
    )));
}
