use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn day(zone: &str, at: &str) -> String {
    let at = humantime::parse_rfc3339(at).expect(at);
    let zone = Zone::parse(zone).expect(zone);
    zone.local_day()(at).to_string()
}

#[test]
fn days_begin_at_midnight_in_the_zone() {
    for (zone, last_second, first_second, first_day) in [
        (
            "UTC",
            "2025-10-31T23:59:59Z",
            "2025-11-01T00:00:00Z",
            "2025-11-01",
        ),
        (
            "Africa/Lusaka",
            "2025-10-31T21:59:59Z",
            "2025-10-31T22:00:00Z",
            "2025-11-01",
        ),
        (
            "Africa/Lusaka",
            "2024-02-28T21:59:59Z",
            "2024-02-28T22:00:00Z",
            "2024-02-29",
        ),
        (
            "Asia/Kolkata",
            "2025-12-31T18:29:59Z",
            "2025-12-31T18:30:00Z",
            "2026-01-01",
        ),
        (
            "Pacific/Kiritimati",
            "2025-12-31T09:59:59Z",
            "2025-12-31T10:00:00Z",
            "2026-01-01",
        ),
        (
            "Pacific/Pago_Pago",
            "2026-01-01T10:59:59Z",
            "2026-01-01T11:00:00Z",
            "2026-01-01",
        ),
        // The clocks are put on at 2 on the 9th of March, back at 2 on the 2nd of
        // November: the days around have 23 and 25 hours.
        (
            "America/New_York",
            "2025-03-09T04:59:59Z",
            "2025-03-09T05:00:00Z",
            "2025-03-09",
        ),
        (
            "America/New_York",
            "2025-03-10T03:59:59Z",
            "2025-03-10T04:00:00Z",
            "2025-03-10",
        ),
        (
            "America/New_York",
            "2025-11-02T03:59:59Z",
            "2025-11-02T04:00:00Z",
            "2025-11-02",
        ),
        (
            "America/New_York",
            "2025-11-03T04:59:59Z",
            "2025-11-03T05:00:00Z",
            "2025-11-03",
        ),
        // No midnight: the clocks were put on from 0 to 1.
        (
            "America/Sao_Paulo",
            "2018-11-04T02:59:59Z",
            "2018-11-04T03:00:00Z",
            "2018-11-04",
        ),
        // A rule for years that the table does not list.
        (
            "Europe/Berlin",
            "2199-07-31T21:59:59Z",
            "2199-07-31T22:00:00Z",
            "2199-08-01",
        ),
    ] {
        let before = day(zone, last_second);
        assert!(*before < *first_day, "{zone} {last_second}: {before}");
        assert_eq!(day(zone, first_second), first_day, "{zone}");
    }
}

#[test]
fn a_day_that_a_zone_left_out_never_is() {
    assert_eq!(day("Pacific/Apia", "2011-12-30T09:59:59Z"), "2011-12-29");
    assert_eq!(day("Pacific/Apia", "2011-12-30T10:00:00Z"), "2011-12-31");
}

#[test]
fn a_bad_name_is_told_the_near_ones() {
    for (wrong, hint) in [
        ("africa/lusaka", "did you mean \"Africa/Lusaka\"?"),
        ("AFRICA/LUSAKA", "did you mean \"Africa/Lusaka\"?"),
        ("Africa/Luska", "did you mean \"Africa/Lusaka\"?"),
        (" Africa/Lusaka ", "did you mean \"Africa/Lusaka\"?"),
        ("Lusaka", "did you mean \"Africa/Lusaka\"?"),
        ("Luska", "did you mean \"Africa/Lusaka\"?"),
        ("new york", "did you mean \"America/New_York\"?"),
        ("America/New York", "did you mean \"America/New_York\"?"),
        ("Europe/Lodnon", "did you mean \"Europe/London\"?"),
        ("utc", "did you mean \"UTC\"?"),
        ("", "use an IANA name such as"),
        ("+02:00", "use an IANA name such as"),
        ("GMT+2", "use an IANA name such as"),
        ("UTC+2", "use an IANA name such as"),
        ("<+02>-2", "use an IANA name such as"),
        ("Etc/Unknown", "use an IANA name such as"),
        ("Atlantis/Poseidonis", "use an IANA name such as"),
    ] {
        let told = Zone::parse(wrong).expect_err(wrong);
        assert!(told.contains(hint), "{wrong}: {told}");
    }
}

#[test]
fn every_zone_of_the_database_is_one() {
    let database = TimeZoneDatabase::bundled();
    let names: Vec<_> = database.available().collect();
    for name in &names {
        assert!(Zone::parse(name.as_str()).is_ok(), "{name}");
    }
    assert!(names.len() > 400, "{}", names.len());
}

#[test]
fn an_error_is_short_whatever_is_named() {
    let told = Zone::parse(&"é\u{0}".repeat(100_000)).expect_err("no zone");
    assert!(told.len() < 1_000, "{told}");
}

proptest! {
    #[test]
    fn prop_every_time_has_a_day_near_the_universal_one(
        seconds in any::<u64>(), early in any::<bool>(), zone in 0_usize..4,
    ) {
        let zone = ["Africa/Lusaka", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata"][zone];
        let zone = Zone::parse(zone).expect("a zone");
        // Within the calendar, and up to what the system can tell.
        for seconds in [seconds, seconds % 400_000_000_000] {
            let by = Duration::from_secs(seconds);
            let at = if early { UNIX_EPOCH.checked_sub(by) } else { UNIX_EPOCH.checked_add(by) };
            let Some(at) = at else { continue };
            let local = zone.local_day()(at);
            let hours = |hours| Date::at_offset(at, hours * 3_600);
            prop_assert!(hours(-24) <= local && local <= hours(24));
        }
    }
}
