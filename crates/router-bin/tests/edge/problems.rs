//! Problems about a source that fails: general words for the client, the whole
//! error in the log.

use serde_json::json;

use crate::program::{self, argument};
use crate::support::Server;
use crate::{ROLE, USER, log_of, logged};

/// A catalogue whose query fails when it runs, with an error that quotes the
/// message and the user.
pub(crate) const FAILING: &str = "[[intent]]\nname = 'claim_status'\nkind = 'live_data'\n\
     key = 'normalised'\nphrases = ['claim']\n\
     query = [{ name = 'claims', sql = '''SELECT json_extract('{}', :message || :user_id || :user_role) \
     AS secret_column FROM claims WHERE member_id = :user_id''' }]\n";

/// Asks a question that the source fails to answer.
fn fail(server: &Server) -> crate::support::Reply {
    let context = json!({ "user_id": USER, "user_role": ROLE });
    let body = json!({ "message": "is my claim late?", "user_context": context });
    server.post("/v1/route", &body)
}

#[test]
fn a_failed_query_is_told_in_general_words_and_logged_in_full() {
    let catalogue = program::file("failed-query", "intents.toml", FAILING);
    let settings = [("ROUTER_CATALOGUE__FILE", argument(&catalogue))];
    let (server, path) = logged("failed-query", &settings);
    let reply = fail(&server);
    reply.is_problem(502, "could not answer");
    let id = reply.value()["request_id"].as_str().unwrap().to_owned();
    for part in ["claim", "secret", "json", "SELECT", "path", USER] {
        assert!(!reply.text().contains(part), "{part} in {}", reply.text());
    }
    let log = log_of(server, &path);
    let line = log.lines().find(|line| line.contains(&id)).unwrap();
    assert!(
        line.contains("query `claims` of intent `claim_status` failed: bad JSON path: …"),
        "{line}"
    );
}

#[test]
fn an_unusable_database_is_told_in_general_words_and_logged_in_full() {
    let database = program::file("unusable", "crm.db", "");
    std::fs::remove_file(&database).unwrap();
    let run = program::router(&["demo-db", argument(&database), "--users", "20"], "");
    assert_eq!(run.code, 0, "{}", run.stderr);
    let url = format!("sqlite://{}", database.display());
    let log = program::file("unusable", "log", "");
    let file = std::fs::File::create(&log).unwrap();
    let settings = [("ROUTER_SOURCE__URL", url.as_str())];
    let server = Server::start_logging_with(file.into(), &settings);
    std::fs::write(&database, "not a database").unwrap();
    let reply = fail(&server);
    reply.is_problem(503, "the source of records is damaged");
    assert!(!reply.text().contains("database"), "{}", reply.text());
    let id = reply.value()["request_id"].as_str().unwrap().to_owned();
    let log = log_of(server, &log);
    let line = log.lines().find(|line| line.contains(&id)).unwrap();
    assert!(line.contains("file is not a database"), "{line}");
}
