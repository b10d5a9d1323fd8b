//! Each intent has a sensible answer for everybody who may ask it.

use super::*;

fn desk() -> Desk {
    Desk::demo(catalogue(), &SqliteOptions::default())
}

#[test]
fn a_beneficiary_finds_records_of_every_kind() {
    let desk = desk();
    for (intent, queries) in [
        ("claim_status", &["claims", "events"][..]),
        ("payment_status", &["payments", "last_paid"]),
        ("pension_inquiry", &["pensions", "payments"]),
        (
            "claim_submission",
            &["drafts", "steps", "required_documents"],
        ),
        ("account_info", &["account", "employment"]),
        ("payment_history", &["payments", "totals"]),
        ("document_status", &["missing", "documents"]),
        ("technical_help", &["services", "tickets", "articles"]),
    ] {
        let data = desk.data(intent, "BEN-000001");
        for query in queries {
            assert!(!rows(&data, query).is_empty(), "{intent}: {query}");
        }
    }
}

#[test]
fn an_employer_sees_the_business_side() {
    let desk = desk();
    let claims = desk.data("claim_status", "EMP-0001");
    assert!(rows(&claims, "claims").len() > 3, "those of its people");
    let account = desk.data("account_info", "EMP-0001");
    assert_eq!(rows(&account, "policy")[0]["policy_number"], "POL-000001");
    assert!(rows(&account, "employment").is_empty());
    let steps = desk.data("claim_submission", "EMP-0001");
    assert_eq!(rows(&steps, "steps").len(), 4);
    assert!(!rows(&steps, "drafts").is_empty());
    assert!(!rows(&desk.data("document_status", "EMP-0001"), "documents").is_empty());
    assert!(!rows(&desk.data("technical_help", "EMP-0001"), "tickets").is_empty());
    assert!(rows(&desk.data("pension_inquiry", "EMP-0001"), "pensions").is_empty());
    let paid = desk.data("payment_history", "EMP-0001");
    for payment in rows(&paid, "payments") {
        assert_eq!(payment["kind"], "employer_wage_refund");
    }
}

#[test]
fn knowledge_base_intents_answer_everybody_alike() {
    let desk = desk();
    for intent in [
        "employer_registration",
        "agent_request",
        "greeting",
        "goodbye",
    ] {
        let ask = |who| desk.ask(intent, who, &Slots::default(), "hello");
        let found = ask(None).unwrap();
        assert!(!rows(&found.value.data, "articles").is_empty(), "{intent}");
        assert!(
            found
                .value
                .tags
                .iter()
                .all(|tag| tag.starts_with("article:"))
        );
        assert_eq!(ask(Some(&person("BEN-000001"))).unwrap(), found);
    }
}

#[test]
fn articles_about_the_words_of_the_message_come_first() {
    let desk = desk();
    let first = |message: &str| {
        let found = desk.ask("employer_registration", None, &Slots::default(), message);
        rows(&found.unwrap().value.data, "articles")[0]["slug"].clone()
    };
    assert_eq!(first("how high are the premiums?"), "premium-rates");
    assert_eq!(
        first("which documents do I need to register"),
        "registration-documents"
    );
    assert_eq!(first("?"), "register-a-company");
}

#[test]
fn a_claim_number_narrows_the_answer() {
    let desk = desk();
    let who = person("BEN-000001");
    let ask = |claims: &str| {
        let slots = slots(&[("claim_number", claims)]);
        let found = desk.ask("claim_status", Some(&who), &slots, "status?");
        found.unwrap().value
    };
    let one = ask("CLM-2025-000001");
    assert_eq!(rows(&one.data, "claims").len(), 1);
    assert_eq!(one.tags, ["claim:CLM-2025-000001"]);
    let claim = rows(&one.data, "claims")[0];
    assert_eq!(claim["status"], "information_requested");

    let all = desk.data("claim_status", "BEN-000001");
    let numbers: Vec<&str> = rows(&all, "claims")
        .iter()
        .map(|claim| claim["claim_number"].as_str().unwrap())
        .collect();
    assert_eq!(numbers.len(), 3);
    let two = ask(&numbers[..2].join(","));
    assert_eq!(rows(&two.data, "claims").len(), 2);
    // A part of a number is not the number.
    assert!(rows(&ask("CLM-2025-00000").data, "claims").is_empty());
}

#[test]
fn a_period_selects_payments() {
    let desk = desk();
    let who = person("BEN-000001");
    let payments = |intent: &str, period: &str| {
        let found = desk.ask(intent, Some(&who), &slots(&[("period", period)]), "paid?");
        let data = found.unwrap().value.data;
        let rows = rows(&data, "payments");
        rows.into_iter().cloned().collect::<Vec<_>>()
    };
    let (september, october) = ("2025-09-01/2025-09-30", "2025-10-01/2025-10-31");
    let history = payments("payment_history", october);
    assert!(history.iter().any(|row| row["period"] == "2025-10"));
    assert_eq!(history[0]["currency"], "USD");
    assert!(
        history[0]["amount_cents"].as_i64().unwrap() > 0,
        "numbers stay numbers"
    );
    // One comparison for what was paid in a month and what was paid for it.
    let all = payments("payment_history", "0001-01-01/9999-12-31");
    assert!(all.len() > 5);
    for ranges in [
        october.to_owned(),
        format!("{september},2025-06-01/2025-06-30"),
        "2025-01-01/2025-12-31".to_owned(),
        "2025-10-03/2025-10-03".to_owned(),
        "0001-01-01/2025-09-30".to_owned(),
    ] {
        let within = |day: &serde_json::Value| {
            let day = day.as_str().unwrap();
            ranges.split(',').any(|range| {
                let (from, to) = range.split_once('/').unwrap();
                from[..day.len()] <= *day && *day <= to[..day.len()]
            })
        };
        let of_it = |row: &&serde_json::Map<String, serde_json::Value>| {
            within(&row["period"]) || within(&row["paid_on"])
        };
        let expect: Vec<_> = all.iter().filter(of_it).cloned().collect();
        assert_eq!(payments("payment_history", &ranges), expect, "{ranges}");
    }
    assert!(!payments("payment_status", october).is_empty());
    let pension = payments("pension_inquiry", &format!("{september},{october}"));
    for month in ["2025-09", "2025-10"] {
        assert!(pension.iter().any(|row| row["period"] == month), "{month}");
    }
    assert!(payments("payment_history", "1999-01-01/1999-12-31").is_empty());
}

/// What a period asks for is not cut off where a question about nothing is.
#[test]
fn a_period_of_years_has_all_of_its_payments() {
    let desk = desk();
    let longest = (1..=60)
        .map(|n| person(&format!("BEN-{n:06}")))
        .map(|who| {
            let ask = |slots: &Slots| {
                let found = desk.ask("pension_inquiry", Some(&who), slots, "paid?");
                rows(&found.unwrap().value.data, "payments").len()
            };
            let all = ask(&slots(&[("period", "0001-01-01/9999-12-31")]));
            assert_eq!(ask(&Slots::default()), all.min(12));
            all
        })
        .max();
    assert!(longest > Some(12), "there are {longest:?}");
}

#[test]
fn an_unknown_member_has_no_records() {
    let desk = desk();
    let is_member = |user_id: &str| {
        let who = person(user_id);
        block_on(desk.source.is_member(&who, Deadline::NEVER)).unwrap()
    };
    for known in ["BEN-000001", "EMP-0001"] {
        assert_eq!(is_member(known), Found::new(true, 1), "{known}");
    }
    for unknown in [
        "BEN-999999",
        "guest",
        "' OR 1=1 --",
        "BEN-000001\0",
        "ben-000001",
    ] {
        assert!(!is_member(unknown).value, "{unknown}");
        for intent in [
            "claim_status",
            "payment_history",
            "account_info",
            "claim_submission",
        ] {
            let data = desk.data(intent, unknown);
            for (query, rows) in data.as_object().unwrap() {
                assert_eq!(
                    rows,
                    &serde_json::json!([]),
                    "{intent}: {query} of {unknown}"
                );
            }
        }
    }
}

#[test]
fn every_statement_counts_as_a_call() {
    let desk = desk();
    for intent in desk.catalogue.intents() {
        let who = person("BEN-000002");
        let found = desk
            .ask(&intent.name, Some(&who), &Slots::default(), "hi")
            .unwrap();
        assert_eq!(
            found.calls as usize,
            intent.queries.len(),
            "{}",
            intent.name
        );
    }
}

#[test]
fn the_source_can_be_asked_through_the_trait() {
    let desk = desk();
    let source: &dyn LiveData = &desk.source;
    assert!(block_on(source.ready()).is_ok());
    // An intent of another catalogue is an error that names it.
    let other = catalogue_of(&[("one", "SELECT 1 AS one")], "");
    let context = RequestContext::new(other.get("test").unwrap(), None, Slots::default(), "");
    let error = block_on(source.records(context.ask())).unwrap_err();
    assert!(error.to_string().contains("`test`"), "{error}");
}
