//! What a user of the PostgreSQL source can do and rely on. Each test starts a server.
#![cfg(all(unix, feature = "postgres", feature = "sqlite"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod answers;
mod faults;
mod open;
mod reads;
mod server;
#[path = "../support/postgres.rs"]
mod support;

use intent_router::{
    Catalogue, Found, LiveData, Principal, Records, RequestContext, Slots, SourceError, UserContext,
};
use live_data::{OpenError, PostgresAddress, PostgresOptions, PostgresSource};
use pollster::block_on;

use support::PostgresServer;

/// A catalogue of one live-data intent called `test`, with the given members.
fn catalogue_of(queries: &[(&str, &str)], rest: &str) -> Catalogue {
    let mut text = format!(
        "{rest}\n[[intent]]\nname = \"test\"\nkind = \"live_data\"\nphrases = [\"test\"]\n"
    );
    for (name, sql) in queries {
        text.push_str(&format!(
            "[[intent.query]]\nname = \"{name}\"\nsql = '''{sql}'''\n"
        ));
    }
    Catalogue::parse(&text).unwrap()
}

fn person(user_id: &str) -> Principal {
    Principal::identify(&UserContext::new(user_id, "beneficiary")).unwrap()
}

/// Options for a server whose database has any `member_id`.
fn address(url: &str) -> PostgresAddress {
    PostgresAddress::new(url, None, None).unwrap()
}

fn options(server: &PostgresServer) -> PostgresOptions {
    let mut options = PostgresOptions::new(address(&server.url()));
    options.profile_sql = "SELECT :user_id::text AS member_id".to_owned();
    options
}

fn open(server: &PostgresServer, catalogue: &Catalogue) -> Result<PostgresSource, OpenError> {
    PostgresSource::open(catalogue, &options(server))
}

fn ask(
    source: &impl LiveData,
    catalogue: &Catalogue,
    intent: &str,
    who: Option<&Principal>,
    slots: &Slots,
    message: &str,
) -> Result<Found<Records>, SourceError> {
    let intent = catalogue.get(intent).unwrap();
    let context = RequestContext::new(intent, who, slots.clone(), message);
    block_on(source.records(context.ask()))
}

/// The answer of a catalogue of one query `q`, for a user.
fn answer(server: &PostgresServer, sql: &str, user_id: &str) -> Result<String, SourceError> {
    let catalogue = catalogue_of(&[("q", sql)], "");
    let source = open(server, &catalogue).unwrap();
    let who = person(user_id);
    let found = ask(
        &source,
        &catalogue,
        "test",
        Some(&who),
        &Slots::default(),
        "m",
    );
    found.map(|found| found.value.data["q"].to_string())
}
