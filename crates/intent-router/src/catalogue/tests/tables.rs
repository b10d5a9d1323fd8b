//! The tables of records.

use super::check;
use crate::catalogue::{Catalogue, Tie};

/// A catalogue with these tables, the first on line 1.
fn tables(tables: &str) -> String {
    format!("{tables}\n[[intent]]\nname = 'a'\nkind = 'live_data'\nphrases = ['a']")
}

#[test]
fn reads_the_tables_of_records() {
    let catalogue = Catalogue::parse(&tables(
        "tables.Loans = { record = 'loan', member = ['member', 'payer'] }\n\
         tables.notes = { record = 'note', within = { column = 'loan', table = 'LOANS' } }\n\
         tables.people = { record = 'person', member = ['id'], by_member = true }\n\
         tables.shelves = { record = 'shelf' }",
    ))
    .unwrap();
    let found = catalogue.tables();
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["loans", "notes", "people", "shelves"]
    );
    let member = |columns: &[&str]| Tie::Member(columns.iter().map(|c| (*c).to_owned()).collect());
    assert_eq!(found["loans"].tie, member(&["member", "payer"]));
    assert!(matches!(&found["notes"].tie, Tie::Within { table, .. } if table == "loans"));
    assert_eq!(found["shelves"].tie, Tie::None);
    assert!(found["people"].by_member && !found["loans"].by_member);
}

#[test]
fn checks_the_tables_of_records() {
    let cases: &[(&str, &[&str])] = &[
        (
            "tables = 1",
            &["tables: expected a table, found integer (line 1)"],
        ),
        (
            "tables.loans = 1",
            &["tables.loans: expected a table, found integer (line 1)"],
        ),
        (
            "tables.loans = {}",
            &["tables.loans: `record` is missing (line 1)"],
        ),
        (
            "tables.loans = { record = '' }",
            &["tables.loans.record: is empty (line 1)"],
        ),
        (
            "tables.loans = { record = 'a b' }",
            &[
                "tables.loans.record: invalid name; it must start with an ASCII letter and contain only ASCII letters, digits and _ (line 1)",
            ],
        ),
        (
            "tables.'a b' = { record = 'a' }",
            &[
                "tables.a b: invalid name; it must start with an ASCII letter and contain only ASCII letters, digits and _ (line 1)",
            ],
        ),
        (
            "tables.loans = { record = 'a', rows = 1 }",
            &[
                "tables.loans: unknown key `rows`; known keys are by_member, member, record, within (line 1)",
            ],
        ),
        (
            "tables.loans = { record = 'a', member = 'id' }",
            &["tables.loans.member: expected an array, found string (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', member = ['a-b'] }",
            &[
                "tables.loans.member[0]: invalid name; it must start with an ASCII letter and contain only ASCII letters, digits and _ (line 1)",
            ],
        ),
        (
            "tables.loans = { record = 'a', by_member = true }",
            &["tables.loans: `by_member` requires `member` to list exactly one column (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', by_member = true, member = ['a', 'b'] }",
            &["tables.loans: `by_member` requires `member` to list exactly one column (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', within = 'b' }",
            &["tables.loans.within: expected a table, found string (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', within = { column = 'b' } }",
            &["tables.loans.within: `table` is missing (line 1)"],
        ),
        (
            "tables.loans = { record = 'a', within = { column = 'b', table = 'c' } }",
            &[
                "tables.loans: `within` names the table `c`, which is not declared under [tables] (line 1)",
            ],
        ),
        (
            "tables.loans = { record = 'a', within = { column = 'b', table = 'loans' } }",
            &[
                "tables.loans: `within` forms a cycle through `loans`; one table of the cycle must have `member` instead (line 1)",
            ],
        ),
        (
            "tables.a = { record = 'a', within = { column = 'x', table = 'b' } }\n\
             tables.b = { record = 'b', within = { column = 'x', table = 'a' } }",
            &[
                "tables.a: `within` forms a cycle through `a`; one table of the cycle must have `member` instead (line 1)",
                "tables.b: `within` forms a cycle through `b`; one table of the cycle must have `member` instead (line 2)",
            ],
        ),
        (
            "tables.a = { record = 'a', within = { column = 'x', table = 'b' } }\n\
             tables.b = { record = 'b' }",
            &[
                "tables.a: `within` leads to `b`, which has no `member`; add `member` to `b`, or remove `within` to read the whole table (line 1)",
            ],
        ),
        (
            "tables.a = { record = 'a', member = ['x'], within = { column = 'x', table = 'b' } }\n\
             tables.b = { record = 'b', member = ['x'] }",
            &["tables.a: `member` and `within` exclude each other; remove one (line 1)"],
        ),
        (
            "tables.a = { record = 'a', member = ['x'], by_member = true }\n\
             tables.b = { record = 'a', member = ['x'] }",
            &[
                "tables.a: `by_member` must be the same in all tables of the record `a`; it differs in `b` (line 1)",
                "tables.b: `by_member` must be the same in all tables of the record `a`; it differs in `a` (line 2)",
            ],
        ),
        (
            "tables.a = { record = 'a' }\ntables.A = { record = 'b' }",
            &["tables.a: is declared twice; table names ignore case (line 1)"],
        ),
    ];
    for (given, expect) in cases {
        check(&tables(given), expect);
    }
}
