mod grammar;
mod naive;
mod prop_grammar;
mod table;

use crate::catalogue::Catalogue;
use crate::slots::{Date, Reading};

/// What the built-in payment history reads of a message asked on that day.
fn read_on(message: &str, today: Date) -> Reading {
    let catalogue = Catalogue::built_in();
    let intent = catalogue.get("payment_history").unwrap();
    Reading::of(intent, catalogue, message, today, 1.0)
}
