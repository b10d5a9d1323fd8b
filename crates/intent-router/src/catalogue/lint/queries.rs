//! Queries that answer the same question in another way a moment later.

use super::Linter;
use crate::catalogue::sql;

impl Linter<'_> {
    /// Queries that read what no answer is kept by: the clock, or chance.
    pub(super) fn queries(&mut self) {
        for (_, intent, _) in self.intents() {
            for query in &intent.queries {
                let Some(word) = sql::moment(&query.sql) else {
                    continue;
                };
                let message = format!(
                    "reads `{word}`, which differs from one moment to the next, while a cached answer \
                     stays as it is; take the day from :today"
                );
                let problem = self.places.query(&intent.name, &query.name, message);
                self.problems.push(problem);
            }
        }
    }
}
