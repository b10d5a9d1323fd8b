//! The fingerprint of what an intent's answers depend on.

use md5::{Digest as _, Md5};

use super::definition::Catalogue;
use super::intent::{AnsweredBy, Intent};

/// A hash of the parts of an intent's definition that its answers depend on: the
/// same in every process, and different for different definitions.
///
/// It is part of the identity of every stored answer. A request under a changed
/// definition finds no answer of the previous one and does not wait for its
/// fills, nor do they overwrite its answer. Answers of unchanged intents are
/// found.
///
/// An MD5 is enough: only the authors of a catalogue could construct colliding
/// definitions, and they have no reason to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint of answers that no catalogue defines.
    pub(crate) const NONE: Self = Self(0);

    /// The fingerprint of an intent of the catalogue. Costs a pass over its
    /// queries, tags and slots.
    pub(crate) fn of(intent: &Intent, catalogue: &Catalogue) -> Self {
        // Both are destructured in full, so that a new field does not compile
        // until it is included or excluded here.
        let Intent {
            name,
            kind,
            answered_by,
            class,
            key,
            slots,
            queries,
            http,
            tags,
            // What programs are told of it.
            description: _,
            // How messages are recognised.
            yields: _,
            phrases: _,
            examples: _,
            overrule: _,
            veto: _,
            // Affects only whether slots replace the message, which shows in
            // the text of the key.
            neutral: _,
        } = intent;
        let Catalogue {
            slots: specs,
            tables,
            intents: _,
            guards: _,
            references: _,
            out_of_scope: _,
            lexicon: _,
        } = catalogue;
        let slots: Vec<_> = slots.iter().map(|slot| (slot, specs.get(slot))).collect();
        let tags: Vec<_> = tags.iter().map(ToString::to_string).collect();
        let text = serde_json::to_vec(&(name, kind, class, key, slots, queries, tags, tables));
        // All maps of a definition have string keys, and its other values are
        // strings, characters and variants, so serialising it cannot fail.
        let mut text = text.expect("a definition has only string keys");
        match answered_by {
            // Nothing is added, so that the fingerprint is that of the versions
            // without `answered_by`.
            AnsweredBy::Source => {}
            AnsweredBy::Caller => text.extend(b"caller"),
        }
        if let Some(http) = http {
            text.extend(b"http");
            // Its maps have string keys too.
            text.extend(serde_json::to_vec(http).expect("a request has only string keys"));
        }
        Self(u128::from_le_bytes(Md5::digest(text).into()))
    }

    /// The fingerprint's bits.
    pub(crate) fn bits(self) -> u128 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOANS: &str = r#"
        [slots.card]
        kind = "pattern"
        pattern = "LIB-#####"
        [slots.other]
        kind = "date"
        [[intent]]
        name = "loans"
        kind = "live_data"
        class = "live_data"
        key = "normalised"
        yields = false
        phrases = [{ text = "loans", weight = 2 }]
        examples = ["my loans"]
        slots = ["card"]
        tags = ["loan:{loan_id}"]
        [[intent.query]]
        name = "loans"
        sql = "SELECT loan_id FROM loans WHERE member_id = :user_id AND card = :card"
    "#;

    fn of(text: &str) -> Fingerprint {
        let catalogue = Catalogue::parse(text).expect(text);
        Fingerprint::of(&catalogue.intents()[0], &catalogue)
    }

    #[test]
    fn whatever_makes_an_answer_is_part_of_it() {
        for (from, to) in [
            ("name = \"loans\"\n        kind", "name = \"loan\"\n kind"),
            ("class = \"live_data\"", "class = \"other\""),
            ("\"normalised\"", "\"message\""),
            ("LIB-#####", "LIB-####"),
            ("loan:{loan_id}", "book:{loan_id}"),
            ("AND card", "OR card"),
            ("name = \"loans\"\n        sql", "name = \"books\"\n sql"),
        ] {
            let changed = LOANS.replace(from, to);
            assert_ne!(changed, LOANS, "{from}");
            assert_ne!(of(&changed), of(LOANS), "{from}");
        }
        let (queried, _) = LOANS.split_once("[[intent.query]]").expect("a query");
        let called = queried.replace("yields", "answered_by = 'caller'\n yields");
        assert_ne!(of(&called), of(queried));
        let requested = |path| format!("{queried}\n[intent.http]\npath = '{path}'");
        let by_card = of(&requested("/loans/{card}"));
        assert_ne!(by_card, of(&requested("/loans/{user_id}/{card}")));
        assert_ne!(by_card, of(queried));
        let shared = LOANS
            .replace("\"live_data\"", "\"knowledge_base\"")
            .replace("member_id = :user_id AND", "");
        let owned = shared.replacen("knowledge_base", "live_data", 1);
        assert_ne!(of(&shared), of(&owned));
    }

    #[test]
    fn what_only_recognises_is_not() {
        for (from, to) in [
            ("yields = false", "yields = true"),
            ("weight = 2", "weight = 3"),
            ("\"my loans\"", "\"their loans\""),
            ("\"date\"", "\"period\""),
        ] {
            let changed = LOANS.replace(from, to);
            assert_ne!(changed, LOANS, "{from}");
            assert_eq!(of(&changed), of(LOANS), "{from}");
        }
        let with_another =
            format!("{LOANS}\n[[intent]]\nname='b'\nkind='live_data'\nphrases=['b']");
        assert_eq!(of(&with_another), of(LOANS));
    }
}
