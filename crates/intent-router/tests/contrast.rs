//! Questions that differ in a record, a period, a number or their polarity never
//! share an entry, and other wordings of one question do: through the router,
//! with the built-in catalogue. The first test prints how many pairs it made:
//! `cargo test -p intent-router --test contrast -- --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]
// How many pairs there were is what the first test is for.
#![allow(clippy::print_stdout)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use intent_router::{
    CacheOutcome, CacheService, Catalogue, Date, Detector, Intent, KeyMode, KeywordDetector, Kind,
    Reading, Request, Router, UserContext,
};
use support::{FakeSource, now};

/// 20 November 2025, the day of the demo data.
const TODAY: u64 = 1_763_596_800;

struct Pairs {
    router: Router,
    detector: KeywordDetector,
    /// How many pairs there were of each kind, and how many of them began with
    /// a message that its slots stand for: of the others it is no wonder.
    counts: BTreeMap<&'static str, (usize, usize)>,
    shared: Vec<(String, String)>,
    users: usize,
}

impl Pairs {
    fn new() -> Self {
        Self::of(Catalogue::built_in().clone())
    }

    fn of(catalogue: Catalogue) -> Self {
        let catalogue = Arc::new(catalogue);
        let detector = KeywordDetector::new(&catalogue);
        let cache = Arc::new(CacheService::builder().build().unwrap());
        let router = Router::new(
            catalogue,
            Arc::new(detector.clone()),
            Arc::new(FakeSource::default()),
            cache,
        );
        let clock = || UNIX_EPOCH + Duration::from_secs(TODAY);
        Self {
            router: router.unwrap().with_wall_clock(Arc::new(clock)),
            detector,
            counts: BTreeMap::new(),
            shared: Vec::new(),
            users: 0,
        }
    }

    /// Whether a new user who asks both in turn gets one entry for both; of
    /// `intent` if it is given, else as it is detected.
    fn share(&mut self, first: &str, second: &str, intent: Option<&str>) -> bool {
        self.users += 1;
        let user = format!("BEN-{:06}", self.users);
        let ask = |message: &str| {
            let mut request = Request::new(message, UserContext::new(&user, "beneficiary"));
            request.forced_intent = intent.map(str::to_owned);
            now(self.router.route(&request)).unwrap()
        };
        let (first, second) = (ask(first), ask(second));
        let shared = first.key.is_some() && first.key == second.key;
        // Everybody shares the answers about nobody, so a hit may be another's.
        let hit = matches!(second.cache, CacheOutcome::Hit { .. });
        assert!(!shared || hit && first.answer.json() == second.answer.json());
        shared
    }

    /// Counts a pair that may not share: where both are taken for the intent,
    /// whatever the confidence, and some of them as they are detected, too.
    fn apart(&mut self, kind: &'static str, intent: &Intent, first: &str, second: &str) {
        if first == second {
            return;
        }
        let by_slots = reading(intent, &self.detector, first).guard().is_none();
        let count = self.counts.entry(kind).or_default();
        count.0 += 1;
        count.1 += usize::from(by_slots);
        let is_detected = self.detector.detect(first).intent == intent.name;
        let as_detected =
            is_detected && count.0.is_multiple_of(4) && self.share(first, second, None);
        if as_detected || self.share(first, second, Some(&intent.name)) {
            self.shared.push((first.to_owned(), second.to_owned()));
        }
    }
}

/// Some of a list, others for each `seed`.
fn some<T>(list: &[T], seed: usize, count: usize) -> impl Iterator<Item = &T> {
    list.iter()
        .cycle()
        .skip(seed * count % list.len())
        .take(count)
}

fn reading(intent: &Intent, detector: &KeywordDetector, message: &str) -> Reading {
    let today = Date::from_unix_seconds(TODAY as i64);
    let confidence = detector.detect(message).confidence;
    Reading::of(intent, Catalogue::built_in(), message, today, confidence)
}

/// The intents whose messages are replaced by their slots, of which `yields`
/// ones only greet.
fn intents() -> impl Iterator<Item = &'static Intent> {
    let intents = Catalogue::built_in().intents().iter();
    intents.filter(|intent| intent.key == KeyMode::Slots)
}

/// A record of each kind that an intent asks for, and another one.
fn records(intent: &Intent) -> Vec<[String; 2]> {
    let has = |slot: &str| intent.slots.iter().any(|name| name == slot);
    let kinds = [
        ("claim_number", "CLM-2025-00012"),
        ("payment_number", "PAY-0000012"),
        ("document_number", "DOC-0000012"),
    ];
    let kinds = kinds.iter().filter(|(slot, _)| has(slot));
    kinds
        .map(|(_, stem)| [1, 2].map(|n| format!("{stem}{n}")))
        .collect()
}

/// The examples as they are, and with a record named.
fn questions(intent: &Intent) -> Vec<String> {
    let bare = |text: &String| text.trim_end_matches(['.', '?', '!', ' ']).to_owned();
    let mut questions: Vec<_> = intent.examples.iter().map(bare).collect();
    for [record, _] in records(intent) {
        questions.push(record.clone());
        questions.extend(
            intent
                .examples
                .iter()
                .map(|text| format!("{} {record}", bare(text))),
        );
    }
    questions
}

const TIMES: [&str; 14] = [
    "in March 2025",
    "in 2024",
    "last month",
    "this month",
    "last year",
    "in May",
    "since January",
    "before June 2025",
    "on 2025-03-04",
    "last week",
    "yesterday",
    "for the last 3 months",
    "until Monday",
    "from March 2025",
];

const NUMBERS: [&str; 12] = [
    "2",
    "two",
    "twice",
    "the second",
    "#4711",
    "no. 5",
    "K500",
    "K5,000",
    "50 %",
    "half",
    "⁵",
    "in A4",
];

const NEGATED: [(&str, &str); 12] = [
    ("is", "is not"),
    ("is", "isn't"),
    ("has", "hasn't"),
    ("was", "was never"),
    ("do", "don't"),
    ("did", "didn't"),
    ("can", "cannot"),
    ("have", "haven't"),
    ("my", "none of my"),
    ("when", "why not, when"),
    ("how", "not how"),
    ("will", "won't"),
];

const OTHERS: [&str; 8] = [
    "for my brother",
    "of another member",
    "but only the others",
    "except for the first",
    "as a lump sum in dollars",
    "than the old one",
    "➔",
    "+",
];

#[test]
fn contrasting_questions_never_share() {
    let mut pairs = Pairs::new();
    for intent in intents() {
        let second: Vec<_> = Catalogue::built_in()
            .intents()
            .iter()
            .filter(|other| other.name != intent.name && !other.yields)
            .flat_map(|other| other.examples.iter().step_by(11))
            .collect();
        for (i, question) in questions(intent).iter().enumerate() {
            let with = |tail: &str| format!("{question} {tail}");
            // One that names a period may be given the same again.
            let has_period = reading(intent, &pairs.detector, question)
                .found()
                .get("period")
                .is_some();
            let times = some(&TIMES, i, if has_period { 0 } else { 3 });
            for (j, time) in times.enumerate() {
                pairs.apart("period added", intent, question, &with(time));
                let other = TIMES[(i + 5 * j) % TIMES.len()];
                pairs.apart("period changed", intent, &with(time), &with(other));
            }
            for number in some(&NUMBERS, i, 3) {
                pairs.apart("number added", intent, question, &with(number));
            }
            pairs.apart(
                "amount changed",
                intent,
                &with("of K500"),
                &with("of K5,000"),
            );
            for (plain, negated) in NEGATED {
                let words = question.split(' ');
                let words = words.map(|word| {
                    if word.eq_ignore_ascii_case(plain) {
                        negated
                    } else {
                        word
                    }
                });
                let negation = words.collect::<Vec<_>>().join(" ");
                pairs.apart("negated", intent, question, &negation);
            }
            pairs.apart("negated", intent, question, &with("not"));
            for other in some(&OTHERS, i, 2) {
                pairs.apart("restricted", intent, question, &with(other));
            }
            let asked = second[i % second.len()];
            for joint in some(&[". ", "? ", " and ", ", ", " / ", " also "], i, 2) {
                let both = format!("{question}{joint}{asked}");
                pairs.apart("second question", intent, question, &both);
            }
        }
        records_apart(&mut pairs, intent);
    }
    polarity_apart(&mut pairs);
    let mut all = (0, 0);
    for (kind, count) in &pairs.counts {
        println!("{kind}: {} pairs, {} of them from slots", count.0, count.1);
        all = (all.0 + count.0, all.1 + count.1);
    }
    println!(
        "{} pairs, {} of them from slots, {} shared",
        all.0,
        all.1,
        pairs.shared.len()
    );
    assert!(pairs.shared.is_empty(), "{:#?}", pairs.shared);
    assert!(all.0 > 10_000 && all.1 > 5_000);
}

/// Changes the record named, names two, and swaps them.
fn records_apart(pairs: &mut Pairs, intent: &Intent) {
    for [a, b] in records(intent) {
        for (i, example) in intent.examples.iter().enumerate() {
            let example = example.trim_end_matches(['.', '?', '!', ' ']);
            let about = |record: &str| format!("{example} {record}");
            pairs.apart("record changed", intent, &about(&a), &about(&b));
            let folded = about(&a.replace("121", "12¹"));
            pairs.apart("record changed", intent, &about(&a), &folded);
            pairs.apart("record added", intent, example, &about(&a));
            pairs.apart(
                "record added",
                intent,
                &about(&a),
                &format!("{example} {a} and {b}"),
            );
            // Joined by "and", a list: its order does not matter.
            for joint in some(&["before", "than", "instead of", "to", "from"], i, 2) {
                let [ab, ba] =
                    [(&a, &b), (&b, &a)].map(|(a, b)| format!("{example} {a} {joint} {b}"));
                pairs.apart("records swapped", intent, &ab, &ba);
            }
            let [from, to] = ["from", "to"].map(|way| format!("{example} {way} {a}"));
            pairs.apart("direction", intent, &from, &to);
            pairs.apart("direction", intent, &about(&a), &from);
            // An identifier that no slot of this intent takes.
            for other in some(
                &["TKT-000123", "CLM-2025-0001", "ABC123", "clm 2025 1"],
                i,
                1,
            ) {
                pairs.apart(
                    "identifier added",
                    intent,
                    &about(&a),
                    &format!("{example} {a} {other}"),
                );
            }
        }
    }
}

/// Questions with one of two opposite words.
fn polarity_apart(pairs: &mut Pairs) {
    let opposites = [
        ("approved", "rejected"),
        ("accepted", "declined"),
        ("approved", "denied"),
        ("open", "closed"),
        ("pending", "finalised"),
        ("received", "missing"),
        ("paid", "unpaid"),
        ("early", "late"),
        ("verified", "unverified"),
        ("next", "previous"),
        ("first", "last"),
        ("more", "less"),
        ("increased", "decreased"),
        ("started", "stopped"),
        ("before", "after"),
        ("active", "suspended"),
        ("correct", "incorrect"),
        ("new", "old"),
        ("with", "without"),
        ("incoming", "outgoing"),
        ("approved", "turned down"),
        ("accepted", "not accepted"),
        ("all", "none"),
        ("valid", "expired"),
    ];
    let frames = [
        "is my {what} {}",
        "was my {what} {}",
        "has my {what} been {}",
        "the {} {what}",
        "show me {} {what}",
        "please tell me whether the {what} is {} now",
        "why was the {what} {}",
        "{} {what}?",
        "my {what} {}",
        "I want to know if my {what} is still {}",
        "kindly check {} {what}s",
    ];
    let status = intents().find(|intent| intent.name == "payment_status");
    for (a, b) in [
        ("payment to my bank", "payment from my bank"),
        ("payment to me", "payment by me"),
        ("my payment by cheque", "my payment in cash"),
        (
            "status of all my payments",
            "status of all payments but mine",
        ),
    ] {
        pairs.apart("direction", status.unwrap(), a, b);
    }
    let account = intents()
        .find(|intent| intent.name == "account_info")
        .unwrap();
    let details = [
        "address",
        "phone number",
        "email",
        "surname",
        "date of birth",
        "next of kin",
        "bank account",
    ];
    for (i, a) in details.iter().enumerate() {
        for b in &details[i + 1..] {
            for frame in [
                "what is my {}",
                "show me the {} on my account",
                "change my {}",
            ] {
                let [a, b] = [a, b].map(|detail| frame.replace("{}", detail));
                pairs.apart("detail", account, &a, &b);
            }
        }
        let [show, change] = ["show", "change"].map(|act| format!("{act} my {a}"));
        pairs.apart("detail", account, &show, &change);
    }
    for intent in intents().filter(|intent| !intent.yields) {
        let what = match intent.name.as_str() {
            "claim_status" | "claim_submission" => "claim",
            "payment_status" | "payment_history" => "payment",
            "pension_inquiry" => "pension",
            "account_info" => "account",
            _ => "document",
        };
        for frame in frames {
            let frame = frame.replace("{what}", what);
            for (a, b) in opposites {
                let [a, b] = [a, b].map(|word| frame.replace("{}", word));
                pairs.apart("polarity", intent, &a, &b);
            }
        }
    }
}

/// Other wordings of one question, each list of which is one entry.
const SAME: [&[&str]; 12] = [
    &[
        "claim status",
        "What is my claim status?",
        "status of my claim pls",
        "WHERE IS MY CLAIM NOW?",
        "Could you please tell me the status of my claim?",
        "how is my claim going",
        "Any update on my claim?",
        "Good day, kindly update me on the progress of my claim.",
        "Track my claim",
        "Hi, how far is my claim?",
        "I would like to know how far my claim is.",
        "my case status please",
        "is there any news about my claim",
    ],
    &[
        "CLM-2025-000123",
        "What is happening with CLM-2025-000123?",
        "status clm 2025 000123",
        "claim CLM–2025–000123 update",
        "please check my claim clm2025000123",
        "Where is claim CLM-2025-000123 now?",
        "Any news on CLM-2025-000123, please?",
    ],
    &[
        "Has my claim been approved?",
        "is my claim approved yet",
        "did you guys accept my claim",
    ],
    &[
        "was my claim rejected",
        "why was my claim denied",
        "Has my claim been turned down?",
    ],
    &[
        "payment status",
        "When will I be paid?",
        "where is my money",
        "Has my payment been processed?",
        "When do I get paid?",
        "has the money come into my account",
        "Kindly tell me the status of my payment.",
    ],
    &[
        "PAY-00000042 status",
        "where is payment PAY-00000042",
        "Has payment pay 00000042 been processed yet?",
    ],
    &[
        "payment history",
        "Show me my payment history",
        "List all payments",
        "How much have I been paid so far?",
        "Please may I have a statement of my payments?",
        "can I see all my payments",
    ],
    &[
        "All payments in October 2025",
        "payments received last month",
        "show my payments for 2025-10",
        "how much was I paid in october 2025",
        "Which payments did I get in Oct. 2025?",
    ],
    &[
        "pension",
        "How much is my pension?",
        "pension inquiry",
        "please show my pension details",
        "check pension",
    ],
    &[
        "my account",
        "Show me my account details",
        "account info",
        "what information do you have about me",
    ],
    &[
        "document status",
        "Did you receive my documents?",
        "status of my documents",
        "Could you please tell me whether you got my documents?",
    ],
    &[
        "hello",
        "Hi there!",
        "hey",
        "howdy",
        "Hello again",
        "How are you?",
    ],
];

/// Ways to write one value, of which any two stand for the same and none for
/// the value of another line.
const VALUES: [&[&str]; 26] = [
    &[
        "of K500",
        "of K500.00",
        "of 500 kwacha",
        "of ZMW 500",
        "OF k500,0",
    ],
    &[
        "of K5,000",
        "of K5000",
        "of 5'000.00 kwacha",
        "of K5.000,00",
    ],
    &["of K50", "of 50 ZMW"],
    &["of K500.5", "of K500,50"],
    &["of K5,000.50", "of 5.000,5 ZMW"],
    &["of $500", "of 500 USD", "of $ 500.00 USD"],
    &["of $5,000", "of USD 5000"],
    &[
        "of 14 March 2025",
        "of 2025-03-14",
        "of 14/03/2025",
        "of March 14th, 2025",
    ],
    &["of 15 March 2025", "of 15.3.2025"],
    &["of 2024-03-14", "of 14-03-2024"],
    &["of March 2025", "of 2025-03", "in 03/2025"],
    &["of April 2025", "in April of 2025"],
    &["in 2024", "of last year", "for the previous year"],
    &["in 2025", "of this year", "of the current year"],
    &[
        "of Q1 2025",
        "of the first quarter of 2025",
        "from January 2025 to March 2025",
    ],
    &["of this quarter", "in 2025-Q4"],
    &["of last week", "of 2025-W46"],
    &[
        "of this week",
        "of 2025-W47",
        "from 2025-11-17 to 23 November 2025",
    ],
    &["of today", "of 20 Nov 2025"],
    &["of yesterday", "of 19 Nov 2025", "of 1 days ago"],
    &[
        "of the last 7 days",
        "of the past seven days",
        "from 14 Nov 2025 to today",
    ],
    &["of the last 30 days"],
    &["of the next 7 days", "of the next seven days"],
    &["that are pending", "in progress", "under way"],
    &["that are settled", "that went through"],
    &[""],
];

#[test]
fn values_share_when_they_are_the_same_and_only_then() {
    let catalogue = Catalogue::parse(
        r#"
        [slots.amount]
        kind = "amount"
        currencies = { ZMW = ["K", "ZMW", "kwacha"], USD = ["$", "USD"] }
        [slots.range]
        kind = "range"
        [slots.state]
        kind = "enum"
        [slots.state.values]
        pending = ["pending", "in progress", "under way"]
        settled = ["settled", "went through"]
        [[intent]]
        name = "transactions"
        kind = "live_data"
        key = "slots"
        phrases = ["transactions"]
        slots = ["amount", "range", "state"]
        "#,
    );
    let mut pairs = Pairs::of(catalogue.unwrap());
    let written: Vec<_> = VALUES
        .iter()
        .enumerate()
        .flat_map(|(value, ways)| ways.iter().map(move |way| (value, way)))
        .collect();
    for (a, first) in &written {
        for (b, second) in &written {
            let [first, second] =
                [first, second].map(|way| format!("my transactions {way}, please"));
            let shared = pairs.share(&first, &second, None);
            assert_eq!(shared, a == b, "{first:?} and {second:?}");
        }
    }
    assert!(pairs.users > 3_000);
}

/// Words of other languages that exclude or limit.
const FOREIGN_LIMITS: [&str; 26] = [
    "sin",
    "salvo",
    "hasta",
    "desde",
    "antes",
    "después",
    "sans",
    "sauf",
    "pas",
    "jusque",
    "depuis",
    "avant",
    "après",
    "sem",
    "exceto",
    "até",
    "não",
    "ohne",
    "außer",
    "nicht",
    "bis",
    "seit",
    "bila",
    "isipokuwa",
    "mpaka",
    "tangu",
];

/// No list has them, and examples in those languages do not teach them.
#[test]
fn words_of_other_languages_that_limit_are_doubted() {
    let detector = KeywordDetector::new(Catalogue::built_in());
    for intent in intents().filter(|intent| intent.kind == Kind::LiveData) {
        let question = &intent.examples[0];
        assert_eq!(reading(intent, &detector, question).guard(), None);
        for word in FOREIGN_LIMITS {
            let limited = format!("{question} {word}");
            let guard = reading(intent, &detector, &limited).guard();
            assert!(guard.is_some(), "{limited:?} of {}", intent.name);
        }
    }
}

#[test]
fn other_wordings_of_one_question_share() {
    let mut pairs = Pairs::new();
    let mut apart = Vec::new();
    for wordings in SAME {
        for second in &wordings[1..] {
            if !pairs.share(wordings[0], second, None) {
                let intent = pairs.detector.detect(second);
                let guard = Catalogue::built_in()
                    .get(&intent.intent)
                    .map(|intent| reading(intent, &pairs.detector, second));
                apart.push((wordings[0], *second, intent, guard));
            }
        }
    }
    assert!(apart.is_empty(), "{apart:#?}");
    let distinct: BTreeSet<_> = SAME.iter().flat_map(|wordings| wordings.iter()).collect();
    assert!(distinct.len() > 60);
}

/// What guards cost: of wordings that nobody thought of when the catalogue was
/// written, this many are still replaced by their slots.
#[test]
fn some_wordings_that_were_not_foreseen_share() {
    let pairs = Pairs::new();
    let (mut by_slots, mut all) = (0, 0);
    let mut guards = BTreeMap::<&str, usize>::new();
    for line in include_str!("data/heldout.jsonl").lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = line["text"].as_str().unwrap();
        let Some(intent) = intents().find(|intent| line["intent"] == intent.name) else {
            continue;
        };
        if pairs.detector.detect(text).intent != intent.name {
            continue;
        }
        all += 1;
        match reading(intent, &pairs.detector, text).guard() {
            None => by_slots += 1,
            Some(guard) => *guards.entry(guard.name()).or_default() += 1,
        }
    }
    println!("{by_slots} of {all} held-out wordings are replaced by their slots; not: {guards:?}");
    assert!(by_slots * 5 >= all * 2);
}
