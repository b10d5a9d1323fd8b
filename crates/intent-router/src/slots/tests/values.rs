//! Slots of kind `amount` and `enum`.

use super::find_by;

#[test]
fn amounts() {
    let check = |message: &str, expect: &str| {
        assert_eq!(
            find_by("money", message).key_text(),
            expect,
            "of {message:?}"
        );
    };
    for message in [
        "K1,234.50",
        "k 1.234,50 please",
        "ZMW1234.5",
        "(1'234.50 kwacha)",
        "1234,50 ZMW.",
        "the K1,234.50k?".trim_end_matches("k?"),
        "Ｋ１，２３４．５０",
        "K1234.50 ZMW",
    ] {
        check(message, "amount=1234.5 ZMW");
    }
    check("US$ 5", "amount=5 USD");
    check("$5.00", "amount=5 USD");
    check("5$ and €5", "amount=5 EUR,5 USD");
    check("$1,234", "amount=1234 USD");
    check("$12, 13", "amount=12 USD");
    for message in [
        "5",
        "K",
        "bank5",
        "K5x",
        "-K5",
        "K5-6",
        "K5%",
        "$5 €",
        "K1.234",
        "K12,34,567",
        "5 K/month x5",
        "K5/6",
        "BK5",
        "5 kwachas",
        "K 5k",
        "K½",
    ] {
        let found = find_by("money", message);
        let read = found.get("amount");
        assert!(
            read.is_none() || message.starts_with("5 K/"),
            "{message:?} is {read:?}"
        );
    }
    // Where a comma sets decimals apart.
    assert_eq!(find_by("prices", "€1.234").get("price"), Some("1234 EUR"));
    assert_eq!(find_by("prices", "€1,234").get("price"), None);
}

#[test]
fn values_of_a_list() {
    let check = |message: &str, expect: &str| {
        assert_eq!(
            find_by("states", message).key_text(),
            expect,
            "of {message:?}"
        );
    };
    check("Is it open?", "state=open");
    check("IN PROGRESS", "state=open");
    check("in-progress or open", "state=open");
    check("it was turned down", "state=refused");
    check("not open", "state=refused");
    check("open, or turned down", "state=open,refused");
    check("opened, turned, progress in", "");
}
