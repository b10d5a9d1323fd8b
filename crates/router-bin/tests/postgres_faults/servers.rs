//! Servers that are killed and frozen.

use std::thread;

use crate::demo_postgres::set_amounts;
use crate::followed::{AT_GAPS, Followed, USER};
use crate::proxy::{Fault, Purpose};

#[test]
fn a_killed_server_is_bypassed_and_what_changed_meanwhile_is_seen() {
    let Some(mut followed) = Followed::start(&[], &AT_GAPS) else {
        return;
    };
    followed.database.kill();
    followed.is_noticed();
    followed.refuses(&[503]);
    // The feed comes back after the change.
    followed.proxy.set(Purpose::Changes, Fault::Reset);
    followed.database.restart();
    followed.commit();
    followed.proxy.set(Purpose::Changes, Fault::None);
    followed.is_followed_again();
    assert_eq!(followed.gaps(), 1);
}

#[test]
fn with_ttl_a_killed_server_leaves_stored_answers_until_it_is_back() {
    let ttl = [("ROUTER_CHANGES__WHEN_BEHIND", "ttl")];
    let Some(mut followed) = Followed::start(&[], &ttl) else {
        return;
    };
    followed.database.kill();
    followed.is_noticed();
    for _ in 0..5 {
        let reply = followed.ask();
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.is_hit(), "{}", reply.cache_status());
        // Who knows of a write is not served by TTL.
        followed
            .ask_after()
            .is_problem(503, "the source of records");
    }
    followed.proxy.set(Purpose::Changes, Fault::Reset);
    followed.database.restart();
    followed.commit();
    assert!(followed.ask().is_hit(), "the change is not known yet");
    followed.proxy.set(Purpose::Changes, Fault::None);
    followed.is_followed_again();
}

#[test]
fn a_frozen_server_is_bypassed_and_a_change_right_after_is_seen() {
    let Some(mut followed) = Followed::start(&[], &[]) else {
        return;
    };
    followed.database.freeze();
    followed.is_noticed();
    followed.refuses(&[503, 504]);
    let database = &followed.database;
    thread::scope(|scope| {
        // Waits in the server's socket until it runs again.
        scope.spawn(|| set_amounts(database, USER, 600_000));
        database.thaw();
    });
    followed.commit();
    followed.is_followed_again();
}
