//! [`Batch`]: the changes of some transactions, as selectors.

use std::collections::{BTreeMap, BTreeSet};

use intent_router::Selector;

/// How many users a batch names. With more, it reaches all records of its kinds.
const MOST_USERS: usize = 1_000;

/// Whose records of one kind changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Users {
    /// Those of these users. Nobody's, if there is none: only what reads the kind as
    /// a whole depends on them.
    These(BTreeSet<String>),
    /// Those of any user.
    Any,
}

/// Changes of records, coalesced: one selector for each kind. Its memory is bounded
/// by the number of kinds and 1,000 users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    kinds: BTreeMap<Option<String>, Users>,
    users: usize,
}

impl Batch {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds records of a kind; `None` is the kind of undeclared tables.
    pub(super) fn add(&mut self, kind: Option<&str>, users: Users) {
        let kind = kind.map(str::to_owned);
        let known = self.kinds.entry(kind);
        let known = known.or_insert_with(|| Users::These(BTreeSet::new()));
        match (known, users) {
            (Users::Any, _) => {}
            (known, Users::Any) => *known = Users::Any,
            (Users::These(known), Users::These(more)) => {
                let before = known.len();
                known.extend(more);
                self.users += known.len() - before;
            }
        }
        if self.users > MOST_USERS {
            self.users = 0;
            for users in self.kinds.values_mut() {
                if matches!(users, Users::These(some) if !some.is_empty()) {
                    *users = Users::Any;
                }
            }
        }
    }

    /// What the changes invalidate, as one invalidation.
    pub fn into_selectors(self) -> Vec<Selector> {
        let selector = |(kind, users)| Selector::Records {
            users: match (&kind, users) {
                // An undeclared table is always read as a whole.
                (None, _) => Some(Vec::new()),
                (Some(_), Users::These(users)) => Some(users.into_iter().collect()),
                (Some(_), Users::Any) => None,
            },
            kind,
        };
        self.kinds.into_iter().map(selector).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(range: std::ops::Range<usize>) -> Users {
        Users::These(range.map(|n| n.to_string()).collect())
    }

    #[test]
    fn a_batch_is_bounded_by_whole_kinds() {
        let mut batch = Batch::default();
        for n in 0..MOST_USERS {
            batch.add(Some("payment"), these(n..n + 1));
            // Again: the same user counts once.
            batch.add(Some("payment"), these(n..n + 1));
        }
        batch.add(Some("adjuster"), these(0..0));
        batch.add(None, Users::Any);
        let records = |kind: Option<&str>, users| Selector::Records {
            kind: kind.map(str::to_owned),
            users,
        };
        let selectors = batch.clone().into_selectors();
        assert_eq!(selectors.len(), 3);
        assert_eq!(selectors[0], records(None, Some(Vec::new())));
        let full = |selector: &Selector| matches!(selector, Selector::Records { users: Some(users), .. } if users.len() == MOST_USERS);
        assert!(full(&selectors[2]));
        batch.add(Some("pension"), these(7..8));
        assert_eq!(
            batch.into_selectors(),
            [
                records(None, Some(Vec::new())),
                records(Some("adjuster"), Some(Vec::new())),
                records(Some("payment"), None),
                records(Some("pension"), None),
            ]
        );
    }
}
