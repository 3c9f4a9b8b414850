//! The table of answers.

use serde_json::{Value, json};

use super::Expected::{self, Errors, Variables, Without};

/// A set of answers beside the one that is always required: as JSON, and as the fields of a form
/// where they can say the same.
pub(super) struct Case {
    pub(super) parameters: Value,
    pub(super) secrets: Value,
    pub(super) form: Option<&'static [(&'static str, &'static str)]>,
    pub(super) expected: Expected,
}

fn case(
    parameters: Value,
    form: &'static [(&'static str, &'static str)],
    expected: Expected,
) -> Case {
    Case { parameters, secrets: json!({}), form: Some(form), expected }
}

fn json_only(parameters: Value, expected: Expected) -> Case {
    Case { parameters, secrets: json!({}), form: None, expected }
}

fn secret(
    parameters: Value,
    secrets: Value,
    form: &'static [(&'static str, &'static str)],
    expected: Expected,
) -> Case {
    Case { parameters, secrets, form: Some(form), expected }
}

pub(super) fn texts() -> Vec<Case> {
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
        json_only(json!({"team": null}), Errors(&[("team", "REQUIRED")])),
        json_only(json!({"team": 5}), Errors(&[("team", "WRONG_TYPE")])),
        json_only(json!({"team": ["a"]}), Errors(&[("team", "WRONG_TYPE")])),
        json_only(json!({"team": {"a": 1}}), Errors(&[("team", "WRONG_TYPE")])),
        json_only(json!({"team": true}), Errors(&[("team", "WRONG_TYPE")])),
        case(
            json!({"email": "bob@example.com"}),
            &[("p.email", "bob@example.com")],
            Variables(&["EMAIL=bob@example.com"]),
        ),
        case(json!({"email": ""}), &[("p.email", "")], Errors(&[("email", "REQUIRED")])),
        case(json!({"motto": ""}), &[("p.motto", "")], Without(&["MOTTO"])),
        json_only(json!({"motto": null}), Without(&["MOTTO"])),
        json_only(json!({"motto": []}), Errors(&[("motto", "WRONG_TYPE")])),
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
        json_only(json!({"notes": "a\r\nb"}), Errors(&[("notes", "CONTROL_CHARACTER")])),
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
        json_only(json!({"host.other": "a"}), Errors(&[("host.other", "UNKNOWN")])),
        case(
            json!({"motto": "too long to be", "team": "a", "x": 1}),
            &[("p.motto", "too long to be"), ("p.team", "a"), ("p.x", "1")],
            Errors(&[("motto", "TOO_LONG"), ("team", "TOO_SHORT"), ("x", "UNKNOWN")]),
        ),
    ]
}

pub(super) fn numbers_and_choices() -> Vec<Case> {
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
        json_only(json!({"ratio": "0.3"}), Errors(&[("ratio", "WRONG_TYPE")])),
        json_only(json!({"ratio": ""}), Errors(&[("ratio", "WRONG_TYPE")])),
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
        json_only(json!({"own": "true"}), Errors(&[("own", "WRONG_TYPE")])),
        json_only(json!({"own": null}), Errors(&[("own", "WRONG_TYPE")])),
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
        json_only(json!({"tags": ["a", "b "]}), Errors(&[("tags", "OUTER_SPACE")])),
        json_only(json!({"tags": [" a", "b"]}), Errors(&[("tags", "OUTER_SPACE")])),
        case(
            json!({"tags": ["a", "\u{a0}b"]}),
            &[("p.tags", "a\n \u{a0}b")],
            Variables(&["TAGS=a,\u{a0}b"]),
        ),
        json_only(json!({"tags": ["a", ""]}), Errors(&[("tags", "TOO_SHORT")])),
        json_only(json!({"tags": ["a", 1]}), Errors(&[("tags", "WRONG_TYPE")])),
        json_only(json!({"tags": "a,b"}), Errors(&[("tags", "WRONG_TYPE")])),
        case(
            json!({"tags": ["a", "${{b}}"]}),
            &[("p.tags", "a\n${{b}}")],
            Errors(&[("tags", "REFERENCE")]),
        ),
    ]
}

pub(super) fn conditions_and_secrets() -> Vec<Case> {
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
        json_only(json!({"host": null}), Errors(&[("host", "HIDDEN")])),
        json_only(json!({"mode": "plain"}), Errors(&[("mode", "HIDDEN")])),
        json_only(json!({"realm": "main"}), Errors(&[("realm", "HIDDEN")])),
        // Nothing is said of what depends on an answer that is refused.
        json_only(json!({"own": 1}), Errors(&[("own", "WRONG_TYPE")])),
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
