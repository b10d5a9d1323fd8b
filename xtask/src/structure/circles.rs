//! Files that import each other in a circle.

use std::collections::BTreeSet;

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::mentions::Import;
use super::tree::Tree;

/// How many re-exports a name is followed through.
const MAX_STEPS: usize = 16;

/// The circles, each as indices of `tree.files`: every file of a circle reaches
/// every other one of it by imports.
pub(super) fn circles(tree: &Tree) -> Vec<Vec<usize>> {
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<_> = tree.files.iter().map(|_| graph.add_node(())).collect();
    for (from, to) in edges(tree) {
        graph.add_edge(nodes[from], nodes[to], ());
    }
    let mut circles: Vec<Vec<usize>> = tarjan_scc(&graph)
        .into_iter()
        .filter(|files| files.len() > 1)
        .map(|files| files.into_iter().map(|file| file.index()).collect())
        .collect();
    for circle in &mut circles {
        circle.sort_unstable();
    }
    circles.sort();
    circles
}

/// Each pair of different files of which the first imports from the second. A
/// name that is re-exported counts for the file that defines it.
fn edges(tree: &Tree) -> BTreeSet<(usize, usize)> {
    let mut edges = BTreeSet::new();
    for (index, module) in tree.modules.iter().enumerate() {
        let imports = module.imports.iter().map(|import| &import.path);
        for path in imports.chain(&module.paths) {
            if let Some(target) = resolve(tree, index, path, 0) {
                let to = tree.modules[target].file;
                if to != module.file {
                    edges.insert((module.file, to));
                }
            }
        }
    }
    edges
}

/// The module that defines what `path` means in module `from`; `None` where it
/// is of another crate.
fn resolve(tree: &Tree, from: usize, path: &[String], steps: usize) -> Option<usize> {
    let (first, rest) = path.split_first()?;
    let module = &tree.modules[from];
    match first.as_str() {
        "crate" => walk(tree, module.root, rest, steps),
        "self" => walk(tree, from, rest, steps),
        "super" => walk(tree, module.parent?, rest, steps),
        name if module.children.contains_key(name) => walk(tree, from, path, steps),
        name => {
            let import = module
                .imports
                .iter()
                .find(|import| import.name.as_deref() == Some(name))?;
            // `use name::…` of another crate names itself.
            if steps == MAX_STEPS || import.path.first() == Some(first) {
                return None;
            }
            resolve(tree, from, &joined(&import.path, rest), steps + 1)
        }
    }
}

/// As [`resolve`], for a path that starts inside module `at`.
fn walk(tree: &Tree, at: usize, path: &[String], steps: usize) -> Option<usize> {
    let Some((first, rest)) = path.split_first() else {
        return Some(at);
    };
    let module = &tree.modules[at];
    match first.as_str() {
        "self" => return walk(tree, at, rest, steps),
        "super" => return walk(tree, module.parent?, rest, steps),
        name => {
            if let Some(child) = module.children.get(name) {
                return walk(tree, *child, rest, steps);
            }
            if module.names.contains(name) {
                return Some(at);
            }
        }
    }
    if steps == MAX_STEPS {
        return Some(at);
    }
    let named = |import: &&Import| import.name.as_ref() == Some(first);
    if let Some(import) = module.imports.iter().find(named) {
        // What another crate defines is used through this module.
        return resolve(tree, at, &joined(&import.path, rest), steps + 1).or(Some(at));
    }
    let globs = module.imports.iter().filter(|import| import.name.is_none());
    for glob in globs {
        let target = resolve(tree, at, &glob.path, steps + 1);
        if let Some(target) = target.filter(|target| defines(tree, *target, first)) {
            return walk(tree, target, path, steps + 1);
        }
    }
    Some(at)
}

fn defines(tree: &Tree, at: usize, name: &str) -> bool {
    let module = &tree.modules[at];
    let imported = |import: &Import| import.name.as_deref() == Some(name);
    module.names.contains(name)
        || module.children.contains_key(name)
        || module.imports.iter().any(imported)
}

fn joined(path: &[String], rest: &[String]) -> Vec<String> {
    path.iter().chain(rest).cloned().collect()
}
