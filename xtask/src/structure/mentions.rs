//! The paths that code mentions: in `use`, spelled out, and inside macros.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ImplItemFn, Item, ItemUse, Macro, Path, UseTree, VisRestricted};

use super::conditions::is_test;

/// One name that a `use` brings in.
#[derive(Clone, Debug)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    /// The name it has here; `None` for a glob.
    pub(super) name: Option<String>,
}

/// Adds the names that a `use` brings in.
pub(super) fn imports(tree: &UseTree, to: &mut Vec<Import>) {
    flatten(tree, &mut Vec::new(), to);
}

fn flatten(tree: &UseTree, prefix: &mut Vec<String>, to: &mut Vec<Import>) {
    let mut add = |last: Option<String>, name: Option<String>| {
        let mut path = prefix.clone();
        path.extend(last);
        to.push(Import { path, name });
    };
    match tree {
        UseTree::Path(one) => {
            prefix.push(one.ident.to_string());
            flatten(&one.tree, prefix, to);
            prefix.pop();
        }
        // `use a::{self}` brings in `a`.
        UseTree::Name(one) if one.ident == "self" => add(None, prefix.last().cloned()),
        UseTree::Name(one) => add(Some(one.ident.to_string()), Some(one.ident.to_string())),
        UseTree::Rename(one) => {
            let last = (one.ident != "self").then(|| one.ident.to_string());
            add(last, Some(one.rename.to_string()));
        }
        UseTree::Glob(_) => add(None, None),
        UseTree::Group(group) => {
            for one in &group.items {
                flatten(one, prefix, to);
            }
        }
    }
}

/// Adds the paths of two segments and more that an item spells out.
pub(super) fn paths(item: &Item, to: &mut Vec<Vec<String>>) {
    Paths { to }.visit_item(item);
}

struct Paths<'a> {
    to: &'a mut Vec<Vec<String>>,
}

impl Paths<'_> {
    fn add(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.to.push(path);
        }
    }

    /// The paths that start with `crate`, `self` or `super` in a macro's tokens.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(one) if one.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Ident(one) if !path.is_empty() && colons == 2 => {
                    path.push(one.to_string());
                }
                other => {
                    self.add(std::mem::take(&mut path));
                    match other {
                        TokenTree::Ident(one) if is_anchor(&one.to_string()) => {
                            path.push(one.to_string());
                        }
                        TokenTree::Group(group) => self.add_tokens(group.stream()),
                        _ => {}
                    }
                }
            }
            colons = 0;
        }
        self.add(path);
    }
}

fn is_anchor(word: &str) -> bool {
    matches!(word, "crate" | "self" | "super")
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        let segments = path.segments.iter().map(|one| one.ident.to_string());
        self.add(segments.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, one: &'ast Macro) {
        self.visit_path(&one.path);
        self.add_tokens(one.tokens.clone());
    }

    fn visit_item_use(&mut self, one: &'ast ItemUse) {
        let mut found = Vec::new();
        imports(&one.tree, &mut found);
        for import in found {
            self.add(import.path);
        }
    }

    fn visit_impl_item_fn(&mut self, one: &'ast ImplItemFn) {
        if !is_test(&one.attrs) {
            visit::visit_impl_item_fn(self, one);
        }
    }

    // `pub(super)` mentions a module and uses nothing of it.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}
