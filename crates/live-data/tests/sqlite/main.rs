//! What a user of the SQLite source can do and rely on.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod answers;
mod guarded;
mod identifiers;
mod limits;
mod numbers;
mod open;
mod ownership;
mod ready;
mod reopen;

use intent_router::{
    Catalogue, Deadline, Found, LiveData, Principal, Records, RequestContext, Slots, SourceError,
    UserContext,
};
use live_data::{DemoOptions, SqliteOptions, SqliteSource};
use serde_json::{Map, Value};

use pollster::block_on;

/// The catalogue whose queries answer the twelve intents.
fn catalogue() -> Catalogue {
    Catalogue::built_in().clone()
}

/// A catalogue of one live-data intent called `test`, with the given members.
fn catalogue_of(queries: &[(&str, &str)], rest: &str) -> Catalogue {
    let mut text = format!(
        "[[intent]]\nname = \"test\"\nkind = \"live_data\"\nphrases = [\"test\"]\n{rest}\n"
    );
    for (name, sql) in queries {
        text.push_str(&format!(
            "[[intent.query]]\nname = \"{name}\"\nsql = '''{sql}'''\n"
        ));
    }
    Catalogue::parse(&text).unwrap()
}

fn slots(pairs: &[(&str, &str)]) -> Slots {
    pairs.iter().copied().collect()
}

fn person(user_id: &str) -> Principal {
    let role = if user_id.starts_with("EMP") {
        "employer"
    } else {
        "beneficiary"
    };
    Principal::identify(&UserContext::new(user_id, role)).unwrap()
}

/// A source together with the catalogue that it was opened for.
struct Desk {
    catalogue: Catalogue,
    source: SqliteSource,
}

impl Desk {
    fn demo(catalogue: Catalogue, options: &SqliteOptions) -> Self {
        let demo = DemoOptions {
            members: 60,
            ..DemoOptions::default()
        };
        let source = SqliteSource::demo(&catalogue, &demo, options).unwrap();
        Self { catalogue, source }
    }

    fn ask(
        &self,
        intent: &str,
        who: Option<&Principal>,
        slots: &Slots,
        message: &str,
    ) -> Result<Found<Records>, SourceError> {
        let intent = self.catalogue.get(intent).unwrap();
        let context = RequestContext::new(intent, who, slots.clone(), message);
        block_on(self.source.records(context.ask()))
    }

    /// The answer to a member's question that names nothing.
    fn data(&self, intent: &str, user_id: &str) -> Value {
        let who = person(user_id);
        let found = self.ask(intent, Some(&who), &Slots::default(), intent);
        found.unwrap().value.data
    }
}

/// The rows of one query of an answer.
#[track_caller]
fn rows<'a>(data: &'a Value, query: &str) -> Vec<&'a Map<String, Value>> {
    let rows = data[query].as_array();
    let rows = rows.unwrap_or_else(|| panic!("no {query} in {data}"));
    rows.iter().map(|row| row.as_object().unwrap()).collect()
}
