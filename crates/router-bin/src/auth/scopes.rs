//! What a caller may do.

use crate::config::Scope;

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(u8);

impl Scopes {
    /// Every scope.
    pub(crate) fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether the scopes allow what needs `scope`: they hold it, or one that includes
    /// it.
    pub(crate) fn allow(self, scope: Scope) -> bool {
        let includes = match scope {
            Scope::Ask => &[Scope::AskForAnyone, Scope::Fill][..],
            Scope::Invalidate | Scope::Metrics => &[Scope::Admin],
            Scope::AskForAnyone | Scope::Fill | Scope::Admin => &[],
        };
        let holds = |scope: &Scope| self.0 & bit(*scope) != 0;
        holds(&scope) || includes.iter().any(holds)
    }

    /// The names of all scopes that these allow.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let allowed = Scope::ALL.into_iter().filter(|scope| self.allow(*scope));
        allowed.map(Scope::name).collect()
    }
}

fn bit(scope: Scope) -> u8 {
    1 << scope as u8
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | bit(scope)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Scope::{Admin, Ask, AskForAnyone, Fill, Invalidate, Metrics};

    #[test]
    fn a_scope_allows_what_it_includes_and_nothing_else() {
        for (held, allowed) in [
            (Ask, &[Ask][..]),
            (AskForAnyone, &[Ask, AskForAnyone]),
            (Fill, &[Ask, Fill]),
            (Invalidate, &[Invalidate]),
            (Admin, &[Invalidate, Admin, Metrics]),
            (Metrics, &[Metrics]),
        ] {
            let scopes: Scopes = [held].into_iter().collect();
            for scope in Scope::ALL {
                let expected = allowed.contains(&scope);
                assert_eq!(scopes.allow(scope), expected, "{held:?} {scope:?}");
            }
        }
        assert_eq!(Scopes::default().names(), Vec::<&str>::new());
        assert_eq!(Scopes::all().names().len(), Scope::ALL.len());
    }
}
