//! Properties of any message.

use proptest::prelude::*;

use super::find;
use crate::slots::{Date, Slots};
use crate::text::normalise;

proptest! {
    #[test]
    fn prop_any_message_is_read_as_its_normal_form_is(message in any::<String>()) {
        prop_assert_eq!(find(&message), find(&normalise(&message)));
    }

    #[test]
    fn prop_likely_messages_are_read_as_their_normal_form_is(
        message in "((CLM|clm|abc|14|march|2025|03|in|last|month|IN|[-–/_. ,]){1,3}[ -]?){0,8}",
    ) {
        prop_assert_eq!(find(&message), find(&normalise(&message)));
        prop_assert_eq!(find(&format!("{message} ?!")), find(&message));
    }

    #[test]
    fn prop_every_claim_named_is_found(
        claims in prop::collection::btree_set((2000..2100u32, 0..1_000_000u32), 0..5),
        dash in prop::sample::select(vec!["-", "–", " ", "", " - "]),
        between in prop::sample::select(vec![" ", ", ", " and ", "; "]),
        upper in any::<bool>(),
    ) {
        let clm = if upper { "CLM" } else { "clm" };
        let written: Vec<_> = claims.iter().map(|(year, n)| format!("{clm}{dash}{year}{dash}{n:06}")).collect();
        let expect: Vec<_> = claims.iter().map(|(year, n)| format!("CLM-{year}-{n:06}")).collect();
        let found = find(&format!("claims: {}.", written.join(between)));
        prop_assert_eq!(found.values("claim").collect::<Vec<_>>(), expect);
    }

    #[test]
    fn prop_every_day_is_found(year in 1900..2100u16, month in 1..=12u8, day in 1..=31u8) {
        let date = Date::new(year, month, day).map(|date| date.to_string());
        for message in [format!("{year}-{month:02}-{day:02}"), format!("{day}/{month}/{year}")] {
            let found = find(&message);
            prop_assert_eq!(found.get("date"), date.as_deref());
            prop_assert_eq!(found.get("period"), None);
        }
    }

    #[test]
    fn prop_different_slots_have_different_texts(
        a in prop::collection::btree_map(r"[a=;\\]{1,2}", r"[a=;,\\]{1,3}", 0..3),
        b in prop::collection::btree_map(r"[a=;\\]{1,2}", r"[a=;,\\]{1,3}", 0..3),
    ) {
        let (a, b): (Slots, Slots) = (a.into_iter().collect(), b.into_iter().collect());
        prop_assert_eq!(a == b, a.key_text() == b.key_text());
    }
}
