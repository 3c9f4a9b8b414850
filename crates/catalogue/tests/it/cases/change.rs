//! Changes of a stack: what was answered before counts, and what is fixed stays.

use std::collections::BTreeSet;

use domain::template::situation::{Before, Situation};
use serde_json::{Value, json};

use super::{Expected, assert_expected};
use crate::support::{Faces, alice, template};
use Expected::{Errors, Variables, Without};

/// Returns what alice has after she has started a stack with some answers.
fn after(body: &Value) -> Situation {
    let checked = Faces::new(template(), alice()).json(body).unwrap();
    let stored = serde_json::to_string(&checked.values).unwrap();
    let values = serde_json::from_str(&stored).unwrap();
    assert_eq!(values, checked.values, "{stored}");
    let secrets: BTreeSet<_> = checked.secrets.into_iter().collect();
    Situation { before: Some(Before { values, secrets, size: checked.size }), ..alice() }
}

fn started() -> Situation {
    after(&json!({
        "parameters": {
            "team": "red", "motto": "", "ratio": 0.1, "workers": 4, "own": true, "host": "h",
            "tags": ["a", "b"],
        },
        "secrets": { "token": "t", "api_key": "k" },
        "size": "large",
    }))
}

#[test]
fn what_is_not_answered_again_stays_as_it_was() {
    let faces = Faces::new(template(), started());
    let checked = faces.json(&json!({})).unwrap();
    assert_eq!(checked.size.as_deref(), Some("large"));
    let variables = &[
        "TEAM=red", "RATIO=0.1", "WORKERS=4", "OWN=true", "HOST=h", "TAGS=a,b", "TOKEN=kept",
        "API_KEY=kept", "PASSWORD=kept", "REALM=main",
    ];
    assert_expected(&Ok(checked.clone()), Variables(variables), "nothing");
    assert_expected(&Ok(checked), Without(&["MOTTO"]), "nothing");
}

#[test]
fn a_change_replaces_and_clears_but_keeps_what_is_fixed() {
    let faces = Faces::new(template(), started());
    for (body, expected) in [
        (json!({"parameters": {"motto": "on", "ratio": null}}), Variables(&["MOTTO=on"])),
        (json!({"parameters": {"motto": "on", "ratio": null}}), Without(&["RATIO"])),
        (json!({"parameters": {"workers": 4}}), Variables(&["WORKERS=4"])),
        (json!({"parameters": {"workers": 5}}), Errors(&[("workers", "IMMUTABLE")])),
        (json!({"parameters": {"workers": null}}), Errors(&[("workers", "IMMUTABLE")])),
        (json!({"secrets": {"token": "u"}}), Errors(&[("token", "IMMUTABLE")])),
        (json!({"secrets": {"api_key": "n"}}), Variables(&["API_KEY=secret n"])),
        (json!({"secrets": {"api_key": null}}), Without(&["API_KEY"])),
        (json!({"secrets": {"password": null}}), Variables(&["PASSWORD=generated 20"])),
        // What a change hides goes with it.
        (json!({"parameters": {"own": false}}), Without(&["HOST", "TOKEN", "REALM"])),
        (json!({"parameters": {"own": false, "host": "h"}}), Errors(&[("host", "HIDDEN")])),
    ] {
        assert_expected(&faces.json(&body), expected, &body.to_string());
    }
}

#[test]
fn a_form_of_a_change_sends_no_secrets_and_nothing_that_is_fixed() {
    let faces = Faces::new(template(), started());
    let fields = [
        ("p.team", "red"),
        ("p.email", "alice@example.com"),
        ("p.motto", ""),
        ("p.ratio", "0.2"),
        ("p.own", "on"),
        ("p.host", "h2"),
        ("s.token", ""),
        ("s.api_key", ""),
        ("s.password", ""),
    ];
    let expected = Variables(&["RATIO=0.2", "WORKERS=4", "HOST=h2", "TOKEN=kept", "API_KEY=kept"]);
    assert_expected(&faces.form(&fields), expected, "the form");
}

#[test]
fn an_update_asks_what_is_new_and_drops_what_no_longer_fits() {
    let mut situation = started();
    let before = situation.before.as_mut().unwrap();
    before.values.remove("color");
    before.values.insert(
        String::from("motto"),
        Some(domain::template::parameter::Value::Text(String::from("longer than it may be now"))),
    );
    let faces = Faces::new(template(), situation);
    let expected = Variables(&["COLOR=red", "MOTTO=onward"]);
    assert_expected(&faces.json(&json!({})), expected, "nothing");
}
