//! The counts, on small made-up crates.

use std::collections::HashMap;
use std::path::Path;

use super::lines::{self, Lines};
use super::tree::Tree;
use super::{circles, doubled};

/// The tree of a crate of these files; the first is its root.
fn tree(files: &[(&str, &str)]) -> Tree {
    let texts: HashMap<_, _> = files.iter().copied().collect();
    let load = |path: &Path| texts.get(path.to_str()?).map(|text| (*text).to_owned());
    let mut tree = Tree::default();
    tree.add_root(Path::new(files[0].0), &load).unwrap();
    tree
}

/// The circles among these files.
fn check(files: &[(&str, &str)], expect: &[&[&str]]) {
    let tree = tree(files);
    let found: Vec<Vec<_>> = circles::circles(&tree)
        .into_iter()
        .map(|circle| {
            let mut names: Vec<_> = circle
                .into_iter()
                .map(|file| tree.files[file].path.to_str().unwrap())
                .collect();
            names.sort_unstable();
            names
        })
        .collect();
    assert_eq!(found, expect, "{files:?}");
}

#[test]
fn files_that_import_each_other_are_a_circle() {
    let root = ("lib.rs", "mod a; mod b; mod c;");
    let a = ("a.rs", "use crate::b::B; pub struct A;");
    let c = ("c.rs", "use crate::a::A;");
    check(&[root, a, ("b.rs", "pub struct B;"), c], &[]);
    for b in [
        "use crate::a::A;",
        "use super::{a::A};",
        "use crate::a;",
        "use crate::a::{self as other};",
        "fn f() -> crate::a::A { todo!() }",
        "fn f() { let _ = crate::a::A; }",
        "fn f() { use crate::a::A; }",
        "fn f() { assert!(super::a::A == 1); }",
        "fn f(a: [crate::a::A; 1]) {}",
        "mod inner { use super::super::a::A; }",
        "pub struct B(pub crate::a::A);",
    ] {
        let text = format!("{b} pub struct B;");
        check(&[root, a, ("b.rs", &text), c], &[&["a.rs", "b.rs"]]);
    }
}

#[test]
fn a_parent_and_a_child_are_a_circle_only_by_imports_both_ways() {
    let root = ("lib.rs", "mod a;");
    let child = ("a/child.rs", "use super::A; pub struct C;");
    check(&[root, ("a.rs", "mod child; pub struct A;"), child], &[]);
    check(
        &[root, ("a/mod.rs", "mod child; pub struct A;"), child],
        &[],
    );
    for a in [
        "use child::C;",
        "fn f() { child::C; }",
        "pub use self::child::C;",
    ] {
        let text = format!("mod child; {a} pub struct A;");
        check(&[root, ("a.rs", &text), child], &[&["a.rs", "a/child.rs"]]);
    }
    // `pub(super)` is not an import, and neither is a crate with the child's name.
    let child = (
        "a/child.rs",
        "pub(super) struct C; pub(in super::super) fn f() {}",
    );
    check(&[root, ("a.rs", "mod child; use child::C;"), child], &[]);
}

#[test]
fn a_re_exported_name_counts_for_the_file_that_defines_it() {
    let root = "mod a; mod b; pub use a::A; pub use b::*;";
    let a = ("a.rs", "pub struct A;");
    let b = ("b.rs", "use crate::A; pub struct B;");
    check(&[("lib.rs", root), a, b], &[]);
    // Through the glob, and back.
    let a = ("a.rs", "use crate::B; pub struct A;");
    check(&[("lib.rs", root), a, b], &[&["a.rs", "b.rs"]]);
    // What the root defines itself is the root's.
    let root = format!("{root} pub struct Root;");
    let a = ("a.rs", "use crate::Root; pub struct A;");
    let b = ("b.rs", "pub struct B;");
    check(&[("lib.rs", &root), a, b], &[&["a.rs", "lib.rs"]]);
}

#[test]
fn what_only_tests_compile_is_left_out() {
    let root = ("lib.rs", "mod a; mod b;");
    let a = ("a.rs", "use crate::b::B; pub struct A;");
    for b in [
        "#[cfg(test)] mod tests { use crate::a::A; struct B; }",
        "#[cfg(test)] mod tests;",
        "#[cfg(all(test, not(shuttle)))] use crate::a::A;",
        "#[test] fn f() { crate::a::A; }",
    ] {
        let text = format!("{b} pub struct B;");
        let files = [root, a, ("b.rs", &text)];
        check(&files, &[]);
        assert!(doubled(&tree(&files)).is_empty(), "{b}");
    }
    let text = "#[cfg(any(test, unix))] use crate::a::A; pub struct B;";
    check(&[root, a, ("b.rs", text)], &[&["a.rs", "b.rs"]]);
}

#[test]
fn types_of_one_name_are_told_with_their_places() {
    let files = [
        (
            "lib.rs",
            "mod a;\npub struct One;\ntype Two = u8;\nfn One() {}",
        ),
        (
            "a.rs",
            "mod inner {\n    enum One {}\n    trait Two {}\n}\nstruct Three;",
        ),
    ];
    let tree = tree(&files);
    let found = doubled(&tree);
    let place = |file: &str, line| {
        let is_it = |one: &super::tree::File| one.path == Path::new(file);
        (tree.files.iter().position(is_it).unwrap(), line)
    };
    assert_eq!(found.len(), 2);
    assert_eq!(found["One"], [place("lib.rs", 2), place("a.rs", 2)]);
    assert_eq!(found["Two"], [place("lib.rs", 3), place("a.rs", 3)]);
}

#[test]
fn alternatives_under_cfgs_of_one_file_are_one_type() {
    let unix = "#[cfg(unix)] struct One;";
    let check = |rest: &str, expect: usize| {
        let text = format!("mod a; {unix}\n{rest}");
        let found = doubled(&tree(&[("lib.rs", &text), ("a.rs", "")])).len();
        assert_eq!(found, expect, "{rest}");
    };
    check("#[cfg(not(unix))] struct One;", 0);
    check("#[cfg(not(unix))] mod other { struct One; }", 0);
    check("mod other { struct One; }", 1);
    let a = ("a.rs", "#[cfg(not(unix))] struct One;");
    let root = ("lib.rs", "mod a; #[cfg(unix)] struct One;");
    assert_eq!(doubled(&tree(&[root, a])).len(), 1);
}

#[test]
fn a_file_by_path_and_a_missing_one() {
    let root = ("src/lib.rs", "#[path = \"other/there.rs\"] mod a; mod b;");
    let a = ("src/other/there.rs", "use crate::b::B; pub struct A;");
    let b = ("src/b.rs", "use crate::a::A; pub struct B;");
    check(&[root, a, b], &[&["src/b.rs", "src/other/there.rs"]]);
    let mut tree = Tree::default();
    let load = |path: &Path| path.ends_with("lib.rs").then(|| "mod gone;".to_owned());
    let error = tree.add_root(Path::new("lib.rs"), &load).unwrap_err();
    assert!(error.to_string().contains("gone/mod.rs"), "{error}");
}

#[test]
fn lines_are_told_apart() {
    let text = "\
//! About.

/// Says
/// what.
#[doc = \"code\"]
fn f() { // code
    // A comment.
    let a = \"of

    lines\";
    /* A block
       of it. */
    g(
    );
}

mod tests {
    // One.

}
";
    let (product, tests) = lines::count(text, &[17..=20]).unwrap();
    let lines = |code, comments, blank| Lines {
        code,
        comments,
        blank,
    };
    assert_eq!(product, lines(8, 6, 2));
    assert_eq!(tests, lines(2, 1, 1));
}
