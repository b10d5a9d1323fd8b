//! The library's records, and how they answer questions.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use intent_router::{
    Ask, BoxFuture, Deadline, Extent, Found, Intent, LiveData, Principal, Read, Records,
    SourceError,
};
use serde_json::{Value, json};

struct Loan {
    reader: &'static str,
    title: &'static str,
    due: String,
}

/// A source of records that counts how often it is asked.
pub struct Library {
    loans: Mutex<HashMap<&'static str, Loan>>,
    calls: AtomicU32,
}

impl Default for Library {
    fn default() -> Self {
        let loan = |reader, title| Loan {
            reader,
            title,
            due: "2025-04-01".to_owned(),
        };
        let loans = HashMap::from([
            ("LN-0001", loan("ada", "Emma")),
            ("LN-0002", loan("bob", "Ulysses")),
        ]);
        Self {
            loans: Mutex::new(loans),
            calls: AtomicU32::new(0),
        }
    }
}

impl Library {
    pub fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn renew(&self, number: &str, until: &str) {
        let mut loans = self.loans.lock().expect("no holder panics");
        if let Some(loan) = loans.get_mut(number) {
            loan.due = until.to_owned();
        }
    }

    /// The loans of one reader, or the one of these that the message names.
    fn loans_of(&self, reader: &str, only: &[&str]) -> Records {
        let loans = self.loans.lock().expect("no holder panics");
        let mut found: Vec<_> = loans
            .iter()
            // Ownership first: somebody else's number finds nothing.
            .filter(|(number, loan)| {
                loan.reader == reader && (only.is_empty() || only.contains(number))
            })
            .collect();
        found.sort_by_key(|(number, _)| **number);
        let rows: Vec<Value> = found
            .iter()
            .map(|(number, loan)| json!({"loan": number, "title": loan.title, "due": loan.due}))
            .collect();
        // The records that the answer is made of, for invalidation.
        let tags = found.iter().map(|(number, _)| format!("loan:{number}"));
        Records::new(json!({ "loans": rows }), tags.collect())
    }
}

impl LiveData for Library {
    fn is_member<'a>(
        &'a self,
        who: &'a Principal,
        _: Deadline,
    ) -> BoxFuture<'a, Result<Found<bool>, SourceError>> {
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let is_reader = ["ada", "bob"].contains(&&*who.id_text());
            Ok(Found::new(is_reader, 1))
        })
    }

    fn records<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Found<Records>, SourceError>> {
        // A source that blocks does so on threads of its own, as `live-data`
        // does: this future runs on the caller's.
        Box::pin(async move {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let records = match (ask.intent.name.as_str(), ask.principal) {
                ("loans", Some(who)) => {
                    let only: Vec<&str> = ask.slots.values("loan").collect();
                    self.loans_of(&who.id_text(), &only)
                }
                ("opening_hours", _) => Records::new(json!({"hours": "9 to 5"}), Vec::new()),
                (other, _) => {
                    return Err(SourceError::Query {
                        intent: other.to_owned(),
                        query: "any".to_owned(),
                        reason: "the library answers no such question".to_owned(),
                    });
                }
            };
            Ok(Found::new(records, 1))
        })
    }

    fn reads(&self, intent: &Intent) -> Option<Vec<Read>> {
        // Only a reader's own loans can change what she is told.
        let own = Read::new(Some("loan".to_owned()), Extent::Part);
        Some(match intent.name.as_str() {
            "loans" => vec![own],
            _ => Vec::new(),
        })
    }
}
