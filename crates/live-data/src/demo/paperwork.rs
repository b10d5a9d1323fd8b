//! Documents, drafts and tickets.

use rusqlite::params;

use super::calendar::{Day, REFERENCE};
use super::claim::Claim;
use super::names::TICKETS;
use super::random::Random;
use super::writer::{Person, Required, Writer};

/// Writes the documents of a claim, the person's and the employer's.
pub(super) fn documents(
    writer: &mut Writer<'_>,
    random: &mut Random,
    person: &Person,
    claim: &Claim,
) -> rusqlite::Result<()> {
    let wanted: Vec<Required> = writer
        .required
        .iter()
        .filter(|document| document.claim_type == claim.injury.claim_type)
        .cloned()
        .collect();
    // A claim that waits for information lacks the person's first document.
    let mut is_missing = claim.status == "information_requested";
    for document in wanted {
        if !document.mandatory && !random.chance(30) {
            continue;
        }
        let asked = claim.filed_on.plus(1);
        let came = asked
            .plus(random.between(0, document.due_in_days))
            .min(REFERENCE);
        let status = if claim.decided_on.is_some() {
            "accepted"
        } else if is_missing && !document.by_employer {
            is_missing = false;
            "requested"
        } else {
            random.pick(&["accepted", "accepted", "in_review", "received", "rejected"])
        };
        let has_come = status != "requested";
        let is_reviewed = matches!(status, "accepted" | "rejected");
        let is_rejected = status == "rejected";
        let number = writer.number("DOC", 8);
        writer.insert(
            "INSERT INTO documents (document_number, member_id, claim_number, document_type, title,
                                    status, status_reason, requested_on, due_on, received_on,
                                    reviewed_on)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                number,
                if document.by_employer {
                    &person.employer_id
                } else {
                    &person.member_id
                },
                claim.number,
                document.document_type,
                document.title,
                status,
                is_rejected.then_some("The page is not readable; please send it again."),
                asked,
                asked.plus(document.due_in_days),
                has_come.then_some(came),
                is_reviewed.then(|| came.plus(random.between(1, 4)).min(REFERENCE)),
            ],
        )?;
    }
    Ok(())
}

/// Writes a claim that is not submitted yet; few members have one.
pub(super) fn draft(
    writer: &mut Writer<'_>,
    random: &mut Random,
    member_id: &str,
    showcase: bool,
) -> rusqlite::Result<()> {
    if !showcase && !random.chance(8) {
        return Ok(());
    }
    let started = REFERENCE.plus(-random.between(1, 25));
    let number = writer.number("DRF", 6);
    writer.insert(
        "INSERT INTO claim_drafts (draft_number, member_id, claim_type, started_on, expires_on,
                                   next_step)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            number,
            member_id,
            random.pick(&[
                "injury",
                "injury",
                "occupational_disease",
                "repetitive_strain"
            ]),
            started,
            started.plus(30),
            random.between(2, 4),
        ],
    )
}

/// Writes a member's questions to the help desk.
pub(super) fn tickets(
    writer: &mut Writer<'_>,
    random: &mut Random,
    member_id: &str,
    showcase: bool,
) -> rusqlite::Result<()> {
    let mut opened: Vec<Day> = if showcase {
        vec![REFERENCE.plus(-40), REFERENCE.plus(-2)]
    } else {
        let count = random.pick(&[0, 0, 0, 0, 0, 0, 1, 1, 1, 2]);
        (0..count)
            .map(|_| REFERENCE.plus(-random.between(0, 300)))
            .collect()
    };
    opened.sort_unstable();
    for day in opened {
        let (category, subject, last_reply) = random.pick(TICKETS);
        let status = if REFERENCE.since(day) > 30 {
            "resolved"
        } else {
            random.pick(&["open", "waiting_for_member"])
        };
        let number = writer.number("TKT", 6);
        writer.insert(
            "INSERT INTO tickets (ticket_number, member_id, category, subject, status, priority,
                                  opened_on, updated_on, last_reply)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                number,
                member_id,
                category,
                subject,
                status,
                random.pick(&["low", "normal", "normal", "high"]),
                day,
                day.plus(random.between(0, 6)).min(REFERENCE),
                last_reply,
            ],
        )?;
    }
    Ok(())
}
