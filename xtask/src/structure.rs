//! `cargo xtask structure`: counts of each crate's lines, circles of imports,
//! doubled type names and long files.

mod circles;
mod conditions;
mod lines;
mod mentions;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::metadata::{Metadata, Package};
use crate::shell::{Shell, Usage};
use lines::Lines;
use tree::{Tree, Type};

/// A file with more lines than this is listed.
const LONG: usize = 500;

/// What was counted in one crate. Paths are relative to the workspace.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) is_published: bool,
    /// Files below `src` that the product is compiled from.
    pub(crate) files: usize,
    pub(crate) src: Lines,
    /// Tests: modules of `src` that only tests compile, and the folder `tests`.
    pub(crate) tests: Lines,
    /// Benchmarks and examples.
    pub(crate) others: Lines,
    /// The files of each circle of imports.
    pub(crate) circles: Vec<Vec<PathBuf>>,
    pub(crate) doubled: Vec<Doubled>,
    /// Files of more than [`LONG`] lines, with their length.
    pub(crate) long: Vec<(PathBuf, usize)>,
}

/// A type name with more than one definition.
pub(crate) struct Doubled {
    pub(crate) name: String,
    pub(crate) places: Vec<(PathBuf, usize)>,
}

/// Runs the command.
pub(crate) fn run(shell: &Shell, args: Vec<String>) -> Result<()> {
    let root = match args.as_slice() {
        [] => shell.root().to_owned(),
        [root] if !root.starts_with('-') => PathBuf::from(root),
        _ => return Err(Usage::new("structure takes one folder at most")),
    };
    print(&reports(shell, &root)?);
    Ok(())
}

/// Counts every crate of the workspace at `root`.
pub(crate) fn reports(shell: &Shell, root: &Path) -> Result<Vec<Report>> {
    let root = fs::canonicalize(root).with_context(|| format!("no folder {}", root.display()))?;
    let metadata = Metadata::of_members(shell, &root)?;
    let members = metadata.members().into_iter();
    members.map(|member| report(member, &root)).collect()
}

fn report(package: &Package, root: &Path) -> Result<Report> {
    let load = |path: &Path| fs::read_to_string(path).ok();
    let folder = package.manifest_path.parent().unwrap_or(root);
    let src = folder.join("src");
    let mut tree = Tree::default();
    for target in &package.targets {
        if target.src_path.starts_with(&src) {
            tree.add_root(&target.src_path, &load)?;
        }
    }
    let short = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_owned();
    let name_of = |file: usize| short(&tree.files[file].path);
    let mut report = Report {
        name: package.name.clone(),
        is_published: package.is_published(),
        files: tree.files.len(),
        src: Lines::default(),
        tests: Lines::default(),
        others: Lines::default(),
        circles: circles::circles(&tree)
            .into_iter()
            .map(|circle| circle.into_iter().map(name_of).collect())
            .collect(),
        doubled: doubled(&tree)
            .into_iter()
            .map(|(name, places)| Doubled {
                name,
                places: places
                    .into_iter()
                    .map(|(file, line)| (name_of(file), line))
                    .collect(),
            })
            .collect(),
        long: Vec::new(),
    };
    for path in rust_files(folder)? {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = tree.files.iter().find(|file| file.path == path);
        let test_lines = file.map_or(&[][..], |file| &file.test_lines);
        let (product, tests) = lines::count(&text, test_lines)
            .with_context(|| format!("cannot count the lines of {}", path.display()))?;
        let all = product.all() + tests.all();
        if all > LONG {
            report.long.push((short(&path), all));
        }
        report.tests += tests;
        if file.is_some() {
            report.src += product;
        } else if path.starts_with(&src) || path.starts_with(folder.join("tests")) {
            report.tests += product;
        } else {
            report.others += product;
        }
    }
    Ok(report)
}

/// Type names that are defined more than once, with file and line of each
/// definition. Definitions under `cfg`s of one file are alternatives, and count
/// as one.
fn doubled(tree: &Tree) -> BTreeMap<String, Vec<(usize, usize)>> {
    let mut found: BTreeMap<String, Vec<(usize, &Type)>> = BTreeMap::new();
    for module in &tree.modules {
        for one in &module.types {
            let known = found.entry(one.name.clone()).or_default();
            let is_same = |(file, other): &(usize, &Type)| {
                // A file that two targets share is read twice.
                *file == module.file
                    && (other.line == one.line || other.is_conditional && one.is_conditional)
            };
            if !known.iter().any(is_same) {
                known.push((module.file, one));
            }
        }
    }
    found.retain(|_, types| types.len() > 1);
    let places = |types: Vec<(usize, &Type)>| {
        let places = types.into_iter().map(|(file, one)| (file, one.line));
        places.collect()
    };
    let found = found.into_iter();
    found.map(|(name, types)| (name, places(types))).collect()
}

/// Every Rust file of a package, sorted.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for part in ["src", "tests", "benches", "examples"] {
        let part = folder.join(part);
        if part.is_dir() {
            crate::steps::props::rust_files(&part, &mut files)?;
        }
    }
    Ok(files)
}

fn print(reports: &[Report]) {
    println!(
        "{:<17}{:>6}{:>8}{:>10}{:>7}{:>8}{:>8}{:>9}{:>10}{:>9}{:>9}",
        "crate",
        "files",
        "code",
        "comments",
        "blank",
        "tests",
        "others",
        "circles",
        "in them",
        "doubled",
        "long"
    );
    let mut sums = [0; 10];
    for report in reports {
        let row = [
            report.files,
            report.src.code,
            report.src.comments,
            report.src.blank,
            report.tests.all(),
            report.others.all(),
            report.circles.len(),
            report.circles.iter().map(Vec::len).sum(),
            report.doubled.len(),
            report.long.len(),
        ];
        print_row(&report.name, &row);
        for (sum, figure) in sums.iter_mut().zip(row) {
            *sum += figure;
        }
    }
    print_row("all", &sums);
    println!(
        "\nfiles, code, comments and blank: of src, without tests; tests: all lines of tests,\n\
         in src or not; others: benches and examples; circles: of imports, and the files in\n\
         them; doubled: type names; long: files of more than {LONG} lines, tests included"
    );
    for report in reports {
        for circle in &report.circles {
            println!("\n{}: a circle of {} files", report.name, circle.len());
            for file in circle {
                println!("    {}", file.display());
            }
        }
    }
    println!();
    for report in reports {
        for one in &report.doubled {
            println!("{}: {}", report.name, one.line());
        }
    }
    println!();
    for (file, lines) in reports.iter().flat_map(|report| &report.long) {
        println!("{lines:>5} lines: {}", file.display());
    }
}

fn print_row(name: &str, row: &[usize; 10]) {
    let [
        files,
        code,
        comments,
        blank,
        tests,
        others,
        circles,
        within,
        doubled,
        long,
    ] = row;
    println!(
        "{name:<17}{files:>6}{code:>8}{comments:>10}{blank:>7}{tests:>8}{others:>8}{circles:>9}\
         {within:>10}{doubled:>9}{long:>9}"
    );
}

impl Doubled {
    /// The name and its places in one line.
    pub(crate) fn line(&self) -> String {
        let places = self
            .places
            .iter()
            .map(|(file, line)| format!("{}:{line}", file.display()));
        format!(
            "`{}` is defined {} times: {}",
            self.name,
            self.places.len(),
            places.collect::<Vec<_>>().join(", ")
        )
    }
}
