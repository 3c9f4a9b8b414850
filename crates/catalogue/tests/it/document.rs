//! The reference for operators: its example has no faults, and it names every key and every code.

use domain::template::answer_error::AnswerCode;
use strum::IntoEnumIterator;

use crate::support::definition;

const DOCUMENT: &str = include_str!("../../README.md");

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
    for key in [
        "id", "name", "summary", "version", "image", "port", "command", "groups", "default",
        "first_access", "inherit_env", "links", "label", "path", "accept", "cpu", "memory", "key",
        "type", "help", "env", "required", "from", "immutable", "advanced", "when", "pattern",
        "min", "max", "step", "unit", "choices", "other", "item", "separator", "exclusive",
        "equals", "value",
    ] {
        assert!(DOCUMENT.contains(&format!("`{key}`")), "{key}");
    }
}
