//! What a database must have, and how it gets it.

use std::sync::Arc;

use intent_router::Catalogue;
use live_data::{PostgresAddress, PostgresChanges};

use crate::following::{Following, address, options, published, server, setup};
use crate::server::PostgresServer;

/// Why a feed of the server cannot be opened.
fn refusal(url: &str) -> String {
    let catalogue = Arc::new(Catalogue::built_in().clone());
    let address = match PostgresAddress::new(url, None, None) {
        Ok(address) => address,
        Err(error) => return error.to_string(),
    };
    let opened = PostgresChanges::open(&address, catalogue, &options());
    opened.unwrap_err().to_string()
}

#[test]
fn the_setup_is_what_is_missing() {
    let Some(server) = server() else { return };
    assert!(refusal(&server.url()).contains("`router changes setup --apply`"));
    let identity = |table| format!("ALTER TABLE public.{table} REPLICA IDENTITY FULL;");
    let first = setup(&server);
    assert_eq!(
        first.statements(),
        [
            identity("claim_events"),
            identity("claims"),
            identity("payments"),
            "CREATE PUBLICATION router_changes FOR TABLE public.adjusters, public.claim_events, \
             public.claims, public.payments WITH (publish = 'insert, update, delete, truncate', \
             publish_via_partition_root = false);"
                .to_owned(),
        ]
    );
    let untracked: Vec<_> = first.untracked().map(|(table, _)| table).collect();
    assert!(untracked.contains(&"pensions"), "{untracked:?}");
    first.apply().unwrap();
    assert!(setup(&server).statements().is_empty());
    // A table more, one in another schema, and a publication that was altered.
    server.execute(
        "CREATE TABLE tickets (ticket_number text PRIMARY KEY, member_id text);
         CREATE SCHEMA \"Old\"; CREATE TABLE \"Old\".\"Payments\" (member_id text PRIMARY KEY);
         ALTER PUBLICATION router_changes SET (publish = 'insert');
         CREATE UNLOGGED TABLE pensions (member_id text);",
    );
    let second = setup(&server);
    assert_eq!(
        second.statements(),
        [
            identity("tickets"),
            "ALTER PUBLICATION router_changes SET (publish = 'insert, update, delete, truncate', \
             publish_via_partition_root = false);"
                .to_owned(),
            "ALTER PUBLICATION router_changes ADD TABLE \"Old\".\"Payments\", public.tickets;"
                .to_owned(),
        ]
    );
    second.apply().unwrap();
    assert!(setup(&server).statements().is_empty());
    let following = Following::begin(&server);
    let covers = ["adjusters", "claim_events", "claims", "payments", "tickets"];
    assert_eq!(following.covers(), covers);
    assert!(following.feed.lacks().is_empty());
    assert!(following.feed.uncovered().contains(&"pensions".to_owned()));
}

#[test]
fn tables_that_are_not_wholly_published_are_not_covered() {
    let Some(server) = published() else { return };
    server.execute(
        "CREATE SCHEMA other; CREATE TABLE other.payments (member_id text);
         ALTER PUBLICATION router_changes DROP TABLE claim_events;
         ALTER TABLE adjusters REPLICA IDENTITY FULL;
         ALTER PUBLICATION router_changes DROP TABLE adjusters;
         ALTER PUBLICATION router_changes ADD TABLE adjusters WHERE (name > 'M');",
    );
    let following = Following::begin(&server);
    assert_eq!(following.covers(), ["claims"]);
    drop(following);
    server.execute("ALTER PUBLICATION router_changes SET (publish = 'insert, update, delete')");
    assert!(Following::begin(&server).covers().is_empty());
}

#[test]
fn refusals_name_the_remedy() {
    let Some(plain) = PostgresServer::start() else {
        return;
    };
    assert!(refusal(&plain.url()).contains("wal_level = logical"));
    let Some(server) = published() else { return };
    server.execute("CREATE ROLE reader LOGIN PASSWORD 'secret'");
    let url = server.url().replace("postgres@", "reader:secret@");
    let refused = refusal(&url);
    assert!(refused.contains("ALTER ROLE \"reader\" REPLICATION"));
    for url in [
        url.as_str(),
        "postgres://reader:secret@[::1]:x/y",
        "postgres://",
    ] {
        assert!(!refusal(url).contains("secret"), "{url}");
    }
    let away = "postgres://reader:secret@127.0.0.1:1/y?connect_timeout=1";
    assert!(refusal(away).contains("y at 127.0.0.1:1"));
}

#[test]
fn passwords_are_checked_as_the_server_asks() {
    let Some(mut server) = published() else {
        return;
    };
    server.execute(
        "SET password_encryption = 'scram-sha-256'; CREATE ROLE scram LOGIN REPLICATION PASSWORD 's';
         SET password_encryption = 'md5'; CREATE ROLE md5 LOGIN REPLICATION PASSWORD 'm';
         CREATE ROLE plain LOGIN REPLICATION PASSWORD 'p';",
    );
    let rules = server.data_folder().join("pg_hba.conf");
    let rule = |user, method| format!("host all {user} 127.0.0.1/32 {method}\n");
    let rules_text = rule("postgres", "trust")
        + &rule("scram", "scram-sha-256")
        + &rule("md5", "md5")
        + &rule("plain", "password");
    std::fs::write(&rules, rules_text).unwrap();
    server.restart();
    for (user, password) in [("scram", "s"), ("md5", "m"), ("plain", "p")] {
        let url = |password| {
            let with = format!("{user}:{password}@");
            server.url().replace("postgres@", &with)
        };
        let catalogue = Arc::new(Catalogue::built_in().clone());
        PostgresChanges::open(&address(&url(password)), catalogue, &options()).unwrap();
        assert!(refusal(&url("wrong")).contains("password authentication failed"));
    }
}
