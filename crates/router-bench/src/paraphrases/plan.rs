//! Plans requests that ask the same questions in many wordings.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use indicatif::ProgressBar;
use intent_router::{
    Catalogue, Date, Guard, Intent, KeyMode, Kind, Reading, Request, Router, SlotSpec, Slots,
    UserContext,
};
use serde_json::Value;

use super::client::Client;
use crate::bench::intents::{AskedIntent, WeightedIntent, mix};
use crate::bench::options::{Options, TrafficError};
use crate::bench::population::Population;
use crate::bench::sampling::{SplitMix64, Weighted};

/// The most records of a kind that one user asks about.
const RECORDS: usize = 3;

/// The periods that users ask about.
const PERIODS: [&str; 4] = ["last month", "this month", "this year", "last year"];

/// Ways to write a wording; each is equally likely.
pub(super) const STYLES: [&str; 7] = [
    "as it is",
    "in lower case",
    "in upper case",
    "without closing punctuation",
    "with more spaces and question marks",
    "with a greeting before it",
    "with a \"please\" behind it",
];

/// A planned request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlannedRequest {
    /// The user's index, from 0.
    pub(super) user: u32,
    intent: usize,
    pub(super) message: String,
    /// Whether an earlier request asked the same question in any wording: with
    /// the same topic, and by the same user where the answer is personal.
    pub(super) repeats: bool,
}

/// All requests of a run, in order. The same options and data yield the same
/// requests.
#[derive(Debug)]
pub(super) struct Plan {
    options: Options,
    population: Population,
    intents: Vec<WeightedIntent>,
    requests: Vec<PlannedRequest>,
    /// The number of messages left out because the detector takes them for
    /// another intent or for none.
    misunderstood: usize,
}

/// From this many left-out messages on, planning fails if they outnumber the
/// planned requests.
const MOST_MISUNDERSTOOD: usize = 1_000;

impl Plan {
    /// Plans requests. User and intent are drawn as in [`Traffic`]; then the
    /// topic (none, one of the user's records, or a period), the wording and the
    /// style are drawn uniformly.
    ///
    /// The wordings are the first examples that ask the intent's plain question
    /// and that the detector understands with every topic and style. An example
    /// with a record, a time, a number, a negation or one of two opposites asks
    /// another question. A message that the detector still takes for another
    /// intent is counted and left out.
    ///
    /// # Errors
    /// [`TrafficError`] if an option is out of bounds or there is nothing to ask;
    /// a failure of the router to return a user's records.
    ///
    /// [`Traffic`]: crate::bench::Traffic
    pub(super) async fn new(
        options: Options,
        router: &Router,
        bar: &ProgressBar,
    ) -> anyhow::Result<Self> {
        options.check()?;
        let population = Population::default();
        let intents = mix(askable(router), options.wordings);
        let weights = intents.iter().map(|intent| f64::from(intent.weight));
        let by_intent = Weighted::new(weights).ok_or(TrafficError::NothingToAsk)?;
        let by_user =
            Weighted::zipf(options.users, options.skew).ok_or(TrafficError::NothingToAsk)?;
        let mut topics_of = Topics::default();
        let mut random = SplitMix64::new(options.seed);
        let mut requests = Vec::with_capacity(options.requests);
        let mut asked = HashSet::new();
        bar.set_message("records");
        let mut misunderstood = 0;
        while requests.len() < options.requests {
            let user = by_user.sample(&mut random) as u32;
            let at = by_intent.sample(&mut random);
            let intent = &intents[at];
            let topics = topics_of.of(router, &population, user, intent).await?;
            let topic = random.below(topics.len() + 1).checked_sub(1);
            let topic = topic.and_then(|topic| topics.get(topic));
            let wording = &intent.wordings[random.below(intent.wordings.len())];
            let said = match topic {
                Some(topic) => about(wording, topic),
                None => wording.clone(),
            };
            let message = styled(&said, random.below(STYLES.len()));
            if detected(router, &message) != intent.name {
                misunderstood += 1;
                let most = requests.len().max(MOST_MISUNDERSTOOD);
                anyhow::ensure!(
                    misunderstood <= most,
                    "most messages are not detected as their own intent, such as {message:?} of {}",
                    intent.name
                );
                continue;
            }
            let repeats = !asked.insert(((!intent.shared).then_some(user), at, topic.cloned()));
            requests.push(PlannedRequest {
                user,
                intent: at,
                message,
                repeats,
            });
            bar.inc(1);
        }
        Ok(Self {
            options,
            population,
            intents,
            requests,
            misunderstood,
        })
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn population(&self) -> &Population {
        &self.population
    }

    pub(super) fn misunderstood(&self) -> usize {
        self.misunderstood
    }

    pub(super) fn requests(&self) -> &[PlannedRequest] {
        &self.requests
    }

    /// The user, the intent and the message of a request.
    pub(super) fn question<'p>(&'p self, request: &'p PlannedRequest) -> (u32, &'p str, &'p str) {
        let intent = &self.intents[request.intent];
        (request.user, &intent.name, &request.message)
    }

    /// The number of requests that repeat a question.
    pub(super) fn repeated(&self) -> usize {
        let requests = self.requests.iter();
        requests.filter(|request| request.repeats).count()
    }

    /// The number of distinct pairs of user and message.
    pub(super) fn distinct_messages(&self) -> usize {
        let questions = self.requests.iter();
        let questions = questions.map(|request| (request.user, request.message.as_str()));
        questions.collect::<BTreeSet<_>>().len()
    }
}

/// The intents with the wordings that can be used.
fn askable(router: &Router) -> Vec<AskedIntent> {
    let catalogue = router.catalogue().with_key(KeyMode::Slots);
    let asked = |intent: &Intent| AskedIntent {
        name: intent.name.clone(),
        examples: intent
            .examples
            .iter()
            .filter(|example| is_plain(intent, &catalogue, example, router.today()))
            .filter(|example| is_understood(router, intent, example))
            .cloned()
            .collect(),
        shared: intent.kind == Kind::KnowledgeBase,
        ttl: router.cache().ttl_of(&intent.class),
    };
    catalogue.intents().iter().map(asked).collect()
}

/// Whether a wording asks the intent's question and nothing else. Unknown words
/// and low confidence do not make it another question.
fn is_plain(intent: &Intent, catalogue: &Catalogue, example: &str, today: Date) -> bool {
    let reading = Reading::of(intent, catalogue, example, today, 1.0);
    let is_same = match reading.guard() {
        None => true,
        Some(guard) => matches!(
            guard,
            Guard::UnknownWord | Guard::SecondIntent | Guard::LowConfidence | Guard::Length
        ),
    };
    is_same && reading.found().is_empty()
}

/// Whether the detector takes a wording for the intent with every topic and in
/// every style.
fn is_understood(router: &Router, intent: &Intent, example: &str) -> bool {
    let catalogue = router.catalogue();
    let topic = |slot: &String| match catalogue.slot(slot)? {
        SlotSpec::Pattern { pattern } => Some(pattern.replace('#', "0").replace('@', "A")),
        SlotSpec::Period | SlotSpec::Range => Some(PERIODS[0].to_owned()),
        SlotSpec::Date | SlotSpec::Amount { .. } | SlotSpec::Enum { .. } => None,
    };
    let topics = intent.slots.iter().filter_map(topic);
    let said = topics.map(|topic| about(example, &topic));
    let mut said = said.chain([example.to_owned()]);
    said.all(|said| {
        (0..STYLES.len()).all(|style| detected(router, &styled(&said, style)) == intent.name)
    })
}

/// The intent that the detector finds in a message.
fn detected(router: &Router, message: &str) -> String {
    router
        .detect(&Request::new(message, UserContext::guest()))
        .intent
}

/// The topics of each user and intent, looked up at first use.
#[derive(Default)]
struct Topics(BTreeMap<(u32, String), Vec<String>>);

impl Topics {
    async fn of(
        &mut self,
        router: &Router,
        population: &Population,
        user: u32,
        intent: &WeightedIntent,
    ) -> anyhow::Result<&[String]> {
        let key = (user, intent.name.clone());
        if !self.0.contains_key(&key) {
            let topics = topics(router, population, user, intent).await?;
            self.0.insert(key.clone(), topics);
        }
        Ok(self.0.get(&key).map_or(&[], Vec::as_slice))
    }
}

/// The topics of an intent for one user: the records that the answer to its
/// first wording names, by slot, and the periods if it has a slot for them.
async fn topics(
    router: &Router,
    population: &Population,
    user: u32,
    intent: &WeightedIntent,
) -> anyhow::Result<Vec<String>> {
    let catalogue = router.catalogue();
    let Some(spec) = catalogue.get(&intent.name) else {
        return Ok(Vec::new());
    };
    let mut topics = Vec::new();
    let is =
        |slot: &String, wanted: fn(&SlotSpec) -> bool| catalogue.slot(slot).is_some_and(wanted);
    let patterns = spec
        .slots
        .iter()
        .filter(|slot| is(slot, |spec| matches!(spec, SlotSpec::Pattern { .. })));
    let patterns: Vec<_> = patterns.collect();
    if !patterns.is_empty() {
        let asker = Client::uncached(population);
        let question = (user, intent.name.as_str(), intent.wordings[0].as_str());
        let routed = asker.ask(router, question).await?;
        let data = routed.answer.response().map(|response| response.data);
        for slot in patterns {
            let mut values = BTreeSet::new();
            if let Ok(data) = &data {
                collect(data, slot, &mut values);
            }
            let known = values.into_iter().filter(|value| {
                Slots::find(spec, catalogue, value, router.today()).get(slot)
                    == Some(value.as_str())
            });
            topics.extend(known.take(RECORDS));
        }
    }
    let in_calendar = |spec: &SlotSpec| matches!(spec, SlotSpec::Period | SlotSpec::Range);
    if spec.slots.iter().any(|slot| is(slot, in_calendar)) {
        topics.extend(PERIODS.map(str::to_owned));
    }
    Ok(topics)
}

/// Collects the strings of all members of this name in an answer.
fn collect(data: &Value, name: &str, values: &mut BTreeSet<String>) {
    match data {
        Value::Array(rows) => rows.iter().for_each(|row| collect(row, name, values)),
        Value::Object(members) => {
            for (member, value) in members {
                match value {
                    Value::String(text) if member == name => {
                        values.insert(text.clone());
                    }
                    other => collect(other, name, values),
                }
            }
        }
        _ => {}
    }
}

/// Trailing characters that a topic or style goes before.
const CLOSING: [char; 4] = ['.', '?', '!', ' '];

/// A wording with a topic.
fn about(wording: &str, topic: &str) -> String {
    let bare = wording.trim_end_matches(CLOSING);
    format!("{bare} {topic}{}", &wording[bare.len()..])
}

/// A wording in one of the [`STYLES`].
fn styled(wording: &str, style: usize) -> String {
    let bare = wording.trim_end_matches(CLOSING);
    match style {
        1 => wording.to_lowercase(),
        2 => wording.to_uppercase(),
        3 => bare.to_owned(),
        4 => format!("{}??", bare.replace(' ', "  ")),
        5 => format!("Good morning, {wording}"),
        6 => format!("{bare} please"),
        _ => wording.to_owned(),
    }
}
