//! What validators in other languages make of the schema.

use catalogue::{Patterns, json_schema};
use domain::template::Template;
use serde_json::Value;

use crate::support::{ALL, alice, definition, template};

/// Calls `see` with every keyword of a schema and its value.
fn walk(schema: &Value, see: &mut dyn FnMut(&str, &Value)) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                see(name, value);
                walk(value, see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Returns whether `RegExp` refuses a class of `pattern` with the flag `v`, which reserves signs.
fn has_reserved_signs(pattern: &str) -> bool {
    let (mut signs, mut is_class) = (pattern.chars(), false);
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => drop(signs.next()),
            '[' if !is_class => is_class = true,
            ']' => is_class = false,
            '(' | ')' | '[' | '{' | '}' | '/' | '|' if is_class => return true,
            _ => {}
        }
    }
    false
}

#[test]
fn its_patterns_are_for_both_flags_of_javascript_and_its_steps_for_doubles() {
    let template = template();
    let schema = json_schema(&template, &alice(), &Patterns::of(&template), "en");
    let (mut patterns, mut steps) = (Vec::new(), Vec::new());
    walk(&schema, &mut |name, value| match (name, value.as_str()) {
        ("pattern", Some(pattern)) => patterns.push(pattern.to_owned()),
        ("multipleOf", _) => steps.push(value.clone()),
        _ => {}
    });
    assert!(patterns.len() > 9 && has_reserved_signs("[a(]") && !has_reserved_signs("(a|[\\(])"));
    let bad: Vec<_> = patterns.iter().filter(|pattern| has_reserved_signs(pattern)).collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert!(!steps.is_empty() && steps.iter().all(Value::is_i64), "{steps:?}");
}

#[test]
fn it_says_that_a_secret_has_several_lines_and_the_stored_form_of_others_is_as_before() {
    let plain = definition(ALL).template;
    let key = plain.parameters.iter().find(|parameter| parameter.is_secret()).unwrap().key.clone();
    let of = |template: &Template| {
        let schema = json_schema(template, &alice(), &Patterns::of(template), "en");
        schema["properties"]["secrets"]["properties"][&key]["x-multiline"].clone()
    };
    let mut lines = plain.clone();
    for parameter in lines.parameters.iter_mut().filter(|parameter| parameter.key == key) {
        parameter.multiline = true;
    }
    assert_eq!((of(&plain), of(&lines)), (Value::Null, Value::Bool(true)));
    assert!(!plain.to_json().unwrap().contains("multiline"));
    assert_eq!(Template::from_json(&lines.to_json().unwrap()).unwrap(), lines);
}
