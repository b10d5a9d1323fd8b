//! Claims and their history.

use rusqlite::params;

use super::calendar::{Day, REFERENCE};
use super::claim::Claim;
use super::names::INJURIES;
use super::random::Random;
use super::writer::{Person, Writer};
use super::{money, paperwork};

/// How many days ago the showcase member filed claims, and their status.
const SHOWCASE: [(i64, &str); 3] = [
    (900, "approved"),
    (420, "closed"),
    (60, "information_requested"),
];

/// Writes the claims of one person, oldest first, with their dependent records.
pub(super) fn claims(
    writer: &mut Writer<'_>,
    random: &mut Random,
    person: &Person,
) -> rusqlite::Result<()> {
    let mut outlines: Vec<(i64, &'static str)> = if person.showcase {
        SHOWCASE.to_vec()
    } else {
        let count = random.pick(&[0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3]);
        let mut ages: Vec<i64> = (0..count).map(|_| age(random)).collect();
        ages.sort_unstable_by(|a, b| b.cmp(a));
        ages.into_iter()
            .map(|age| (age, status(random, age)))
            .collect()
    };
    let mut has_pension = false;
    for (age, status) in outlines.drain(..) {
        let claim = claim(writer, random, person, age, status)?;
        paperwork::documents(writer, random, person, &claim)?;
        has_pension |= money::payments(writer, random, person, &claim, has_pension)?;
    }
    Ok(())
}

/// How many days ago a claim was filed; many are recent.
fn age(random: &mut Random) -> i64 {
    let longest = random.pick(&[20, 120, 500, 1_000, 1_700]);
    random.between(1, longest)
}

/// The status of a claim filed that many days ago.
fn status(random: &mut Random, age: i64) -> &'static str {
    const FRESH: &[&str] = &["submitted", "in_review"];
    const YOUNG: &[&str] = &[
        "in_review",
        "in_review",
        "information_requested",
        "approved",
        "approved",
        "denied",
    ];
    const SETTLING: &[&str] = &[
        "approved",
        "approved",
        "approved",
        "closed",
        "closed",
        "in_review",
        "denied",
        "appealed",
    ];
    const OLD: &[&str] = &["closed", "closed", "closed", "closed", "approved", "denied"];
    let likely = match age {
        ..14 => FRESH,
        14..90 => YOUNG,
        90..365 => SETTLING,
        _ => OLD,
    };
    random.pick(likely)
}

fn claim(
    writer: &mut Writer<'_>,
    random: &mut Random,
    person: &Person,
    age: i64,
    status: &'static str,
) -> rusqlite::Result<Claim> {
    let filed_on = REFERENCE.plus(-age);
    let is_decided = matches!(status, "approved" | "denied" | "appealed" | "closed");
    let decided_on = is_decided.then(|| filed_on.plus(random.between(8, 20).min(age)));
    let closed_on = decided_on.filter(|_| status == "closed").map(|decided| {
        let longest = REFERENCE.since(decided).min(400);
        decided.plus(random.between(longest.min(40), longest))
    });
    let claim = Claim {
        number: writer.claim_number(filed_on),
        injury: random.pick(INJURIES),
        status,
        filed_on,
        decided_on,
        closed_on,
    };
    let events = events(random, &claim);
    let updated_on = events.last().map_or(filed_on, |(day, _, _)| *day);
    let (next_step, next_step_on) = next_step(random, &claim);
    writer.insert(
        "INSERT INTO claims (claim_number, member_id, employer_id, claim_type, status, injury,
                             body_part, injured_on, filed_on, decided_on, closed_on, adjuster_id,
                             next_step, next_step_on, updated_on)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            claim.number,
            person.member_id,
            person.employer_id,
            claim.injury.claim_type,
            status,
            claim.injury.injury,
            claim.injury.body_part,
            filed_on.plus(-random.between(1, 12)),
            filed_on,
            decided_on,
            closed_on,
            format!("ADJ-{:02}", random.between(1, 6)),
            next_step,
            next_step_on,
            updated_on,
        ],
    )?;
    for (sequence, (day, event, note)) in (1_i64..).zip(events) {
        writer.insert(
            "INSERT INTO claim_events (claim_number, sequence, happened_on, event, note)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![claim.number, sequence, day, event, note],
        )?;
    }
    Ok(claim)
}

/// The next step of a claim, and its due date.
fn next_step(random: &mut Random, claim: &Claim) -> (&'static str, Option<Day>) {
    let soon = REFERENCE.plus(random.between(3, 20));
    match claim.status {
        "submitted" => (
            "An adjuster reads the claim and answers by the date given.",
            Some(claim.filed_on.plus(21)),
        ),
        "in_review" => (
            "The adjuster assesses the medical reports and decides by the date given.",
            Some(soon),
        ),
        "information_requested" => (
            "Hand in the documents that are marked as requested by the date given.",
            Some(soon),
        ),
        "approved" => (
            "Send the next medical certificate by the date given, so that payments go on.",
            Some(soon),
        ),
        "appealed" => (
            "The appeals board hears the case on the date given.",
            Some(soon),
        ),
        "denied" => match claim.decided_on.map(|day| day.plus(60)) {
            Some(last) if last >= REFERENCE => (
                "You can appeal against the decision until the date given.",
                Some(last),
            ),
            _ => ("The time for an appeal has run out.", None),
        },
        _ => (
            "Nothing is left to do. Tell us if the complaint comes back.",
            None,
        ),
    }
}

/// The history of a claim, oldest first.
fn events(random: &mut Random, claim: &Claim) -> Vec<(Day, &'static str, &'static str)> {
    let filed = claim.filed_on;
    let day = |offset: i64| filed.plus(offset).min(REFERENCE);
    let mut events = vec![
        (filed, "submitted", "The claim was handed in."),
        (day(1), "acknowledged", "An adjuster was assigned."),
    ];
    if claim.status != "submitted" {
        let note = "The adjuster began to read the medical reports.";
        events.push((day(3), "review_started", note));
    }
    if claim.status == "information_requested" {
        let note = "Documents are missing; the list was sent to you.";
        events.push((day(random.between(5, 12)), "information_requested", note));
    }
    if let Some(decided) = claim.decided_on {
        events.push(match claim.status {
            "denied" | "appealed" => (
                decided,
                "denied",
                "The scheme does not find the injury to be caused by the work.",
            ),
            _ => (decided, "approved", "Benefits were granted."),
        });
        if claim.status == "appealed" {
            let appealed = decided.plus(random.between(5, 55)).min(REFERENCE);
            events.push((appealed, "appealed", "You appealed against the decision."));
        }
    }
    if let Some(closed) = claim.closed_on {
        events.push((
            closed,
            "closed",
            "Treatment ended and all benefits were paid.",
        ));
    }
    events
}
