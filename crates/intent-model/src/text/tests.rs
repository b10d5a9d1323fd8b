use proptest::prelude::*;

use super::*;

fn check(input: &str, expect: &str) {
    assert_eq!(normalise(input), expect, "of {input:?}");
}

#[test]
fn folds_what_does_not_change_the_meaning() {
    check("", "");
    check(" \t\n", "");
    check("?!", "");
    check("What is my claim status?", "what is my claim status");
    check(
        "what  is\u{a0}my\u{2003}claim\r\nstatus . . .",
        "what is my claim status",
    );
    check("ＣＬＡＩＭ　ｓｔａｔｕｓ？", "claim status");
    check("ﬁle №７", "file no7");
    check("STRASSE Straße STRAẞE", "strasse strasse strasse");
    check("ΟΔΟΣ οδος", "οδοσ οδοσ");
    check("İstanbul ısı", "i\u{307}stanbul ısı");
    check("cafe\u{301}", "café");
    // The same marks in another order are the same text, though one of them
    // folds to a letter.
    check("\u{3b1}\u{301}\u{345}", "άι");
    check("\u{3b1}\u{345}\u{301}", "άι");
}

#[test]
fn keeps_what_may_change_the_meaning() {
    check("CLM-2025-000001", "clm-2025-000001");
    check("a.b, c?", "a.b, c");
    check("\"paid?\"", "\"paid?\"");
    check("don't", "don't");
}

#[test]
fn words_are_whole() {
    let list = |text: &str| -> Vec<String> { words(text).map(Cow::into_owned).collect() };
    assert_eq!(
        list("what's my claim-status? 'ok'"),
        ["whats", "my", "claim", "status", "ok"]
    );
    assert_eq!(list("''' - …"), Vec::<String>::new());
    assert_eq!(list("naïve cafe\u{301}"), ["naïve", "cafe\u{301}"]);
}

/// Every character that may have a case or a decomposition: the planes of
/// ideographs, of private use and without any character are left out.
fn characters() -> impl Iterator<Item = char> {
    ('\0'..='\u{1FFFF}')
        .chain('\u{2F800}'..='\u{2FA1F}')
        .chain('\u{E0000}'..='\u{E01FF}')
}

/// Every character with and without neighbours that may compose with it.
#[test]
fn is_idempotent_for_every_character() {
    for c in characters() {
        let text = format!("a{c}\u{301}\u{345}b {c}");
        let once = normalise(&text).into_owned();
        assert_eq!(normalise(&once), once, "of {text:?}");
    }
}

fn fold_short(text: &str) -> Option<String> {
    fold_case_and_form(text, usize::MAX).map(Cow::into_owned)
}

/// The short cuts for plain ASCII and for folded text give the same result.
#[test]
fn short_cuts_change_nothing() {
    for c in characters() {
        for text in [c.to_string(), format!("éa{c}b\u{301}")] {
            let (short, long) = (fold_short(&text), fold_any(&text, usize::MAX));
            assert_eq!(short, long, "of {text:?}");
        }
    }
}

/// Whether the message is folded, which it must be within the bound and to the
/// same text as without one.
fn is_folded_within_bound(message: &str) -> bool {
    let most = 2 * message.len() + 1_024;
    let unbounded: String = fold_any(message, usize::MAX).unwrap();
    let is_short = message.len() <= 64 << 10 || message.is_ascii();
    match fold_message(message) {
        Some(normal) => {
            assert_eq!(normal, normalise(message));
            assert!(is_short && normal.len() <= most && unbounded.len() <= most);
            true
        }
        None => {
            assert!(!is_short || unbounded.len() > most);
            false
        }
    }
}

/// Runs of each character that grows.
#[test]
fn folds_no_run_past_the_bound() {
    let length = |c: char| normalise(&c.to_string()).len();
    let growing = characters().filter(|c| length(*c) > c.len_utf8());
    let given_up = |c: &char| !is_folded_within_bound(&c.to_string().repeat(2_000));
    let given_up: Vec<char> = growing.filter(given_up).collect();
    assert!(given_up.contains(&'ﷺ') && given_up.contains(&'½'));
    assert!(!given_up.contains(&'İ') && !given_up.contains(&'\u{344}'));
}

#[test]
fn folds_up_to_64_kib_beyond_ascii_and_all_of_ascii() {
    assert!(is_folded_within_bound(&"É".repeat(32 << 10)));
    assert!(!is_folded_within_bound(&"É".repeat((32 << 10) + 1)));
    assert!(is_folded_within_bound(&"A ".repeat(64 << 10)));
    // A short message is folded, whatever it holds.
    assert!(is_folded_within_bound(&"ﷺ".repeat(30)));
    assert!(!is_folded_within_bound(&"ﷺ".repeat(100)));
}

#[test]
fn upper_and_lower_case_of_every_character_agree() {
    for c in characters() {
        // The upper case of the dotless i is the plain I, which is not its fold.
        if c == 'ı' {
            continue;
        }
        let lower = normalise(&c.to_lowercase().to_string()).into_owned();
        let upper = normalise(&c.to_uppercase().to_string()).into_owned();
        assert_eq!(lower, upper, "of {c:?}");
    }
}

/// A character, which is often one that grows, composes or is reordered.
fn hostile() -> impl Strategy<Value = char> {
    let known = vec![
        'ﷺ', 'ﷻ', '㌖', '½', '\u{344}', '\u{345}', '\u{301}', 'ᾂ', 'İ', 'ẞ', ' ', 'A',
    ];
    prop_oneof![prop::sample::select(known), any::<char>()]
}

proptest! {
    #[test]
    fn prop_is_folded_within_the_bound_as_without_one(
        unit in prop::collection::vec(hostile(), 1..6),
        times in 1_usize..300,
        rest in any::<String>(),
    ) {
        let unit: String = unit.into_iter().collect();
        is_folded_within_bound(&(unit.repeat(times) + &rest));
    }

    #[test]
    fn prop_is_idempotent(text in any::<String>()) {
        let once = normalise(&text).into_owned();
        prop_assert_eq!(normalise(&once), once.as_str());
    }

    #[test]
    fn prop_short_cuts_change_no_text(text in any::<String>(), plain in "[ -~]{0,20}") {
        prop_assert_eq!(fold_short(&text), fold_any(&text, usize::MAX));
        let spaced = format!(" {plain}");
        prop_assert_eq!(normalise(&plain), normalise(&spaced));
    }

    #[test]
    fn prop_composition_case_and_space_do_not_matter(text in "[a-zA-Zéüßñ0-9 ?.-]{0,40}") {
        let normal = normalise(&text).into_owned();
        let decomposed: String = text.nfd().collect();
        let spaced = format!("\n {} \u{3000}?! ", text.replace(' ', "\t  "));
        for other in [decomposed, text.to_uppercase(), spaced] {
            prop_assert_eq!(normalise(&other), normal.as_str());
        }
    }
}
