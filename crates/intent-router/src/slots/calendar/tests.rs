mod grammar;
mod naive;
mod prop_grammar;

use crate::catalogue::Catalogue;
use crate::slots::{Date, Reading};

/// What the built-in payment history reads of a message asked on that day.
fn read_on(message: &str, today: Date) -> Reading {
    let catalogue = Catalogue::built_in();
    let intent = catalogue.get("payment_history").unwrap();
    Reading::of(intent, catalogue, message, today, 1.0)
}

fn read(message: &str) -> Reading {
    read_on(message, Date::new(2025, 11, 15).unwrap())
}

#[test]
fn explore() {
    let Ok(file) = std::env::var("EXPLORE") else {
        return;
    };
    let text = std::fs::read_to_string(file).unwrap();
    for line in text.lines().filter(|l| !l.is_empty()) {
        let message = format!("payments {line}");
        let r = read(&message);
        println!(
            "{line:50} | {:50} | {:?}",
            r.slots().get("period").unwrap_or("-"),
            r.guard()
        );
    }
}
