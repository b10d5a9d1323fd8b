//! Requests that ask the same questions in many wordings.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use indicatif::ProgressBar;
use intent_router::{
    Catalogue, Date, Guard, Intent, KeyMode, Kind, Reading, Request, Router, SlotSpec, Slots,
    UserContext,
};
use serde_json::Value;

use super::Asker;
use crate::bench::sampler::{SplitMix64, Weighted};
use crate::bench::traffic::{AskedIntent, MixedIntent, Options, Population, TrafficError, mix};

/// How many of a user's records of a kind are asked about.
const RECORDS: usize = 3;

/// The periods asked about.
const PERIODS: [&str; 4] = ["last month", "this month", "this year", "last year"];

/// The ways in which a wording is written.
pub(crate) const STYLES: [&str; 7] = [
    "as it is",
    "in lower case",
    "in upper case",
    "without closing punctuation",
    "with more spaces and question marks",
    "with a greeting before it",
    "with a \"please\" behind it",
];

/// One request to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Who asks, counted from 0.
    pub(crate) user: u32,
    intent: usize,
    /// What is said.
    pub(crate) message: String,
    /// Whether the same was asked before, in whatever words: about the same,
    /// by the same user where the answer is a person's own.
    pub(crate) repeats: bool,
}

/// All requests of a run, in order; the same for the same options and data.
#[derive(Debug)]
pub(crate) struct Plan {
    options: Options,
    population: Population,
    intents: Vec<MixedIntent>,
    requests: Vec<Planned>,
    /// How many messages were made up and not asked, because the detector takes
    /// them for another intent, or for none.
    misunderstood: usize,
}

/// How many messages may be misunderstood before it is asked whether most are.
const MOST_MISUNDERSTOOD: usize = 1_000;

impl Plan {
    /// Plans requests: each one's user by Zipf's law and its intent by the mix,
    /// as the other traffic's; then with equal chances what it is about (nothing
    /// more, one of the user's records, or a period), its wording and its style.
    ///
    /// The wordings are the first examples of the intent that ask its one plain
    /// question and that the detector understands, with whatever they are to be
    /// about. An example with a record, a time, a number, a negation or one of
    /// two opposites in it asks something else. A message that the detector does
    /// not understand with all that is about it is counted and not asked.
    ///
    /// # Errors
    /// [`TrafficError`] when an option is out of bounds or there is nothing to
    /// ask; whatever the router fails with when it is asked for the records.
    pub(crate) async fn new(
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
        let mut records = Records::default();
        let mut random = SplitMix64::new(options.seed);
        let mut requests = Vec::with_capacity(options.requests);
        let mut asked = HashSet::new();
        bar.set_message("records");
        let mut misunderstood = 0;
        while requests.len() < options.requests {
            let user = by_user.sample(&mut random) as u32;
            let at = by_intent.sample(&mut random);
            let intent = &intents[at];
            let topics = records.of(router, &population, user, intent).await?;
            let topic = random.below(topics.len() + 1).checked_sub(1);
            let topic = topic.and_then(|topic| topics.get(topic));
            let wording = &intent.wordings[random.below(intent.wordings.len())];
            let said = match topic {
                Some(topic) => about(wording, topic),
                None => wording.clone(),
            };
            let message = styled(&said, random.below(STYLES.len()));
            if takes(router, &message) != intent.name {
                misunderstood += 1;
                let most = requests.len().max(MOST_MISUNDERSTOOD);
                anyhow::ensure!(
                    misunderstood <= most,
                    "the detector takes {message:?} for another intent than {}, and most of the messages so",
                    intent.name
                );
                continue;
            }
            let repeats = !asked.insert(((!intent.shared).then_some(user), at, topic.cloned()));
            requests.push(Planned {
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

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn population(&self) -> &Population {
        &self.population
    }

    pub(crate) fn misunderstood(&self) -> usize {
        self.misunderstood
    }

    pub(crate) fn requests(&self) -> &[Planned] {
        &self.requests
    }

    /// Who asks, what is meant, and what is said.
    pub(crate) fn question<'p>(&'p self, request: &'p Planned) -> (u32, &'p str, &'p str) {
        let intent = &self.intents[request.intent];
        (request.user, &intent.name, &request.message)
    }

    /// How many requests ask what was asked before.
    pub(crate) fn repeated(&self) -> usize {
        let requests = self.requests.iter();
        requests.filter(|request| request.repeats).count()
    }

    /// How many different pairs of user and message there are.
    pub(crate) fn distinct_messages(&self) -> usize {
        let questions = self.requests.iter();
        let questions = questions.map(|request| (request.user, request.message.as_str()));
        questions.collect::<BTreeSet<_>>().len()
    }
}

/// The intents with the wordings that can be asked.
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

/// Whether a wording asks the intent's question and nothing else. That a word is
/// unknown, or the detector unsure, does not make it another question.
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

/// Whether the detector takes a wording for the intent, whatever it is about and
/// however it is written.
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
        (0..STYLES.len()).all(|style| takes(router, &styled(&said, style)) == intent.name)
    })
}

/// What the detector takes a message for.
fn takes(router: &Router, message: &str) -> String {
    router
        .detect(&Request::new(message, UserContext::guest()))
        .intent
}

/// What each user can ask about, looked up when it is first needed.
#[derive(Default)]
struct Records(BTreeMap<(u32, String), Vec<String>>);

impl Records {
    async fn of(
        &mut self,
        router: &Router,
        population: &Population,
        user: u32,
        intent: &MixedIntent,
    ) -> anyhow::Result<&[String]> {
        let key = (user, intent.name.clone());
        if !self.0.contains_key(&key) {
            let topics = topics(router, population, user, intent).await?;
            self.0.insert(key.clone(), topics);
        }
        Ok(self.0.get(&key).map_or(&[], Vec::as_slice))
    }
}

/// The records that the answer to an intent's first wording names, for each slot
/// that finds them, and the periods if it has a slot for those.
async fn topics(
    router: &Router,
    population: &Population,
    user: u32,
    intent: &MixedIntent,
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
        let asker = Asker::uncached(population);
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

/// The texts that members of this name have anywhere in an answer.
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

const CLOSING: [char; 4] = ['.', '?', '!', ' '];

/// A wording that is about something.
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
