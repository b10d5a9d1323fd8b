//! Questions that differ never share an entry.

use intent_router::{Catalogue, Intent, KeywordDetector, Kind};

use crate::pairs::{Pairs, intents, reading};

/// Some of a list, others for each `seed`.
fn some<T>(list: &[T], seed: usize, count: usize) -> impl Iterator<Item = &T> {
    list.iter()
        .cycle()
        .skip(seed * count % list.len())
        .take(count)
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
