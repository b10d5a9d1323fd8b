use std::sync::Arc;

use indicatif::ProgressBar;
use intent_router::{
    Ask, BoxFuture, CacheService, Catalogue, Deadline, Found, KeyMode, KeywordDetector, LiveData,
    Principal, Records, Router, SourceError,
};
use serde_json::json;

use super::{Baseline, KEY_MODES, Plan, compare, guard, replay};
use crate::Provenance;
use crate::bench::options::Options;
use crate::paraphrases::ParaphraseSummary;

/// A source where each user has two orders. A `leaky` one ignores which order
/// was asked for and repeats the message in its answer.
struct Orders {
    leaky: bool,
}

impl LiveData for Orders {
    fn is_member<'a>(
        &'a self,
        _: &'a Principal,
        _: Deadline,
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
    let routers = KEY_MODES.map(|(_, key)| Arc::new(router(key, false)));
    let compared = compare(options(), &router(KeyMode::Message, false), &routers)
        .await
        .unwrap();
    let results = &compared.results;
    let rates: Vec<_> = results.iter().map(|result| result.hit_rate).collect();
    assert!(rates[0] < rates[1] && rates[1] < rates[2], "{rates:?}");
    assert_eq!(results[0].requests.miss, plan.distinct_messages());
    assert!(results.iter().all(|result| result.wrong == 0));
    // "Strange" is the one word that is not known to the intent.
    let slots = router(KeyMode::Slots, false);
    for request in plan.requests() {
        let is_strange = request.message.to_lowercase().contains("strange");
        assert_eq!(guard(&slots, &plan, request).is_some(), is_strange);
    }
    assert_eq!(
        compared.guards.keys().collect::<Vec<_>>(),
        [&"unknown_word"]
    );
    let shown = ParaphraseSummary::new(Provenance::now("a command", "a source"), compared);
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["keys"]["slots"]["wrong"], 0);
    assert_eq!(json["traffic"]["phrasings"], 100);
    let table = shown.to_table();
    for part in [
        "600 requests of 3 users",
        "normalised",
        "unknown_word",
        "a command\n",
    ] {
        assert!(table.contains(part), "{part} in {table}");
    }
}

/// The source of this test answers by the message, which the key does not hold.
#[tokio::test]
async fn an_answer_that_was_shared_wrongly_is_counted() {
    let plan = plan().await;
    let bar = ProgressBar::hidden();
    let baseline = Baseline::of(&router(KeyMode::Message, true), &plan, &bar)
        .await
        .unwrap();
    let exact = replay(&router(KeyMode::Message, true), &plan, &baseline, &bar)
        .await
        .unwrap();
    assert_eq!(exact.wrong, 0);
    let slots = replay(&router(KeyMode::Slots, true), &plan, &baseline, &bar)
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
