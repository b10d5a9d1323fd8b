//! Queries whose result changes from one moment to the next.

use super::Linter;
use crate::catalogue::{Diagnostic, sql};

impl Linter<'_> {
    /// Queries that read the clock or random numbers.
    pub(super) fn queries(&mut self) {
        for (_, intent, _) in self.intents() {
            for query in &intent.queries {
                let Some(word) = query.texts().find_map(sql::moment) else {
                    continue;
                };
                let message = format!(
                    "uses `{word}`, whose value changes from call to call, while a cached answer stays \
                     the same"
                );
                let warning =
                    Diagnostic::warning(message).with_remedy("use :today for the current date");
                let warning = self.spans.at_query(&intent.name, &query.name, warning);
                self.warnings.push(warning);
            }
        }
    }
}
