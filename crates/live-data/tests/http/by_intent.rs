//! A back end together with a database.

use std::sync::Arc;

use intent_router::{Ask, Catalogue, LiveData, Principal, RequestContext, Slots, UserContext};
use live_data::{
    CatalogueSource, DemoOptions, HttpSource, OpenError, SourceByIntent, SqliteOptions,
    SqliteSource,
};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::source;

const HTTP: &str = "[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['a']\n\
                    tags = ['claim:{number}']\n[intent.http]\npath = '/a'\n";
const SQL: &str = "[[intent]]\nname = 'b'\nkind = 'live_data'\nphrases = ['b']\n\
                   [[intent.query]]\nname = 'q'\nsql = 'SELECT 1 AS one'\n";

fn catalogue(parts: &[&str]) -> Catalogue {
    Catalogue::parse(&parts.concat()).expect("a catalogue")
}

fn database(catalogue: &Catalogue) -> Option<Arc<dyn CatalogueSource>> {
    let demo = DemoOptions {
        members: 1,
        ..DemoOptions::default()
    };
    let source = SqliteSource::demo(catalogue, &demo, &SqliteOptions::default());
    Some(Arc::new(source.expect("a database")))
}

#[tokio::test]
async fn each_intent_is_asked_of_its_source() {
    let server = Server::start([Reply::ok(r#"{"number": 1}"#)]).await;
    let catalogue = catalogue(&[HTTP, SQL]);
    let database = database(&catalogue);
    let source = SourceByIntent::new(database, Some(source(&server.url)), &catalogue);
    let source = source.expect("both are there");
    let who = Principal::identify(&UserContext::new("BEN-000001", "beneficiary"));
    for (intent, data, tags) in [
        ("a", json!({"number": 1}), &["claim:1"][..]),
        ("b", json!({"q": [{"one": 1}]}), &[]),
    ] {
        let intent = catalogue.get(intent).unwrap();
        let context = RequestContext::new(intent, who.as_ref(), Slots::default(), "?");
        let ask: Ask<'_> = context.ask();
        let found = source.records(ask).await.expect("records");
        assert_eq!(found.value.data, data);
        assert_eq!(found.value.tags, tags);
    }
    assert_eq!(server.requests().len(), 1);
    assert_eq!(source.calls(), 2);
}

#[test]
fn an_intent_without_its_source_is_refused() {
    let back_end: HttpSource = source("http://127.0.0.1:9");
    let (http, sql) = (catalogue(&[HTTP]), catalogue(&[SQL]));
    let cases = [
        (database(&http), None, &http, "a"),
        (None, Some(back_end.clone()), &sql, "b"),
    ];
    for (database, back_end, catalogue, expect) in cases {
        match SourceByIntent::new(database, back_end, catalogue) {
            Err(OpenError::NoSource { intent, .. }) => assert_eq!(intent, expect),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("the source of `{expect}` is missing"),
        }
    }
    let source = SourceByIntent::new(None, Some(back_end), &http).expect("it is there");
    assert!(source.for_catalogue(&sql).is_err());
    assert!(source.for_catalogue(&http).is_ok());
}
