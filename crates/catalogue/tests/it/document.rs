//! The reference for operators: its example has no faults, and it names every key and every code.

use std::collections::BTreeSet;

use domain::template::answer_error::AnswerCode;
use strum::IntoEnumIterator;

use crate::support::definition;

const DOCUMENT: &str = include_str!("../../README.md");
/// The code that reads the keys.
const READERS: [&str; 5] = [
    include_str!("../../src/parse.rs"),
    include_str!("../../src/parse/head.rs"),
    include_str!("../../src/parse/kind.rs"),
    include_str!("../../src/parse/parameter.rs"),
    include_str!("../../src/parse/parts.rs"),
];

/// Returns the keys that some code reads: the texts that begin the arguments of a reader's method.
fn keys(code: &str) -> impl Iterator<Item = &str> {
    let methods = [
        ".value(", ".text(", ".required(", ".flag(", ".whole(", ".number(", ".texts(", ".table(",
        ".tables(", ".listed(", ".localized(", "command(table, ", "command(&mut table, ",
    ];
    let calls = methods.into_iter().flat_map(|method| code.split(method).skip(1));
    calls.filter_map(|call| Some(call.trim_start().strip_prefix('"')?.split_once('"')?.0))
}

#[test]
fn the_example_has_no_faults() {
    let (_, example) = DOCUMENT.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let parsed = definition(&example.replace("id = \"open-webui\"", "id = \"all\""));
    assert_eq!(parsed.warnings, []);
    assert!(parsed.template.parameters.len() > 6);
}

#[test]
fn it_names_every_key_and_every_code() {
    for code in AnswerCode::iter() {
        let code: &str = code.into();
        assert!(DOCUMENT.contains(&format!("`{code}`")), "{code}");
    }
    let keys: BTreeSet<_> = READERS.iter().flat_map(|reader| keys(reader)).collect();
    assert!(keys.len() > 35 && keys.contains("port") && keys.contains("choices"), "{keys:?}");
    for key in keys {
        let forms = [format!("`{key}`"), format!("`[{key}]`"), format!("`[[{key}]]`")];
        assert!(forms.iter().any(|form| DOCUMENT.contains(form)), "{key}");
    }
}
