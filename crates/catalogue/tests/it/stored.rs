//! The stored form of a template, which has the same digest in every version of the portal.

use catalogue::Catalogue;
use domain::template::Template;
use domain::template::decimal::Decimal;
use domain::template::parameter::Value;

use crate::support::template;

/// How it is stored for ever: another form would give every stored template another digest.
const STORED: &str = include_str!("all.json");

#[test]
fn it_is_stored_in_exactly_this_form_and_read_again() {
    let json = template().to_json().unwrap();
    assert_eq!(json, STORED.trim_end());
    assert_eq!(Template::from_json(&json).unwrap(), template());
}

#[test]
fn the_form_of_a_later_version_is_not_read_as_this_one() {
    let json = template().to_json().unwrap();
    for other in [
        json.replace("\"form\":\"1\"", "\"form\":\"2\""),
        json.replace("\"port\":8080", "\"port\":8080,\"added\":1"),
        // Rules of each kind that this version does not know.
        json.replace("\"type\":\"secret\"", "\"type\":\"secret\",\"added\":1"),
        json.replace("\"type\":\"string\"", "\"type\":\"string\",\"added\":1"),
        json.replace("\"type\":\"number\"", "\"type\":\"number\",\"added\":1"),
        json.replace("\"type\":\"choice\"", "\"type\":\"choice\",\"added\":1"),
        json.replace("\"type\":\"list\"", "\"type\":\"list\",\"added\":1"),
        String::from("{}"),
    ] {
        assert_ne!(other, json);
        assert!(Template::from_json(&other).is_err(), "{other}");
    }
}

#[test]
fn numbers_have_one_form() {
    for (text, form) in
        [("0.7", "0.7"), ("0.000001", "1e-6"), ("-5", "-5"), ("1e12", "1000000000000")]
    {
        let value = Value::Number(Decimal::parse(text).unwrap());
        assert_eq!(serde_json::to_string(&value).unwrap(), form);
    }
}

#[test]
fn the_built_in_templates_keep_their_digests() {
    let built_in = Catalogue::built_in().catalogue;
    let digests: Vec<_> = built_in
        .iter()
        .map(|entry| format!("{} {} {}", entry.template.id, entry.template.version, entry.digest))
        .collect();
    assert_eq!(digests.join("\n"), include_str!("digests.txt").trim_end());
}
