//! Connections that are reset in the middle of a reply, and such that stall.

use serde_json::json;

use crate::demo_postgres::set_amounts;
use crate::followed::{AT_GAPS, Followed, USER};
use crate::proxy::{Fault, Purpose};
use crate::support::eventually;

#[test]
fn a_reply_that_breaks_off_is_no_answer() {
    let Some(followed) = Followed::start(&[], &[("ROUTER_SOURCE__BREAKER__FAILURES", "1000")])
    else {
        return;
    };
    let expected = followed.ask().value()["data"].clone();
    assert!(expected.to_string().len() > 100, "{expected}");
    let forget = || followed.server.invalidate(&json!({ "user_id": USER }));
    let mut failures = 0;
    for bytes in (0..2_000).step_by(40) {
        forget();
        let lasts = false;
        followed
            .proxy
            .set(Purpose::Records, Fault::ResetAfter { bytes, lasts });
        let reply = followed.ask();
        match reply.status {
            200 => assert_eq!(reply.value()["data"], expected, "after {bytes} bytes"),
            503 => {
                reply.is_problem(503, "the source of records");
                failures += 1;
                let next = followed.ask();
                assert_eq!(next.status, 200, "{}", next.text());
                assert!(!next.is_hit(), "no failure is stored");
                assert_eq!(next.value()["data"], expected, "after {bytes} bytes");
            }
            other => panic!("{other}: {}", reply.text()),
        }
        followed.proxy.set(Purpose::Records, Fault::None);
    }
    assert!(failures > 5, "{failures} replies broke off");
    assert_eq!(followed.gaps(), 0, "the feed has a connection of its own");
}

#[test]
fn a_transaction_that_breaks_off_on_its_way_is_seen_whole() {
    let Some(mut followed) = Followed::start(&[], &AT_GAPS) else {
        return;
    };
    for (gaps, bytes) in [(1, 200), (2, 4_000)] {
        let lasts = true;
        followed
            .proxy
            .set(Purpose::Changes, Fault::ResetAfter { bytes, lasts });
        followed
            .database
            .execute("UPDATE payments SET amount_cents = amount_cents + 1");
        followed.commit();
        eventually("the connection is reset", || {
            followed.ask_after();
            followed.proxy.fault(Purpose::Changes) == Fault::Reset
        });
        followed.is_noticed();
        followed.bypasses();
        followed.commit();
        followed.proxy.set(Purpose::Changes, Fault::None);
        followed.is_followed_again();
        assert_eq!(followed.gaps(), gaps);
    }
}

#[test]
fn a_stalled_connection_is_bypassed_and_loses_nothing() {
    let Some(mut followed) = Followed::start(&[], &[]) else {
        return;
    };
    followed.proxy.set(Purpose::Changes, Fault::Stall);
    followed.commit();
    followed.is_noticed();
    followed.bypasses();
    set_amounts(&followed.database, USER, 600_000);
    followed.commit();
    followed.bypasses();
    followed.proxy.set(Purpose::Changes, Fault::None);
    followed.is_followed_again();
    assert_eq!(followed.gaps(), 0);
}
