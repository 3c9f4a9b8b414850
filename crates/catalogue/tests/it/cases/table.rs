//! The table of answers, and what must come of them on every face: the check of the domain and JSON
//! Schema, which the tests of this crate ask, and the API and the form of the portal, whose tests
//! include this file.

use serde_json::{Value, json};

use super::case::Case;
use super::case::Expected::{self, Errors, Variables, Without};
use super::case::Form::{self, Fields};
use super::case::Never;

/// Returns all cases.
pub(super) fn all() -> impl Iterator<Item = Case> {
    [texts(), numbers_and_choices(), conditions_and_secrets(), sizes()].into_iter().flatten()
}

fn case(
    parameters: Value,
    form: &'static [(&'static str, &'static str)],
    expected: Expected,
) -> Case {
    Case { parameters, secrets: json!({}), size: None, form: Fields(form), expected }
}

fn json_only(parameters: Value, never: Never, expected: Expected) -> Case {
    Case { parameters, secrets: json!({}), size: None, form: Form::Never(never), expected }
}

fn secret(
    parameters: Value,
    secrets: Value,
    form: &'static [(&'static str, &'static str)],
    expected: Expected,
) -> Case {
    Case { parameters, secrets, size: None, form: Fields(form), expected }
}

fn texts() -> Vec<Case> {
    vec![
        case(
            json!({}),
            &[],
            Variables(&[
                "FIXED=always",
                "TEAM=red",
                "EMAIL=alice@example.com",
                "MOTTO=onward",
                "RATIO=0.7",
                "COLOR=red",
                "OWN=false",
                "PASSWORD=generated 20",
            ]),
        ),
        case(
            json!({}),
            &[],
            Without(&[
                "NOTES", "WORKERS", "MODEL", "TAGS", "HOST", "TOKEN", "REALM", "DEPTH", "API_KEY",
            ]),
        ),
        case(json!({"team": "a1-b2"}), &[("p.team", "a1-b2")], Variables(&["TEAM=a1-b2"])),
        case(json!({"team": "a"}), &[("p.team", "a")], Errors(&[("team", "TOO_SHORT")])),
        case(
            json!({"team": "abcdefghijk"}),
            &[("p.team", "abcdefghijk")],
            Errors(&[("team", "TOO_LONG")]),
        ),
        case(json!({"team": "a--b"}), &[("p.team", "a--b")], Errors(&[("team", "WRONG_FORM")])),
        case(json!({"team": "red\n"}), &[("p.team", "red\r\n")], Errors(&[("team", "LINE_BREAK")])),
        case(json!({"team": ""}), &[("p.team", "")], Errors(&[("team", "REQUIRED")])),
        json_only(json!({"team": null}), Never::Null, Errors(&[("team", "REQUIRED")])),
        json_only(json!({"team": 5}), Never::Typed, Errors(&[("team", "WRONG_TYPE")])),
        json_only(json!({"team": ["a"]}), Never::Typed, Errors(&[("team", "WRONG_TYPE")])),
        json_only(json!({"team": {"a": 1}}), Never::Typed, Errors(&[("team", "WRONG_TYPE")])),
        json_only(json!({"team": true}), Never::Typed, Errors(&[("team", "WRONG_TYPE")])),
        case(
            json!({"email": "bob@example.com"}),
            &[("p.email", "bob@example.com")],
            Variables(&["EMAIL=bob@example.com"]),
        ),
        case(json!({"email": ""}), &[("p.email", "")], Errors(&[("email", "REQUIRED")])),
        case(json!({"motto": ""}), &[("p.motto", "")], Without(&["MOTTO"])),
        json_only(json!({"motto": null}), Never::Null, Without(&["MOTTO"])),
        json_only(json!({"motto": []}), Never::Typed, Errors(&[("motto", "WRONG_TYPE")])),
        // Eight characters, of 32 bytes and 16 units of UTF-16.
        case(
            json!({"motto": "😀😀😀😀😀😀😀😀"}),
            &[("p.motto", "😀😀😀😀😀😀😀😀")],
            Variables(&["MOTTO=😀😀😀😀😀😀😀😀"]),
        ),
        case(
            json!({"motto": "a\u{7f}"}),
            &[("p.motto", "a\u{7f}")],
            Errors(&[("motto", "CONTROL_CHARACTER")]),
        ),
        case(
            json!({"motto": "a\u{2028}b"}),
            &[("p.motto", "a\u{2028}b")],
            Errors(&[("motto", "LINE_BREAK")]),
        ),
        case(
            json!({"motto": "${{a.b}}"}),
            &[("p.motto", "${{a.b}}")],
            Errors(&[("motto", "REFERENCE")]),
        ),
        case(json!({"motto": "{{.a}}"}), &[("p.motto", "{{.a}}")], Variables(&["MOTTO={{.a}}"])),
        case(
            json!({"motto": "'`\""}),
            &[("p.motto", "'`\"")],
            Errors(&[("motto", "NOT_REPRESENTABLE")]),
        ),
        case(json!({"motto": "'`"}), &[("p.motto", "'`")], Variables(&["MOTTO='`"])),
        case(
            json!({"motto": "#\\"}),
            &[("p.motto", "#\\")],
            Errors(&[("motto", "NOT_REPRESENTABLE")]),
        ),
        case(json!({"motto": "a\\"}), &[("p.motto", "a\\")], Variables(&["MOTTO=a\\"])),
        case(json!({"motto": " a "}), &[("p.motto", " a ")], Variables(&["MOTTO= a "])),
        case(json!({"notes": "a\n\tb"}), &[("p.notes", "a\r\n\tb")], Variables(&["NOTES=a\n\tb"])),
        json_only(
            json!({"notes": "a\r\nb"}),
            Never::LineEnd,
            Errors(&[("notes", "CONTROL_CHARACTER")]),
        ),
        case(
            json!({"notes": "a\u{0}"}),
            &[("p.notes", "a\u{0}")],
            Errors(&[("notes", "CONTROL_CHARACTER")]),
        ),
        case(
            json!({"notes": "123456789012345678901"}),
            &[("p.notes", "123456789012345678901")],
            Errors(&[("notes", "TOO_LONG")]),
        ),
        case(json!({"unknown": 1}), &[("p.unknown", "1")], Errors(&[("unknown", "UNKNOWN")])),
        case(
            json!({"host.other": "a"}),
            &[("p.host.other", "a")],
            Errors(&[("host.other", "UNKNOWN")]),
        ),
        case(
            json!({"motto": "too long to be", "team": "a", "x": 1}),
            &[("p.motto", "too long to be"), ("p.team", "a"), ("p.x", "1")],
            Errors(&[("motto", "TOO_LONG"), ("team", "TOO_SHORT"), ("x", "UNKNOWN")]),
        ),
    ]
}

fn numbers_and_choices() -> Vec<Case> {
    vec![
        case(json!({"ratio": 0.3}), &[("p.ratio", "0.3")], Variables(&["RATIO=0.3"])),
        case(json!({"ratio": -1}), &[("p.ratio", " -1.0 ")], Variables(&["RATIO=-1"])),
        case(json!({"ratio": 2.5}), &[("p.ratio", "25e-1")], Variables(&["RATIO=2.5"])),
        case(json!({"ratio": 2.6}), &[("p.ratio", "2.6")], Errors(&[("ratio", "ABOVE_MAXIMUM")])),
        case(json!({"ratio": -1.1}), &[("p.ratio", "-1.1")], Errors(&[("ratio", "BELOW_MINIMUM")])),
        case(
            json!({"ratio": 0.35}),
            &[("p.ratio", "0.35")],
            Errors(&[("ratio", "NOT_A_MULTIPLE")]),
        ),
        case(
            json!({"ratio": 1e300}),
            &[("p.ratio", "1e300")],
            Errors(&[("ratio", "ABOVE_MAXIMUM")]),
        ),
        case(json!({"ratio": null}), &[("p.ratio", "")], Without(&["RATIO"])),
        json_only(json!({"ratio": "0.3"}), Never::Typed, Errors(&[("ratio", "WRONG_TYPE")])),
        json_only(json!({"ratio": ""}), Never::Typed, Errors(&[("ratio", "WRONG_TYPE")])),
        case(json!({"workers": 1.0}), &[("p.workers", "1")], Variables(&["WORKERS=1"])),
        case(
            json!({"workers": 1.5}),
            &[("p.workers", "1.5")],
            Errors(&[("workers", "NOT_A_MULTIPLE")]),
        ),
        case(
            json!({"workers": 17}),
            &[("p.workers", "17")],
            Errors(&[("workers", "ABOVE_MAXIMUM")]),
        ),
        case(json!({"color": "blue"}), &[("p.color", "blue")], Variables(&["COLOR=blue"])),
        case(
            json!({"color": "Blue"}),
            &[("p.color", "Blue")],
            Errors(&[("color", "NOT_A_CHOICE")]),
        ),
        case(json!({"color": ""}), &[("p.color", "")], Without(&["COLOR"])),
        case(
            json!({"model": "Small one"}),
            &[("p.model", "Small one"), ("p.model.other", "a:1")],
            Variables(&["MODEL=Small one"]),
        ),
        case(
            json!({"model": "mini:3"}),
            &[("p.model.other", "mini:3")],
            Variables(&["MODEL=mini:3"]),
        ),
        case(
            json!({"model": "mini:3"}),
            &[("p.model.other", "mini:3"), ("p.model", "")],
            Variables(&["MODEL=mini:3"]),
        ),
        case(json!({"model": "mini"}), &[("p.model", "mini")], Errors(&[("model", "WRONG_FORM")])),
        case(
            json!({"own": true, "host": "h"}),
            &[("p.own", "on"), ("p.host", "h"), ("s.token", "")],
            Errors(&[("token", "REQUIRED")]),
        ),
        case(json!({"own": false}), &[("p.own", "false")], Variables(&["OWN=false"])),
        json_only(json!({"own": "true"}), Never::Typed, Errors(&[("own", "WRONG_TYPE")])),
        json_only(json!({"own": null}), Never::Null, Errors(&[("own", "WRONG_TYPE")])),
        case(
            json!({"tags": ["a", "b c"]}),
            &[("p.tags", "a\r\n\r\n b c \r\n")],
            Variables(&["TAGS=a,b c"]),
        ),
        case(
            json!({"tags": ["a", "b"]}),
            &[("p.tags", "a"), ("p.tags", "b")],
            Variables(&["TAGS=a,b"]),
        ),
        case(json!({"tags": []}), &[("p.tags", "")], Without(&["TAGS"])),
        case(json!({"tags": ["a"]}), &[("p.tags", "a")], Errors(&[("tags", "TOO_FEW")])),
        case(
            json!({"tags": ["a", "b", "c", "d"]}),
            &[("p.tags", "a\nb\nc\nd")],
            Errors(&[("tags", "TOO_MANY")]),
        ),
        case(
            json!({"tags": ["a", "b,c"]}),
            &[("p.tags", "a\nb,c")],
            Errors(&[("tags", "SEPARATOR")]),
        ),
        case(
            json!({"tags": ["a", "b!"]}),
            &[("p.tags", "a\nb!")],
            Errors(&[("tags", "WRONG_FORM")]),
        ),
        json_only(json!({"tags": ["a", "b "]}), Never::Trimmed, Errors(&[("tags", "OUTER_SPACE")])),
        json_only(json!({"tags": [" a", "b"]}), Never::Trimmed, Errors(&[("tags", "OUTER_SPACE")])),
        case(
            json!({"tags": ["a", "\u{a0}b"]}),
            &[("p.tags", "a\n \u{a0}b")],
            Variables(&["TAGS=a,\u{a0}b"]),
        ),
        json_only(json!({"tags": ["a", ""]}), Never::Trimmed, Errors(&[("tags", "TOO_SHORT")])),
        json_only(json!({"tags": ["a", 1]}), Never::Typed, Errors(&[("tags", "WRONG_TYPE")])),
        json_only(json!({"tags": "a,b"}), Never::Typed, Errors(&[("tags", "WRONG_TYPE")])),
        case(
            json!({"tags": ["a", "${{b}}"]}),
            &[("p.tags", "a\n${{b}}")],
            Errors(&[("tags", "REFERENCE")]),
        ),
    ]
}

fn conditions_and_secrets() -> Vec<Case> {
    vec![
        secret(
            json!({"own": true, "host": "h"}),
            json!({"token": "t"}),
            &[("p.own", "false"), ("p.own", "true"), ("p.host", "h"), ("s.token", "t")],
            Variables(&["OWN=true", "HOST=h", "TOKEN=secret t", "REALM=main"]),
        ),
        secret(
            json!({"own": true, "host": "h", "mode": "tls", "depth": 2}),
            json!({"token": "t"}),
            &[
                ("p.own", "on"),
                ("p.host", "h"),
                ("p.mode", "tls"),
                ("p.depth", "2"),
                ("s.token", "t"),
                // What a page without scripts shows, and sends.
                ("p.realm", "main"),
            ],
            Variables(&["DEPTH=2"]),
        ),
        secret(
            json!({"own": true, "host": "h", "mode": "tls"}),
            json!({"token": "t"}),
            &[("p.own", "on"), ("p.host", "h"), ("p.mode", "tls"), ("s.token", "t")],
            Errors(&[("depth", "REQUIRED")]),
        ),
        secret(
            json!({"own": true, "host": "h", "mode": "tls", "depth": 2, "realm": "x"}),
            json!({"token": "t"}),
            &[
                ("p.own", "on"),
                ("p.host", "h"),
                ("p.mode", "tls"),
                ("p.depth", "2"),
                ("s.token", "t"),
                ("p.realm", "x"),
            ],
            Errors(&[("realm", "HIDDEN")]),
        ),
        secret(
            json!({"own": true, "host": "h", "mode": ""}),
            json!({"token": "t"}),
            &[("p.own", "on"), ("p.host", "h"), ("p.mode", ""), ("s.token", "t")],
            Without(&["REALM", "DEPTH"]),
        ),
        case(
            json!({"own": true}),
            &[("p.own", "on")],
            Errors(&[("host", "REQUIRED"), ("token", "REQUIRED")]),
        ),
        case(json!({"host": "h"}), &[("p.host", "h")], Errors(&[("host", "HIDDEN")])),
        json_only(json!({"host": null}), Never::Null, Errors(&[("host", "HIDDEN")])),
        json_only(json!({"mode": "plain"}), Never::Shown, Errors(&[("mode", "HIDDEN")])),
        json_only(json!({"realm": "main"}), Never::Shown, Errors(&[("realm", "HIDDEN")])),
        // Nothing is said of what depends on an answer that is refused.
        json_only(json!({"own": 1}), Never::Typed, Errors(&[("own", "WRONG_TYPE")])),
        secret(
            json!({}),
            json!({"token": "t"}),
            &[("s.token", "t")],
            Errors(&[("token", "HIDDEN")]),
        ),
        secret(
            json!({}),
            json!({"api_key": "-- a --\nb"}),
            &[("s.api_key", "-- a --\r\nb")],
            Variables(&["API_KEY=secret -- a --\nb"]),
        ),
        secret(json!({}), json!({"api_key": ""}), &[("s.api_key", "")], Without(&["API_KEY"])),
        secret(
            json!({}),
            json!({"password": "long enough"}),
            &[("s.password", "long enough")],
            Variables(&["PASSWORD=secret long enough"]),
        ),
        secret(
            json!({}),
            json!({"password": ""}),
            &[("s.password", "")],
            Variables(&["PASSWORD=generated 20"]),
        ),
        secret(
            json!({}),
            json!({"password": "short"}),
            &[("s.password", "short")],
            Errors(&[("password", "TOO_SHORT")]),
        ),
        case(json!({"api_key": "k"}), &[("p.api_key", "k")], Errors(&[("api_key", "IS_SECRET")])),
        secret(
            json!({}),
            json!({"motto": "m"}),
            &[("s.motto", "m")],
            Errors(&[("motto", "IS_NO_SECRET")]),
        ),
        secret(
            json!({}),
            json!({"api_key": "a${{vault.x.y}}"}),
            &[("s.api_key", "a${{vault.x.y}}")],
            Errors(&[("api_key", "REFERENCE")]),
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let size = |size: Value, form: Form, expected: Expected| Case {
        size: Some(size),
        form,
        ..case(json!({}), &[], expected)
    };
    let unknown = Errors(&[("size", "UNKNOWN_SIZE")]);
    let wrong_type = Errors(&[("size", "WRONG_TYPE")]);
    vec![
        size(json!("large"), Fields(&[("size", "large")]), Variables(&["TEAM=red"])),
        size(json!("huge"), Fields(&[("size", "huge")]), unknown),
        size(json!(null), Form::Never(Never::Null), wrong_type),
        size(json!(1), Form::Never(Never::Typed), wrong_type),
    ]
}

/// Returns what only a form can say: a field more than once, which JSON has no words for.
pub(super) fn only_in_forms() -> [(&'static [(&'static str, &'static str)], Expected); 3] {
    [
        (
            &[("p.team", "a"), ("p.team", "b"), ("p.workers", "1"), ("p.workers", "2")],
            Errors(&[("team", "REPEATED"), ("workers", "REPEATED")]),
        ),
        (
            &[("p.team", "red"), ("s.api_key", "a"), ("s.api_key", "b")],
            Errors(&[("api_key", "REPEATED")]),
        ),
        (
            &[("p.team", "red"), ("size", "small"), ("size", "large")],
            Errors(&[("size", "REPEATED")]),
        ),
    ]
}
