//! The modules of one crate, read from its sources with their imports.
//!
//! What only tests compile is left out: items under `#[cfg(test)]`,
//! `#[cfg(doctest)]` and `#[test]`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use syn::spanned::Spanned as _;
use syn::{Attribute, Item, ItemMod, Meta};

use super::conditions::{is_conditional, is_test};
use super::mentions::{self, Import};

/// The text of a source file; `None` where there is none.
pub(super) type Load<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// All modules and files of a crate.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    pub(super) modules: Vec<Module>,
}

/// One source file.
pub(super) struct File {
    pub(super) path: PathBuf,
    /// The lines of items that only tests compile.
    pub(super) test_lines: Vec<RangeInclusive<usize>>,
}

/// One module: a file, or an inline module of one.
#[derive(Default)]
pub(super) struct Module {
    pub(super) file: usize,
    /// The module that `crate` means here.
    pub(super) root: usize,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    /// Everything it defines, apart from modules.
    pub(super) names: BTreeSet<String>,
    pub(super) types: Vec<Type>,
    /// Whether it is an inline module under a `cfg`, or inside one.
    is_conditional: bool,
    pub(super) imports: Vec<Import>,
    /// Paths of two segments and more that its code spells out.
    pub(super) paths: Vec<Vec<String>>,
}

/// A struct, enum, union, trait or type alias.
#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) line: usize,
    /// Whether a `cfg` of its file decides if it is compiled.
    pub(super) is_conditional: bool,
}

impl Tree {
    /// Reads the module tree that starts at `root`, a `lib.rs` or `main.rs`.
    pub(super) fn add_root(&mut self, root: &Path, load: Load<'_>) -> Result<()> {
        let index = self.modules.len();
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        let module = Module {
            root: index,
            ..Module::default()
        };
        self.add_file(root, &folder, module, load)
    }

    /// Adds the module whose text is the file `path`. Its child modules have
    /// their files in `folder`.
    fn add_file(
        &mut self,
        path: &Path,
        folder: &Path,
        mut module: Module,
        load: Load<'_>,
    ) -> Result<()> {
        let text = load(path).with_context(|| format!("no file {}", path.display()))?;
        let parsed = syn::parse_file(&text)
            .with_context(|| format!("{} is not Rust that can be read", path.display()))?;
        let known = self.files.iter().position(|file| file.path == path);
        module.file = known.unwrap_or_else(|| {
            self.files.push(File {
                path: path.to_owned(),
                test_lines: Vec::new(),
            });
            self.files.len() - 1
        });
        self.add_items(&parsed.items, folder, module, load)
    }

    fn add_items(
        &mut self,
        items: &[Item],
        folder: &Path,
        module: Module,
        load: Load<'_>,
    ) -> Result<()> {
        let index = self.modules.len();
        self.modules.push(module);
        for item in items {
            if is_test(attributes(item)) {
                let span = item.span();
                let file = self.modules[index].file;
                let lines = span.start().line..=span.end().line;
                self.files[file].test_lines.push(lines);
                continue;
            }
            match item {
                Item::Mod(one) => self.add_child(one, index, folder, load)?,
                Item::Use(one) => mentions::imports(&one.tree, &mut self.modules[index].imports),
                _ => self.modules[index].add(item),
            }
        }
        Ok(())
    }

    fn add_child(
        &mut self,
        item: &ItemMod,
        parent: usize,
        folder: &Path,
        load: Load<'_>,
    ) -> Result<()> {
        let name = item.ident.to_string();
        let child = Module {
            file: self.modules[parent].file,
            root: self.modules[parent].root,
            parent: Some(parent),
            ..Module::default()
        };
        let index = self.modules.len();
        self.modules[parent].children.insert(name.clone(), index);
        let below = folder.join(&name);
        if let Some((_, items)) = &item.content {
            let mut child = child;
            child.is_conditional =
                is_conditional(&item.attrs) || self.modules[parent].is_conditional;
            return self.add_items(items, &below, child, load);
        }
        if let Some(path) = given_path(&item.attrs) {
            let here = self.files[child.file].path.parent();
            let path = here.unwrap_or(Path::new("")).join(path);
            return self.add_file(&path, &below, child, load);
        }
        let flat = folder.join(format!("{name}.rs"));
        let path = match load(&flat) {
            Some(_) => flat,
            None => below.join("mod.rs"),
        };
        self.add_file(&path, &below, child, load)
    }
}

impl Module {
    fn add(&mut self, item: &Item) {
        let named = match item {
            Item::Enum(one) => Some((&one.ident, true)),
            Item::Struct(one) => Some((&one.ident, true)),
            Item::Trait(one) => Some((&one.ident, true)),
            Item::Type(one) => Some((&one.ident, true)),
            Item::Union(one) => Some((&one.ident, true)),
            Item::Const(one) => Some((&one.ident, false)),
            Item::Fn(one) => Some((&one.sig.ident, false)),
            Item::Static(one) => Some((&one.ident, false)),
            Item::Macro(one) => one.ident.as_ref().map(|name| (name, false)),
            _ => None,
        };
        if let Some((ident, is_type)) = named {
            let name = ident.to_string();
            self.names.insert(name.clone());
            if is_type {
                self.types.push(Type {
                    name,
                    line: ident.span().start().line,
                    is_conditional: self.is_conditional || is_conditional(attributes(item)),
                });
            }
        }
        mentions::paths(item, &mut self.paths);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(one) => &one.attrs,
        Item::Enum(one) => &one.attrs,
        Item::Fn(one) => &one.attrs,
        Item::Impl(one) => &one.attrs,
        Item::Macro(one) => &one.attrs,
        Item::Mod(one) => &one.attrs,
        Item::Static(one) => &one.attrs,
        Item::Struct(one) => &one.attrs,
        Item::Trait(one) => &one.attrs,
        Item::Type(one) => &one.attrs,
        Item::Union(one) => &one.attrs,
        Item::Use(one) => &one.attrs,
        _ => &[],
    }
}

/// The value of `#[path = "…"]`.
fn given_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        let syn::Expr::Lit(value) = &pair.value else {
            return None;
        };
        match (&value.lit, pair.path.is_ident("path")) {
            (syn::Lit::Str(text), true) => Some(text.value()),
            _ => None,
        }
    })
}
