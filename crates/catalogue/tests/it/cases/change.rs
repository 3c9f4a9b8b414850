//! Changes of a stack: what was answered before counts, and what is fixed stays.

use domain::template::Template;
use domain::template::situation::{Before, Situation};
use serde_json::{Value, json};

use super::{Expected, assert_expected, assert_same_in_the_schema};
use crate::support::{ALL, Faces, alice, definition, template};
use Expected::{Errors, Variables, Without};

/// Returns what a person has after an accepted body.
pub(super) fn after(faces: &Faces, body: &Value) -> Situation {
    let checked = faces.json(body).unwrap();
    let stored = serde_json::to_string(&checked.values).unwrap();
    let values = serde_json::from_str(&stored).unwrap();
    assert_eq!(values, checked.values, "{stored}");
    let secrets = checked.secrets.into_iter().map(|key| (key, 32)).collect();
    Situation { before: Some(Before { values, secrets, size: checked.size }), ..alice() }
}

/// Returns what alice has after she has started a stack with some answers.
pub(super) fn started() -> Situation {
    let faces = Faces::new(template(), alice());
    let body = json!({
        "parameters": {
            "team": "red", "motto": "", "ratio": 0.1, "workers": 4, "own": true, "host": "h",
            "tags": ["a", "b"],
        },
        "secrets": { "token": "t", "api_key": "k" },
        "size": "large",
    });
    after(&faces, &body)
}

/// Returns the template with other lines.
fn changed(lines: &[(&str, &str)]) -> Template {
    let mut text = String::from(ALL);
    for (line, instead) in lines {
        assert!(text.contains(line), "{line}");
        text = text.replace(line, instead);
    }
    definition(&text).template
}

/// Returns a newer version of the template, with other rules.
pub(super) fn newer() -> Template {
    changed(&[
        ("min = 1\nmax = 16", "min = 8\nmax = 16\nrequired = true"),
        ("key = \"motto\"\n", "key = \"motto\"\nrequired = true\n"),
        ("key = \"tags\"\n", "key = \"labels\"\n"),
        ("key = \"host\"\ntype = \"string\"\n", "key = \"host\"\ntype = \"secret\"\n"),
        ("key = \"api_key\"\ntype = \"secret\"\n", "key = \"api_key\"\ntype = \"string\"\n"),
        ("id = \"large\"", "id = \"huge\""),
    ])
}

/// Checks each body, and that the schema says the same.
fn assert_all(faces: &Faces, cases: &[(Value, Expected)]) {
    for (body, expected) in cases {
        assert_expected(&faces.json(body), *expected, &body.to_string());
        assert_same_in_the_schema(faces, body);
    }
}

#[test]
fn what_is_not_answered_again_stays_as_it_was() {
    let faces = Faces::new(template(), started());
    let checked = faces.json(&json!({})).unwrap();
    assert_eq!(checked.size.as_deref(), Some("large"));
    assert_eq!(checked.replaced, [""; 0]);
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
    let cases = [
        (json!({"parameters": {"motto": "on", "ratio": null}}), Variables(&["MOTTO=on"])),
        (json!({"parameters": {"motto": "on", "ratio": null}}), Without(&["RATIO"])),
        (json!({"parameters": {"workers": 4}}), Variables(&["WORKERS=4"])),
        (json!({"parameters": {"workers": 5}}), Errors(&[("workers", "IMMUTABLE")])),
        (json!({"parameters": {"workers": null}}), Errors(&[("workers", "IMMUTABLE")])),
        (json!({"secrets": {"token": "u"}}), Errors(&[("token", "IMMUTABLE")])),
        (json!({"secrets": {"token": null}}), Errors(&[("token", "IMMUTABLE")])),
        (json!({"secrets": {"api_key": "n"}}), Variables(&["API_KEY=secret n"])),
        (json!({"secrets": {"api_key": null}}), Without(&["API_KEY"])),
        (json!({"secrets": {"password": null}}), Variables(&["PASSWORD=generated 20"])),
        // What a change hides goes with it.
        (json!({"parameters": {"own": false}}), Without(&["HOST", "TOKEN", "REALM"])),
        (json!({"parameters": {"own": false, "host": "h"}}), Errors(&[("host", "HIDDEN")])),
    ];
    assert_all(&faces, &cases);
    let hidden = faces.json(&json!({"parameters": {"own": false}})).unwrap();
    assert_eq!(hidden.replaced, ["host", "mode", "realm"], "a fixed answer is kept");
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
fn what_is_fixed_comes_back_when_it_is_shown_again() {
    let template = || changed(&[("key = \"host\"\n", "key = \"host\"\nimmutable = true\n")]);
    let hide = json!({"parameters": {"own": false}});
    let hidden = after(&Faces::new(template(), started()), &hide);
    // A change in between forgets nothing.
    let hidden = after(&Faces::new(template(), hidden), &json!({"parameters": {"motto": "on"}}));
    let cases = [
        (json!({"parameters": {"own": true}}), Variables(&["HOST=h", "TOKEN=kept"])),
        (json!({"parameters": {"own": true, "host": "h"}}), Variables(&["HOST=h", "TOKEN=kept"])),
        (json!({"parameters": {"own": true, "host": "x"}}), Errors(&[("host", "IMMUTABLE")])),
        (
            json!({"parameters": {"own": true}, "secrets": {"token": "x"}}),
            Errors(&[("token", "IMMUTABLE")]),
        ),
        (json!({}), Without(&["HOST", "TOKEN"])),
    ];
    assert_all(&Faces::new(template(), hidden), &cases);
}

#[test]
fn what_was_fixed_as_left_out_stays_left_out() {
    let template = changed(&[
        ("key = \"api_key\"\n", "key = \"api_key\"\nimmutable = true\n"),
        ("key = \"notes\"\n", "key = \"notes\"\nimmutable = true\n"),
        ("key = \"tags\"\n", "key = \"tags\"\nimmutable = true\n"),
    ]);
    let first = Faces::new(template.clone(), alice());
    let before = after(&first, &json!({"parameters": {"team": "red"}}));
    let cases = [
        (json!({"secrets": {"api_key": "k"}}), Errors(&[("api_key", "IMMUTABLE")])),
        (json!({"secrets": {"api_key": null}}), Without(&["API_KEY"])),
        (json!({"secrets": {"api_key": ""}}), Without(&["API_KEY"])),
        (json!({"parameters": {"notes": "n"}}), Errors(&[("notes", "IMMUTABLE")])),
        (json!({"parameters": {"notes": ""}}), Without(&["NOTES"])),
        (json!({"parameters": {"workers": 1}}), Errors(&[("workers", "IMMUTABLE")])),
        (json!({"parameters": {"workers": null}}), Without(&["WORKERS"])),
        (json!({"parameters": {"tags": ["a", "b"]}}), Errors(&[("tags", "IMMUTABLE")])),
        (json!({"parameters": {"tags": []}}), Without(&["TAGS"])),
        (json!({}), Without(&["API_KEY", "NOTES", "WORKERS", "TAGS"])),
    ];
    assert_all(&Faces::new(template, before), &cases);
}

#[test]
fn an_update_asks_anew_what_no_longer_obeys_the_rules() {
    let faces = Faces::new(newer(), started());
    let cases = [
        (json!({}), Errors(&[("host", "REQUIRED"), ("workers", "REQUIRED")])),
        (
            json!({"parameters": {"workers": 9}, "secrets": {"host": "h"}}),
            Variables(&["WORKERS=9", "HOST=secret h", "MOTTO=onward", "TOKEN=kept"]),
        ),
        (
            json!({"parameters": {"workers": 9}, "secrets": {"host": "h"}}),
            Without(&["TAGS", "API_KEY"]),
        ),
        (
            json!({"parameters": {"workers": 4}, "secrets": {"host": "h"}}),
            Errors(&[("workers", "BELOW_MINIMUM")]),
        ),
    ];
    assert_all(&faces, &cases);
    let body = json!({"parameters": {"workers": 9}, "secrets": {"host": "h"}});
    let checked = faces.json(&body).unwrap();
    assert_eq!(checked.replaced, ["api_key", "motto", "size", "tags"]);
    assert_eq!(checked.size.as_deref(), Some("small"));
    let body = json!({
        "parameters": {"workers": 9, "motto": "mine", "api_key": "k"},
        "secrets": {"host": "h"}, "size": "huge",
    });
    assert_eq!(faces.json(&body).unwrap().replaced, ["tags"], "the others are answered");
}

#[test]
fn an_update_drops_what_no_longer_fits_and_says_so() {
    let mut situation = started();
    let before = situation.before.as_mut().unwrap();
    before.values.remove("color");
    before.values.insert(
        String::from("motto"),
        Some(domain::template::parameter::Value::Text(String::from("longer than it may be now"))),
    );
    before.values.insert(String::from("own"), None);
    let faces = Faces::new(template(), situation);
    let expected = Variables(&["COLOR=red", "MOTTO=onward", "OWN=false"]);
    assert_expected(&faces.json(&json!({})), expected, "nothing");
    assert_same_in_the_schema(&faces, &json!({}));
    let replaced = faces.json(&json!({})).unwrap().replaced;
    assert_eq!(replaced, ["host", "mode", "motto", "own", "realm"]);
}

#[test]
fn kept_and_generated_secrets_count_for_the_size_of_all_together() {
    let mut situation = started();
    let largest = |secrets: &[&str], length: usize| {
        secrets.iter().map(|key| ((*key).to_owned(), length)).collect()
    };
    let before = situation.before.as_mut().unwrap();
    before.secrets = largest(&["password", "token", "api_key"], 43 * 1024);
    let faces = Faces::new(template(), situation.clone());
    assert_expected(&faces.json(&json!({})), Errors(&[("parameters", "TOO_LARGE_TOGETHER")]), "");
    let generated = json!({"secrets": {"password": null}});
    assert_expected(&faces.json(&generated), Variables(&["PASSWORD=generated 20"]), "");
}
