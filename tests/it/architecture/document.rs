//! Every file and every test module that ARCHITECTURE.md names exists.

use std::fs;
use std::path::{Path, PathBuf};

/// The extensions of names in the document that are files.
const EXTENSIONS: [&str; 8] = ["rs", "ts", "toml", "md", "sql", "scss", "yaml", "json"];
/// The folders whose files the document names by the end of their path.
const FOLDERS: [&str; 8] = [
    "crates", "deploy", "end2end/tests", "end2end/weight", "migrations", "scripts", "src", "tests",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the folders and files below `folder`.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let within = |path: PathBuf| {
        let inner = if path.is_dir() { below(&path) } else { Vec::new() };
        [vec![path], inner].concat()
    };
    entries.flat_map(within).collect()
}

/// Lists the files that the document may name.
fn paths() -> Vec<PathBuf> {
    let own = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    own.chain(FOLDERS.iter().flat_map(|folder| below(&root().join(folder)))).collect()
}

/// Returns the names in backticks in `text`.
fn names(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).filter(|name| !name.contains(char::is_whitespace)).collect()
}

fn document() -> String {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    text.split("```").step_by(2).collect()
}

#[test]
fn every_file_that_the_document_names_exists() {
    let (document, paths) = (document(), paths());
    let is_file = |name: &&str| {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        let is_folder = name.ends_with('/') && name.len() > 1;
        !name.starts_with('/')
            && (is_folder || extension.is_some_and(|extension| EXTENSIONS.contains(&extension)))
    };
    let files: Vec<_> = names(&document).into_iter().filter(is_file).collect();
    assert!(files.len() > 40, "{files:?}");
    for file in files {
        let is_there = paths.iter().any(|path| path.ends_with(file.trim_end_matches('/')));
        assert!(is_there, "ARCHITECTURE.md names {file}, which is not there");
    }
}

/// Returns whether `text` has the item `name`. A name that ends with an ellipsis is the beginning
/// of a function's.
fn has_item(text: &str, name: &str) -> bool {
    if let Some(start) = name.strip_suffix('…') {
        return text.contains(&format!("fn {start}"));
    }
    let ends = ["(", "<", " {", ";"];
    ["fn", "mod"]
        .iter()
        .any(|kind| ends.iter().any(|end| text.contains(&format!("{kind} {name}{end}"))))
}

/// Returns whether `name` is a module of ours, an item in one, or a function by itself.
fn is_item(name: &str, sources: &[(PathBuf, String)]) -> bool {
    let parts: Vec<_> = name.split("::").collect();
    let in_module = (1..=parts.len()).any(|length| {
        let (module, items) = parts.split_at(length);
        let file = PathBuf::from(module.join("/")).with_extension("rs");
        let mut files = sources.iter().filter(|(path, _)| path.ends_with(&file));
        files.any(|(_, text)| items.iter().all(|item| has_item(text, item)))
    });
    in_module || (parts.len() == 1 && sources.iter().any(|(_, text)| has_item(text, name)))
}

/// Returns the parts of the document that name tests: the parentheses in invariants, and the last
/// column of the table of promises.
fn evidence(document: &str) -> Vec<&str> {
    let invariants = document.split("**Invariant:**").skip(1).flat_map(|invariant| {
        let own = invariant.split("\n\n").next().unwrap();
        own.split('(').skip(1).filter_map(|rest| rest.split(')').next())
    });
    let rows = document.lines().filter(|line| line.starts_with("| P"));
    invariants.chain(rows.filter_map(|row| row.rsplit('|').nth(1))).collect()
}

#[test]
fn every_test_that_the_document_names_exists() {
    let document = document();
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    let sources: Vec<_> = paths().into_iter().filter(is_rust).map(read).collect();
    let is_name = |name: &&str| {
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:…".contains(c);
        name.chars().all(is_word)
    };
    let everywhere = names(&document).into_iter().filter(|name| name.contains("::"));
    let evidence = evidence(&document);
    assert!(evidence.len() > 40, "{evidence:?}");
    let named = everywhere.chain(evidence.into_iter().flat_map(names)).filter(is_name);
    let missing: Vec<_> = named.filter(|name| !is_item(name, &sources)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md names what is not there: {missing:?}");
}
