//! Fills an empty database with members and everything that belongs to them.
//!
//! Members are generated one after the other, an employer just before the first
//! of its employees, and numbers are assigned in that order. So the first thousand
//! members are the same whether a thousand or a million are generated.

use rusqlite::{Connection, params};

use super::calendar::{Day, REFERENCE};
use super::claims;
use super::names::{BANKS, CITIES, FIRST_NAMES, LAST_NAMES, STREETS, TRADES, Trade};
use super::options::DemoOptions;
use super::paperwork;
use super::random::Random;
use super::writer::{Person, Writer};

/// How many beneficiaries an employer has.
const STAFF: u32 = 20;

/// Creates the tables and fills them, in one transaction.
pub(super) fn populate(connection: &mut Connection, options: &DemoOptions) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(32);
    let transaction = connection.transaction()?;
    transaction.execute_batch(include_str!("schema.sql"))?;
    transaction.execute_batch(include_str!("reference.sql"))?;
    transaction.execute_batch(include_str!("articles.sql"))?;
    let mut writer = Writer::new(&transaction)?;
    for number in 1..=options.members {
        if number % STAFF == 1 {
            employer(&mut writer, options.seed, number / STAFF + 1)?;
        }
        beneficiary(&mut writer, options.seed, number)?;
    }
    writer.insert(
        "INSERT INTO demo_origin (seed, members, reference_date) VALUES (?1, ?2, ?3)",
        // Integers are signed in the database; the seed's bits stay the same.
        params![options.seed.cast_signed(), options.members, REFERENCE],
    )?;
    transaction.commit()
}

fn employer_id(number: u32) -> String {
    format!("EMP-{number:04}")
}

/// The trade of an employer: the first draw of its own stream, so that it need not
/// be stored for its employees.
fn trade(seed: u64, employer: u32) -> (Random, Trade) {
    let mut random = Random::of(seed, (1 << 32) | u64::from(employer));
    let trade = random.pick(TRADES);
    (random, trade)
}

/// The columns that employers and beneficiaries share.
struct Contact<'a> {
    member_id: &'a str,
    kind: &'static str,
    display_name: &'a str,
    email: String,
    bank: bool,
    registered_on: Day,
}

fn member(writer: &Writer<'_>, random: &mut Random, who: &Contact<'_>) -> rusqlite::Result<()> {
    let (city, postal) = random.pick(CITIES);
    let address = format!("{} {}", random.between(1, 180), random.pick(STREETS));
    let bank = who.bank.then(|| random.pick(BANKS));
    let account = format!("•••• •••• {:04}", random.below(10_000));
    let known_for = REFERENCE.since(who.registered_on);
    writer.insert(
        "INSERT INTO members (member_id, kind, display_name, email, phone_masked, address_line,
                              city, postal_code, contact_preference, bank_name,
                              bank_account_masked, registered_on, updated_on)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            who.member_id,
            who.kind,
            who.display_name,
            who.email,
            format!("+1 555 ••• {:02}", random.below(100)),
            address,
            city,
            format!("{postal}{:02}", random.below(100)),
            random.pick(&["email", "email", "post", "phone"]),
            bank,
            bank.map(|_| account),
            who.registered_on,
            who.registered_on.plus(random.between(0, known_for)),
        ],
    )
}

fn employer(writer: &mut Writer<'_>, seed: u64, number: u32) -> rusqlite::Result<()> {
    let (mut random, trade) = trade(seed, number);
    let id = employer_id(number);
    let name = format!("{} {} Ltd", random.pick(LAST_NAMES), trade.company);
    let contact = Contact {
        member_id: &id,
        kind: "employer",
        display_name: &name,
        email: format!("office@company{number:04}.example"),
        bank: true,
        registered_on: Day::of(2008, 1, 7).plus(random.between(0, 3_600)),
    };
    member(writer, &mut random, &contact)?;
    let in_arrears = random.chance(15);
    let balance = if in_arrears {
        random.between(20_000, 900_000)
    } else {
        0
    };
    writer.insert(
        "INSERT INTO employers (employer_id, policy_number, policy_status, industry, employees,
                                premium_rate_basis_points, balance_due_cents, currency, next_due_on)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'USD', ?8)",
        params![
            id,
            format!("POL-{number:06}"),
            if in_arrears { "in_arrears" } else { "active" },
            trade.industry,
            random.between(i64::from(STAFF), 400),
            random.between(90, 620),
            balance,
            Day::of(2025, 12, 31),
        ],
    )?;
    paperwork::draft(writer, &mut random, &id, number == 1)?;
    paperwork::tickets(writer, &mut random, &id, number == 1)
}

fn beneficiary(writer: &mut Writer<'_>, seed: u64, number: u32) -> rusqlite::Result<()> {
    let mut random = Random::of(seed, u64::from(number));
    let employer = (number - 1) / STAFF + 1;
    let (first, last) = (random.pick(FIRST_NAMES), random.pick(LAST_NAMES));
    let person = Person {
        member_id: format!("BEN-{number:06}"),
        employer_id: employer_id(employer),
        dependants: random.between(0, 4),
        showcase: number == 1,
    };
    let contact = Contact {
        member_id: &person.member_id,
        kind: "beneficiary",
        display_name: &format!("{first} {last}"),
        email: format!("member{number:06}@mail.example"),
        bank: person.showcase || random.chance(92),
        registered_on: Day::of(2016, 1, 4).plus(random.between(0, 1_800)),
    };
    member(writer, &mut random, &contact)?;
    let (_, trade) = trade(seed, employer);
    writer.insert(
        "INSERT INTO beneficiaries (member_id, employer_id, occupation, birth_year, dependants)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            person.member_id,
            person.employer_id,
            random.pick(trade.occupations),
            random.between(1958, 2004),
            person.dependants,
        ],
    )?;
    claims::claims(writer, &mut random, &person)?;
    paperwork::draft(writer, &mut random, &person.member_id, person.showcase)?;
    paperwork::tickets(writer, &mut random, &person.member_id, person.showcase)
}
