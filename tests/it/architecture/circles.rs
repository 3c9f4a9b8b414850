//! No circle between modules that stand beside each other, in the portal and in each crate.
//!
//! A module leads to what it imports, or names by a path, in macros and attributes as well, and to
//! what is behind a re-export. A module and those inside it are one, and tests are left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    slice,
};

use syn::{
    Attribute, ItemMod, ItemUse, Macro, MetaList, UseTree,
    visit::{self, Visit},
};

use super::sources;

/// The parts of a path; of a module's, from the root of its crate.
type Names = Vec<String>;
type Modules = BTreeMap<Names, Module>;

/// What a module says of others.
#[derive(Default)]
struct Module {
    /// The names that it imports, with their paths.
    imports: BTreeMap<String, Names>,
    paths: BTreeSet<Names>,
}

/// Reads the modules of one file.
struct Reader<'a> {
    at: Names,
    modules: &'a mut Modules,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        self.modules.entry(self.at.clone()).or_default()
    }

    fn import(&mut self, mut path: Names, tree: &UseTree) {
        let mut add = |path: Names, name: String| {
            self.module().paths.insert(path.clone());
            self.module().imports.insert(name, path);
        };
        match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.import(path, &part.tree);
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.import(path.clone(), tree));
            }
            UseTree::Name(name) if name.ident == "self" => {
                let own = path.last().unwrap().clone();
                add(path, own);
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                add(path, name.ident.to_string());
            }
            UseTree::Rename(name) => {
                path.push(name.ident.to_string());
                add(path, name.rename.to_string());
            }
            UseTree::Glob(_) => {
                let name = format!("*{}", path.join("::"));
                add(path, name);
            }
        }
    }

    /// Finds the paths in what syn does not parse.
    fn scan(&mut self, tokens: &str) {
        let text = tokens.replace(" ::", "::").replace(":: ", "::");
        let words = text.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
        for word in words.filter(|word| word.contains("::")) {
            self.module().paths.insert(word.split("::").map(str::to_owned).collect());
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let is_test = |list: &MetaList| list.path.is_ident("cfg") && list.tokens.to_string() == "test";
    attributes.iter().any(|one| one.meta.require_list().is_ok_and(is_test))
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            self.at.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.at.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // `::name` is a crate.
        if item.leading_colon.is_none() {
            self.import(Vec::new(), &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.module().paths.insert(names);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.scan(&mac.tokens.to_string());
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.scan(&list.tokens.to_string());
    }
}

/// Reads the modules of the crate whose sources are in `folder`.
fn read(folder: &str) -> Modules {
    let mut modules = Modules::new();
    for source in sources(folder) {
        let path = source.path.strip_prefix(folder).unwrap().trim_start_matches('/');
        let names: Names = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        let at = match names.last().unwrap().as_str() {
            "main" | "tests" => continue,
            "lib" => Names::new(),
            _ => names,
        };
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&source.path));
        modules.entry(at.clone()).or_default();
        let file = syn::parse_file(&text.unwrap()).unwrap();
        Reader { at, modules: &mut modules }.visit_file(&file);
    }
    modules
}

/// Adds the modules that `path` leads to when it stands in the module `at`.
fn follow(
    modules: &Modules,
    at: &[String],
    path: &[String],
    depth: u8,
    found: &mut BTreeSet<Names>,
) {
    let Some((first, rest)) = path.split_first().filter(|_| depth > 0) else { return };
    let child = [at, slice::from_ref(first)].concat();
    let path = match first.as_str() {
        "crate" => rest.to_vec(),
        "self" => return land(modules, &[at, rest].concat(), depth, found),
        "super" => {
            let up = at.len().saturating_sub(1);
            return match rest.first() {
                Some(next) if next == "super" => follow(modules, &at[..up], rest, depth, found),
                _ => land(modules, &[&at[..up], rest].concat(), depth, found),
            };
        }
        _ => match modules[at].imports.get(first) {
            Some(import) if import != path => {
                return follow(modules, at, &[&import[..], rest].concat(), depth - 1, found);
            }
            _ if modules.contains_key(&child) => [at, path].concat(),
            _ => return,
        },
    };
    land(modules, &path, depth, found);
}

/// Adds the module that `path`, from the root, begins with, and what it re-exports by the rest.
fn land(modules: &Modules, path: &[String], depth: u8, found: &mut BTreeSet<Names>) {
    let len = (0..=path.len()).rev().find(|len| modules.contains_key(&path[..*len])).unwrap();
    let (at, rest) = path.split_at(len);
    found.insert(at.to_vec());
    let Some(name) = rest.first().filter(|_| depth > 0) else { return };
    let imports = &modules[at].imports;
    if let Some(import) = imports.get(name) {
        return follow(modules, at, &[&import[..], &rest[1..]].concat(), depth - 1, found);
    }
    for (_, import) in imports.iter().filter(|(name, _)| name.starts_with('*')) {
        follow(modules, at, import, depth - 1, found);
    }
}

/// Returns the arrows between modules beside each other, with the modules inside them that make
/// each.
fn arrows(modules: &Modules) -> BTreeMap<(Names, Names), String> {
    let mut arrows = BTreeMap::new();
    for (from, module) in modules {
        let mut found = BTreeSet::new();
        module.paths.iter().for_each(|path| follow(modules, from, path, 8, &mut found));
        for to in found {
            let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if same < from.len() && same < to.len() {
                let why = format!("{} -> {}", from.join("::"), to.join("::"));
                arrows.insert((from[..=same].to_vec(), to[..=same].to_vec()), why);
            }
        }
    }
    arrows
}

#[test]
fn no_modules_beside_each_other_make_a_circle() {
    let crates = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")).unwrap();
    let crates = crates.map(|one| format!("crates/{}/src", one.unwrap().file_name().display()));
    for folder in crates.chain([String::from("src")]) {
        let mut arrows = arrows(&read(&folder));
        assert!(folder != "src" || arrows.len() > 100, "the arrows are not found");
        // What nothing leads to is in no circle, nor is what leads to nothing.
        loop {
            let before = arrows.len();
            let from: BTreeSet<_> = arrows.keys().map(|(from, _)| from.clone()).collect();
            let to: BTreeSet<_> = arrows.keys().map(|(_, to)| to.clone()).collect();
            arrows.retain(|(a, b), _| to.contains(a) && from.contains(b));
            if arrows.len() == before {
                break;
            }
        }
        let circles: Vec<_> = arrows.values().collect();
        assert!(circles.is_empty(), "circles in {folder}: {circles:#?}");
    }
}
