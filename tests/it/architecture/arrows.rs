//! The arrows between modules, found by parsing the sources.
//!
//! A module leads to what it imports, or names by a path, in macros and attributes as well, and to
//! what is behind a re-export. Tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, ItemMod, ItemUse, Macro, MetaList, UseTree};

use super::sources;

/// The names of a path, from the root of its crate.
type Names = Vec<String>;
type Modules = BTreeMap<Names, Module>;

/// What a module names.
#[derive(Default)]
struct Module {
    /// The names that it imports, `*` for all of a module, with their paths.
    imports: Vec<(String, Names)>,
    paths: BTreeSet<Names>,
}

/// Reads a file, which may have several modules.
struct Reader<'a> {
    at: Names,
    modules: &'a mut Modules,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        self.modules.entry(self.at.clone()).or_default()
    }

    /// Adds a path as it is written, and returns it from the root of the crate.
    fn add(&mut self, mut written: &[String]) -> Names {
        let mut path = self.at.clone();
        while let [first, rest @ ..] = written {
            match first.as_str() {
                "crate" => path.clear(),
                "super" => drop(path.pop()),
                "self" => {}
                _ => break,
            }
            written = rest;
        }
        path.extend_from_slice(written);
        self.module().paths.insert(path.clone());
        path
    }

    fn import(&mut self, prefix: &[String], tree: &UseTree) {
        let (name, last) = match tree {
            UseTree::Path(part) => {
                let path = [prefix, &[part.ident.to_string()]].concat();
                return self.import(&path, &part.tree);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(prefix, tree));
            }
            UseTree::Name(one) if one.ident == "self" => (prefix.last().unwrap().clone(), None),
            UseTree::Name(one) => (one.ident.to_string(), Some(one.ident.to_string())),
            UseTree::Rename(one) => (one.rename.to_string(), Some(one.ident.to_string())),
            UseTree::Glob(_) => (String::from("*"), None),
        };
        let path = self.add(&[prefix, last.as_slice()].concat());
        self.module().imports.push((name, path));
    }

    /// Adds the paths in what syn does not parse.
    fn scan(&mut self, tokens: &str) {
        let text = tokens.replace(" ::", "::").replace(":: ", "::");
        let words = text.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
        for word in words.filter(|word| word.contains("::")) {
            self.add(&word.split("::").map(str::to_owned).collect::<Names>());
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let is_test = |list: &MetaList| list.path.is_ident("cfg") && list.tokens.to_string() == "test";
    attributes.iter().any(|one| one.meta.require_list().is_ok_and(is_test))
}

/// A path that begins with `::` is one of another crate.
impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            self.at.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.at.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.add(&path.segments.iter().map(|one| one.ident.to_string()).collect::<Names>());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, tokens: &'ast Macro) {
        self.scan(&tokens.tokens.to_string());
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
        let at: Names = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        let at = match at.last().unwrap().as_str() {
            "main" | "tests" => continue,
            "lib" => Names::new(),
            _ => at,
        };
        modules.entry(at.clone()).or_default();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&source.path);
        let file = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
        Reader { at, modules: &mut modules }.visit_file(&file);
    }
    modules
}

/// Adds the module that `path` begins with, and those that it leads to by imports of that one.
fn follow(modules: &Modules, path: &[String], depth: u8, found: &mut BTreeSet<Names>) {
    let len = (0..=path.len()).rev().find(|len| modules.contains_key(&path[..*len])).unwrap();
    let (at, rest) = path.split_at(len);
    found.insert(at.to_vec());
    let ([name, after @ ..], 1..) = (rest, depth) else { return };
    let imports = &modules[at].imports;
    let is_named = imports.iter().any(|(known, _)| known == name);
    let (known, after) = if is_named { (name.as_str(), after) } else { ("*", rest) };
    for (_, import) in imports.iter().filter(|(one, _)| one == known) {
        follow(modules, &[&import[..], after].concat(), depth - 1, found);
    }
}

/// Returns the arrows of the crate whose sources are in `folder`: pairs of modules.
fn arrows(folder: &str) -> Vec<(Names, Names)> {
    let modules = read(folder);
    let mut arrows = Vec::new();
    for (from, module) in &modules {
        let mut found = BTreeSet::new();
        module.paths.iter().for_each(|path| follow(&modules, path, 8, &mut found));
        arrows.extend(found.into_iter().map(|to| (from.clone(), to)));
    }
    assert!(folder != "src" || arrows.len() > 1_000, "the arrows are not found");
    arrows
}

#[test]
fn no_modules_beside_each_other_make_a_circle() {
    let crates = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")).unwrap();
    let crates = crates.map(|one| format!("crates/{}/src", one.unwrap().file_name().display()));
    for folder in crates.chain([String::from("src")]) {
        // A module and those inside it are one, so only arrows between modules beside each other,
        // with their contents, can make a circle.
        let mut beside = BTreeMap::new();
        for (from, to) in arrows(&folder) {
            let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
            if same < from.len() && same < to.len() {
                let why = format!("{} -> {}", from.join("::"), to.join("::"));
                beside.insert((from[..=same].to_vec(), to[..=same].to_vec()), why);
            }
        }
        // What nothing leads to is in no circle, nor is what leads to nothing.
        loop {
            let before = beside.len();
            let from: BTreeSet<_> = beside.keys().map(|(from, _)| from.clone()).collect();
            let to: BTreeSet<_> = beside.keys().map(|(_, to)| to.clone()).collect();
            beside.retain(|(a, b), _| to.contains(a) && from.contains(b));
            if beside.len() == before {
                break;
            }
        }
        let circles: Vec<_> = beside.values().collect();
        assert!(circles.is_empty(), "circles in {folder}: {circles:#?}");
    }
}

/// Each of these parts leads only to those after it.
const LAYERS: [&[&str]; 3] = [
    &["cli", "run", "http", "app", "api", "server", "wire"],
    &[
        "server::stacks", "server::reconciler", "server::operations", "server::steps",
        "server::saga", "server::store", "server::auth", "server::audit", "server::store_error",
    ],
    &["server::store", "server::sqlite_file", "server::secrets"],
];

/// What each part must not lead to, although it lies below.
const FORBIDDEN: [(&str, &[&str]); 6] = [
    ("app", &["server::saga", "server::steps", "server::operations"]),
    ("http", &["server::saga", "server::steps", "server::operations"]),
    ("server::auth::access", &["server::auth", "server::store", "server::platform"]),
    ("server::auth::oidc", &["server::auth::sign_in", "server::store", "server::platform"]),
    ("server::stacks", &["server::saga", "server::steps", "server::operations"]),
    ("server::store::sql", &["server::store::dialect"]),
];

/// The adapters, and the only parts that lead to them.
const ADAPTERS: [(&str, &[&str]); 5] = [
    ("server::auth::oidc", &["cli", "run"]),
    ("server::platform::dokploy", &["cli", "run"]),
    ("server::sqlite_file", &["cli", "run", "server::store::dialect"]),
    ("server::store::dialect", &["cli", "run", "server::store"]),
    ("server::store::sql", &["server::store"]),
];

#[test]
fn arrows_point_one_way() {
    let is_in = |module: &str, part: &str| {
        module.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    for (from, to) in arrows("src") {
        let (from, to) = (from.join("::"), to.join("::"));
        let place = |layers: &[&str], module| layers.iter().position(|one| is_in(module, one));
        for layers in LAYERS {
            let places = (place(layers, &from), place(layers, &to));
            assert!(!matches!(places, (Some(from), Some(to)) if to < from), "{from} -> {to}");
        }
        for (part, forbidden) in FORBIDDEN.iter().filter(|(part, _)| is_in(&from, part)) {
            let may = is_in(&to, part) || !forbidden.iter().any(|one| is_in(&to, one));
            assert!(may, "{from} -> {to}");
        }
        for (adapter, allowed) in ADAPTERS.iter().filter(|(adapter, _)| is_in(&to, adapter)) {
            let may = is_in(&from, adapter) || allowed.iter().any(|one| is_in(&from, one));
            assert!(may, "{from} -> {to}");
        }
    }
}
