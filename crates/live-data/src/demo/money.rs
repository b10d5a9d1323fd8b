//! Payments and pensions.

use rusqlite::params;

use super::calendar::{Day, REFERENCE};
use super::claim::Claim;
use super::random::Random;
use super::writer::{Person, Writer};

/// The maximum number of months for which wages are replaced.
const WAGE_MONTHS: i64 = 10;
/// The number of months of pension payments that are generated.
const PENSION_MONTHS: i64 = 14;

/// One series of payments: to whom, for what, how.
struct Series<'a> {
    payee: &'a str,
    claim: &'a str,
    pension: Option<&'a str>,
    kind: &'static str,
    method: &'static str,
    /// Whether payments may be held back or returned.
    has_trouble: bool,
}

/// Writes the payments of a claim; true if it includes a pension.
pub(super) fn payments(
    writer: &mut Writer<'_>,
    random: &mut Random,
    person: &Person,
    claim: &Claim,
    has_pension: bool,
) -> rusqlite::Result<bool> {
    let Some(decided) = claim.decided_on else {
        return Ok(false);
    };
    if !matches!(claim.status, "approved" | "closed") {
        return Ok(false);
    }
    let method = if person.showcase || random.chance(90) {
        "bank_transfer"
    } else {
        "cheque"
    };
    let mut series = Series {
        payee: &person.member_id,
        claim: &claim.number,
        pension: None,
        kind: "wage_replacement",
        method,
        has_trouble: !person.showcase,
    };
    let amount = random.between(80_000, 320_000);
    let end = claim.closed_on.unwrap_or(REFERENCE.plus(30));
    let pay_day = random.between(1, 28);
    for month in 0..WAGE_MONTHS {
        let due = decided.in_month(month + 1, pay_day);
        if due > end {
            break;
        }
        pay(
            writer,
            random,
            &series,
            due,
            decided.in_month(month, 1),
            amount,
        )?;
    }
    series.kind = "medical_reimbursement";
    for _ in 0..random.between(0, 2) {
        let due = decided.plus(random.between(5, 90)).min(end);
        let cost = random.between(2_500, 95_000);
        pay(writer, random, &series, due, due, cost)?;
    }
    if random.chance(25) {
        // The employer continued to pay wages and is reimbursed.
        let refund = Series {
            payee: &person.employer_id,
            kind: "employer_wage_refund",
            method: "bank_transfer",
            ..series
        };
        let due = decided.in_month(1, 15);
        pay(writer, random, &refund, due, decided, amount)?;
    }
    let is_long = REFERENCE.since(claim.filed_on) > 400;
    let granted = person.showcase || random.chance(18);
    if has_pension || !is_long || !granted {
        return Ok(false);
    }
    pension(writer, random, person, &series, decided)?;
    Ok(true)
}

fn pension(
    writer: &mut Writer<'_>,
    random: &mut Random,
    person: &Person,
    series: &Series<'_>,
    decided: Day,
) -> rusqlite::Result<()> {
    let number = writer.number("PEN", 6);
    let is_active = person.showcase || random.chance(93);
    let started = decided.plus(180);
    let next = REFERENCE.in_month(0, 25);
    let monthly = random.between(35_000, 190_000);
    let is_survivor = !person.showcase && person.dependants > 0 && random.chance(12);
    writer.insert(
        "INSERT INTO pensions (pension_number, member_id, claim_number, kind, status,
                               impairment_percent, monthly_cents, currency, started_on,
                               next_payment_on, life_certificate_due_on, review_on)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'USD', ?8, ?9, ?10, ?11)",
        params![
            number,
            person.member_id,
            series.claim,
            if is_survivor {
                "survivor"
            } else {
                "permanent_disability"
            },
            if is_active { "active" } else { "suspended" },
            if is_survivor {
                100
            } else {
                random.between(10, 85)
            },
            monthly,
            started,
            is_active.then_some(next),
            Day::of(2026, 1, 31),
            started.plus(3 * 365),
        ],
    )?;
    let series = Series {
        pension: Some(&number),
        kind: "pension",
        ..*series
    };
    // A suspended pension stopped three months ago.
    let last = if is_active { 0 } else { -3 };
    for month in -PENSION_MONTHS..=last {
        let due = REFERENCE.in_month(month, 25);
        if due > started {
            pay(writer, random, &series, due, due, monthly)?;
        }
    }
    Ok(())
}

/// Writes one payment; its state follows from the day on which it is due.
fn pay(
    writer: &mut Writer<'_>,
    random: &mut Random,
    series: &Series<'_>,
    due: Day,
    period: Day,
    amount_cents: i64,
) -> rusqlite::Result<()> {
    let trouble = if series.has_trouble {
        random.below(100)
    } else {
        100
    };
    let ago = REFERENCE.since(due);
    let (status, reason) = match ago {
        ..-2 => ("scheduled", None),
        -2..=1 => ("processing", None),
        2..60 if trouble < 3 => ("on_hold", Some("A medical certificate is missing.")),
        2..60 if trouble < 5 => ("returned", Some("The bank does not know the account.")),
        _ => ("paid", None),
    };
    let number = writer.number("PAY", 8);
    writer.insert(
        "INSERT INTO payments (payment_number, member_id, claim_number, pension_number, kind,
                               period, amount_cents, currency, method, status, status_reason,
                               scheduled_on, paid_on)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'USD', ?8, ?9, ?10, ?11, ?12)",
        params![
            number,
            series.payee,
            series.claim,
            series.pension,
            series.kind,
            period.period(),
            amount_cents,
            series.method,
            status,
            reason,
            due,
            (status == "paid").then(|| due.plus(random.between(0, 1))),
        ],
    )
}
