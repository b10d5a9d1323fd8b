//! The service on a PostgreSQL database. Each test starts a server of its own, and is
//! skipped where its programs are missing.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]

#[path = "support/demo_postgres.rs"]
mod demo_postgres;
mod program;
mod support;

use demo_postgres::{CHANGES, QUESTION, follow, run, set_amounts, with_demo_data};
use program::{file, router_with};

#[test]
fn a_newcomer_checks_sets_up_and_serves() {
    let Some(database) = with_demo_data() else {
        return;
    };
    let url = database.url();
    let check = ["config", "check", "--source"];
    assert_eq!(run(&url, &check, &[]).output(), "ok\n");
    run(&url, &check, &[CHANGES]).fails(69, "run `router changes setup --apply`");
    let setup = |how| run(&url, &["changes", "setup", how], &[]);
    assert!(
        setup("--print")
            .output()
            .contains("CREATE PUBLICATION router_changes")
    );
    assert!(setup("--apply").output().contains("applied"));
    assert!(setup("--apply").output().contains("nothing to do"));
    assert_eq!(
        run(&url, &[&check[..], &["--strict"]].concat(), &[CHANGES]).output(),
        "ok\n"
    );
    database.execute("ALTER TABLE payments REPLICA IDENTITY DEFAULT");
    let lacking = run(&url, &check, &[CHANGES]);
    assert!(
        lacking.stderr.contains("REPLICA IDENTITY FULL"),
        "{lacking:?}"
    );
    database.execute("ALTER TABLE payments REPLICA IDENTITY FULL; DROP TABLE articles CASCADE");
    let lacking = run(&url, &["changes", "setup", "--print"], &[]);
    assert!(
        lacking.stderr.contains("`articles` is not in the database"),
        "{lacking:?}"
    );
}

#[test]
fn a_committed_change_is_in_the_next_answer() {
    let Some(database) = with_demo_data() else {
        return;
    };
    let url = database.url();
    run(&url, &["changes", "setup", "--apply"], &[]).output();
    let server = follow(&url, &[]);
    let ask = |user| server.ask(QUESTION, user, "beneficiary");
    let other = ask("BEN-000002").text();
    let body = r#"{"message": "show my payment history",
        "user_context": {"user_id": "BEN-000001", "user_role": "beneficiary"}}"#;
    for amount in 700_001..700_021 {
        ask("BEN-000001");
        assert!(ask("BEN-000001").is_hit());
        set_amounts(&database, "BEN-000001", amount);
        let position = database.execute("SELECT pg_current_wal_insert_lsn()");
        let headers = [
            ("content-type", "application/json"),
            ("X-Read-After", position.as_str()),
        ];
        let after = server.send("POST", "/v1/route", &headers, body.as_bytes());
        assert!(
            after.text().contains(&amount.to_string()),
            "{}",
            after.text()
        );
        assert!(
            ask("BEN-000002").is_hit(),
            "single records leave the answers of others"
        );
    }
    assert_eq!(ask("BEN-000002").text(), other);
    let metrics = server.get("/metrics").text();
    assert!(
        metrics.contains("router_changes_total{table=\"payments\"}"),
        "{metrics}"
    );
}

#[test]
fn a_catalogue_that_does_not_fit_is_told_whole_and_with_its_lines() {
    let Some(database) = with_demo_data() else {
        return;
    };
    let text = r#"
[[intent]]
name = "a"
kind = "live_data"
phrases = ["claim status"]
[[intent.query]]
name = "claims"
sql = "SELECT claim_numbr FROM claims WHERE member_id = :user_id"

[[intent]]
name = "b"
kind = "live_data"
phrases = ["pension status"]
[[intent.query]]
name = "pensions"
sql = "SELEC * FROM pensions WHERE member_id = :user_id"
"#;
    let path = file("postgres", "misfit.toml", text);
    let settings = [("ROUTER_CATALOGUE__FILE", program::argument(&path))];
    let url = database.url();
    run(&url, &["config", "check"], &settings).output();
    let sqlite = file("postgres", "misfit.db", "");
    std::fs::remove_file(&sqlite).unwrap();
    router_with(
        &["demo-db", program::argument(&sqlite), "--users", "1"],
        &[],
        b"",
    )
    .output();
    let sqlite = format!("sqlite://{}", program::argument(&sqlite));
    for url in [&url, &sqlite] {
        for command in [&["config", "check", "--source"][..], &[]] {
            let run = run(url, command, &settings);
            run.fails(
                78,
                "misfit.toml:6:1: intent[0] \"a\" query[0]: query `claims`",
            );
            run.fails(
                78,
                "misfit.toml:14:1: intent[1] \"b\" query[0]: query `pensions`",
            );
        }
    }
}

#[test]
fn the_password_is_read_from_its_place_and_never_shown() {
    let Some(mut database) = with_demo_data() else {
        return;
    };
    database.execute(
        "CREATE ROLE reader LOGIN PASSWORD 'pa@ss/word'; GRANT pg_read_all_data TO reader",
    );
    let rules = database.data_folder().join("pg_hba.conf");
    std::fs::write(
        &rules,
        "host all postgres 127.0.0.1/32 trust\nhost all reader 127.0.0.1/32 scram-sha-256\n",
    )
    .unwrap();
    database.restart();
    let url = database.url().replace("postgres@", "reader@");
    let with_password = url.replace("reader@", "reader:pa%40ss%2Fword@");
    let wrong = url.replace("reader@", "reader:secret-but-wrong@");
    let path = file("postgres", "password", "pa@ss/word\n");
    let check = ["config", "check", "--source"];
    let file = (
        "ROUTER_SOURCE__POSTGRES__PASSWORD_FILE",
        program::argument(&path),
    );
    let env = ("ROUTER_SOURCE__POSTGRES__PASSWORD_ENV", "CRM_PASSWORD");
    let password = ("CRM_PASSWORD", "pa@ss/word");
    for (url, settings) in [
        (&url, vec![file]),
        (&wrong, vec![file]),
        (&url, vec![env, password]),
        (&url, vec![("PGPASSWORD", "pa@ss/word")]),
        (&with_password, vec![]),
        (&with_password, vec![("PGPASSWORD", "wrong")]),
    ] {
        assert_eq!(run(url, &check, &settings).output(), "ok\n", "{settings:?}");
    }
    run(&url, &check, &[]).fails(69, "password missing");
    let refused = run(&wrong, &check, &[]);
    refused.fails(69, "password authentication failed for user \"reader\"");
    assert!(!refused.stderr.contains("secret-but-wrong"));
    run(&url, &check, &[env]).fails(78, "CRM_PASSWORD is not set");
    run(&url, &check, &[env, file]).fails(78, "not in both");
    let shown = run(&wrong, &["config", "show"], &[]);
    assert!(shown.output().contains("reader:***@127.0.0.1"), "{shown:?}");
    let elsewhere = run("sqlite://crm.db", &["config", "check"], &[env]);
    let warning = "source.postgres.password_env: applies only to a PostgreSQL database";
    assert!(elsewhere.stderr.contains(warning), "{elsewhere:?}");
    let text = format!("[source]\nurl = \"{wrong}\"\n");
    let path = program::file("postgres", "password.toml", text);
    let warned = router_with(
        &["--config", program::argument(&path), "config", "check"],
        &[],
        b"",
    );
    assert!(
        warned.stderr.contains("the URL holds a password"),
        "{warned:?}"
    );
    assert!(!warned.stderr.contains("secret-but-wrong"), "{warned:?}");
}

#[test]
fn the_bench_commits_changes_to_demo_data_alone() {
    let Some(database) = with_demo_data() else {
        return;
    };
    let url = database.url();
    run(&url, &["changes", "setup", "--apply"], &[]).output();
    let bench = ["bench", "--changes", "--trials", "24", "--json"];
    let summary = run(&url, &bench, &[]).json();
    let way = &summary["ways"][0];
    assert_eq!(
        (&way["trials"], &way["stale"]),
        (&24.into(), &0.into()),
        "{summary}"
    );
    database.execute("DROP TABLE demo_origin");
    run(&url, &bench, &[]).fails(69, "not demo data");
}
