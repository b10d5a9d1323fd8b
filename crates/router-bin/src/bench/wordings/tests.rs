use std::collections::BTreeMap;
use std::sync::Arc;

use indicatif::ProgressBar;
use intent_router::{
    Ask, BoxFuture, CacheService, Catalogue, Found, KeyMode, KeywordDetector, LiveData, Principal,
    Records, Router, SourceError,
};
use serde_json::json;

use super::{KEYS, Plan, Summary, Truth, column, guard};
use crate::bench::summary::Facts;
use crate::bench::traffic::Options;

/// Each user has two orders; `leaky` forgets which of them was asked for, and
/// tells what was said.
struct Orders {
    leaky: bool,
}

impl LiveData for Orders {
    fn is_member<'a>(
        &'a self,
        _: &'a Principal,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(async { Ok(Found::new(true, 1)) })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        let wanted = ask.slots.get("order");
        let orders = ["ORD-0001", "ORD-0002"];
        let rows = orders
            .iter()
            .filter(|order| wanted.is_none_or(|wanted| wanted == **order));
        let rows: Vec<_> = rows.map(|order| json!({ "order": order })).collect();
        let said = self.leaky.then_some(ask.message);
        let data = json!({ "orders": rows, "said": said });
        Box::pin(async move { Ok(Found::new(Records::new(data, vec![]), 1)) })
    }
}

fn router(key: KeyMode, leaky: bool) -> Router {
    let catalogue = Catalogue::parse(
        r#"
        [slots.order]
        kind = "pattern"
        pattern = "ORD-####"
        [[intent]]
        name = "orders"
        kind = "live_data"
        phrases = [{ text = "order", weight = 3 }]
        examples = [
            "my order", "Where is my order?", "order please", "what of the strange order",
            "is there no order", "order ORD-0007", "parcel", "the first order", "order since May",
        ]
        slots = ["order"]
        "#,
    );
    let catalogue = Arc::new(catalogue.unwrap().with_key(key));
    let detector = Arc::new(KeywordDetector::new(&catalogue));
    let cache = Arc::new(CacheService::builder().build().unwrap());
    Router::new(catalogue, detector, Arc::new(Orders { leaky }), cache).unwrap()
}

fn options() -> Options {
    Options {
        users: 3,
        requests: 600,
        wordings: 100,
        ..Options::default()
    }
}

async fn plan() -> Plan {
    let router = router(KeyMode::Message, false);
    Plan::new(options(), &router, &ProgressBar::hidden())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_same_options_make_the_same_requests() {
    let (first, second) = (plan().await, plan().await);
    assert_eq!(first.requests(), second.requests());
    assert_eq!(first.requests().len(), 600);
}

#[tokio::test]
async fn wordings_ask_the_plain_question_about_the_users_own_records() {
    let plan = plan().await;
    let mut said: Vec<_> = plan
        .requests()
        .iter()
        .map(|request| request.message.to_lowercase())
        .collect();
    said.sort_unstable();
    said.dedup();
    let has = |part: &str| said.iter().any(|message| message.contains(part));
    for part in [
        "my order",
        "where is my order",
        "strange",
        "ord-0001",
        "ord-0002",
        "good morning, ",
        " please",
    ] {
        assert!(has(part), "{part} in {said:#?}");
    }
    // Another question, another record, and what is not taken for the intent.
    for part in [
        "no order", "ord-0007", "parcel", "first", "since", "ord-0003",
    ] {
        assert!(!has(part), "{part} in {said:#?}");
    }
    // Three users, each with two orders and the question about all of them.
    assert_eq!(plan.requests().len() - plan.repeated(), 9);
}

#[tokio::test]
async fn each_key_shares_what_it_may_and_nothing_else() {
    let plan = plan().await;
    let bar = ProgressBar::hidden();
    let exact = router(KeyMode::Message, false);
    let truth = Truth::of(&exact, &plan, &bar).await.unwrap();
    let mut columns = Vec::new();
    for (_, key) in KEYS {
        columns.push(
            column(&router(key, false), &plan, &truth, &bar)
                .await
                .unwrap(),
        );
    }
    let rates: Vec<_> = columns.iter().map(|column| column.hit_rate).collect();
    assert!(rates[0] < rates[1] && rates[1] < rates[2], "{rates:?}");
    assert_eq!(columns[0].requests.miss, plan.distinct_messages());
    assert!(columns.iter().all(|column| column.wrong == 0));
    // "Strange" is the one word that nobody vouches for.
    let slots = router(KeyMode::Slots, false);
    let mut guards = BTreeMap::new();
    for request in plan.requests() {
        let guard = guard(&slots, &plan, request);
        assert_eq!(
            guard.is_some(),
            request.message.to_lowercase().contains("strange")
        );
        if let Some(guard) = guard {
            *guards.entry(guard.name()).or_default() += 1;
        }
    }
    assert_eq!(guards.keys().collect::<Vec<_>>(), [&"unknown_word"]);
    let shown = Summary::new(Facts::now("a command", "a source"), &plan, columns, guards);
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["keys"]["slots"]["wrong"], 0);
    assert_eq!(json["traffic"]["phrasings"], 100);
    let table = shown.render();
    for part in [
        "600 requests of 3 users",
        "normalised",
        "unknown_word",
        "a command\n",
    ] {
        assert!(table.contains(part), "{part} in {table}");
    }
}

/// A source that answers by what was said, where the key does not tell that apart.
#[tokio::test]
async fn an_answer_that_was_shared_wrongly_is_counted() {
    let plan = plan().await;
    let bar = ProgressBar::hidden();
    let truth = Truth::of(&router(KeyMode::Message, true), &plan, &bar)
        .await
        .unwrap();
    let exact = column(&router(KeyMode::Message, true), &plan, &truth, &bar)
        .await
        .unwrap();
    assert_eq!(exact.wrong, 0);
    let slots = column(&router(KeyMode::Slots, true), &plan, &truth, &bar)
        .await
        .unwrap();
    assert!(slots.wrong > 0);
}

#[tokio::test]
async fn what_cannot_be_asked_is_told() {
    let bar = ProgressBar::hidden();
    let router = router(KeyMode::Message, false);
    let none = Options {
        users: 0,
        ..options()
    };
    let error = Plan::new(none, &router, &bar).await.unwrap_err();
    assert!(error.to_string().contains("users must be from 1"));
}
