//! Queries whose result changes from one moment to the next.

use super::Linter;
use crate::catalogue::{Diagnostic, sql};

impl Linter<'_> {
    /// Queries that read the clock or random numbers.
    pub(super) fn queries(&mut self) {
        for (_, intent, _) in self.intents() {
            for query in &intent.queries {
                let Some(word) = sql::moment(&query.sql) else {
                    continue;
                };
                let message = format!(
                    "reads `{word}`, which differs from one moment to the next, while a cached answer \
                     stays as it is"
                );
                let warning = Diagnostic::warning(message).with_remedy("take the day from :today");
                let warning = self.spans.at_query(&intent.name, &query.name, warning);
                self.warnings.push(warning);
            }
        }
    }
}
