//! One table of answers, through every form: JSON, form fields, and JSON Schema.

mod case;
mod change;
mod random;
mod table;

use case::Expected::{self, Errors, Variables, Without};
use domain::template::situation::Situation;
use serde_json::{Value, json};

use crate::support::{Faces, alice, codes, lines, said, template};

/// Checks that a result is the expected one.
fn assert_expected(
    got: &Result<domain::template::checked::Checked, domain::template::answer_error::AnswerErrors>,
    expected: Expected,
    what: &str,
) {
    match (got, expected) {
        (Ok(checked), Variables(variables)) => {
            let lines = lines(checked);
            for variable in variables {
                assert!(lines.contains(*variable), "{what}: {variable} is not in {lines:?}");
            }
        }
        (Ok(checked), Without(names)) => {
            let lines = lines(checked);
            let has = |name: &str| lines.iter().any(|line| line.starts_with(&format!("{name}=")));
            assert!(!names.iter().any(|name| has(name)), "{what}: {lines:?}");
        }
        (Err(errors), Errors(expected)) => {
            let own = |(key, code): &(&str, &str)| ((*key).to_owned(), (*code).to_owned());
            let expected: Vec<_> = expected.iter().map(own).collect();
            assert_eq!(codes(errors), expected, "{what}");
        }
        (Ok(checked), Errors(_)) => panic!("{what} is accepted: {:?}", lines(checked)),
        (Err(errors), Variables(_) | Without(_)) => {
            panic!("{what} is refused: {:?}", codes(errors))
        }
    }
}

/// Checks that the schema accepts a body if the check does.
fn assert_same_in_the_schema(faces: &Faces, body: &Value) {
    let errors = faces.json(body).err().map(|errors| codes(&errors));
    if !errors.as_deref().is_some_and(case::is_beyond_schema) {
        assert_eq!(faces.accepts(body), errors.is_none(), "the schema and {body}: {errors:?}");
    }
}

/// What every set of answers has, unless it has another one.
const ALWAYS: [(&str, &str); 1] = [("team", "red")];

#[test]
fn every_form_of_the_same_answers_has_the_same_result() {
    let faces = Faces::new(template(), alice());
    for case in table::all() {
        let body = case.body(&ALWAYS);
        let got = faces.json(&body);
        assert_expected(&got, case.expected, &body.to_string());
        assert_same_in_the_schema(&faces, &body);
        if let Some(fields) = case.fields(&ALWAYS) {
            let fields: Vec<_> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let form = faces.form(&fields);
            assert_expected(&form, case.expected, &format!("{fields:?}"));
            if let (Ok(json), Ok(form)) = (&got, &form) {
                assert_eq!(json, form, "{fields:?}");
            }
        }
    }
}

#[test]
fn bodies_of_another_shape_are_refused_at_each_part() {
    let faces = Faces::new(template(), alice());
    for (body, expected) in [
        (json!(null), vec![("parameters", "WRONG_TYPE")]),
        (json!([]), vec![("parameters", "WRONG_TYPE")]),
        (json!({}), vec![("team", "REQUIRED")]),
        (json!({"parameters": null}), vec![("parameters", "WRONG_TYPE")]),
        (
            json!({"parameters": [], "secrets": 1, "image": "x"}),
            vec![("image", "UNKNOWN"), ("parameters", "WRONG_TYPE"), ("secrets", "WRONG_TYPE")],
        ),
        (json!({"parameters": {"team": "red"}, "size": "huge"}), vec![("size", "UNKNOWN_SIZE")]),
        (json!({"parameters": {"team": "red"}, "size": null}), vec![("size", "WRONG_TYPE")]),
        (json!({"parameters": {"team": "red"}, "size": 1}), vec![("size", "WRONG_TYPE")]),
    ] {
        let errors = faces.json(&body).unwrap_err();
        let found = codes(&errors);
        let found: Vec<_> = found.iter().map(|(key, code)| (key.as_str(), code.as_str())).collect();
        assert_eq!(found, expected, "{body}");
        assert!(!faces.accepts(&body), "{body}");
    }
    let large = json!({"parameters": {"team": "red"}, "size": "large"});
    assert_eq!(faces.json(&large).unwrap().size.as_deref(), Some("large"));
    assert_eq!(
        faces.form(&[("p.team", "red"), ("size", "large"), ("name", "x")]).unwrap().size,
        Some(String::from("large"))
    );
    assert!(faces.accepts(&large));
    let usual = json!({"parameters": {"team": "red"}});
    assert_eq!(faces.json(&usual).unwrap().size.as_deref(), Some("small"));
}

#[test]
fn a_field_that_is_sent_twice_is_refused() {
    let faces = Faces::new(template(), alice());
    for (fields, expected) in table::only_in_forms() {
        assert_expected(&faces.form(fields), expected, &format!("{fields:?}"));
    }
}

#[test]
fn what_is_known_of_the_person_fills_only_what_it_fits() {
    let unknown = Faces::new(template(), Situation::default());
    let body = json!({"parameters": {"team": "red"}});
    assert_eq!(
        codes(&unknown.json(&body).unwrap_err()),
        [(String::from("email"), String::from("REQUIRED"))]
    );
    assert!(!unknown.accepts(&body));
    let strange = Situation { person_email: Some(String::from("a${{b}}@c")), ..alice() };
    let strange = Faces::new(template(), strange);
    assert_eq!(
        codes(&strange.json(&body).unwrap_err()),
        [(String::from("email"), String::from("REQUIRED"))]
    );
    assert!(!strange.accepts(&body));
}

#[test]
fn each_error_has_a_code_and_a_sentence() {
    let faces = Faces::new(template(), alice());
    let errors =
        faces.json(&json!({"parameters": {"team": "A", "tags": ["a", "b,c"]}})).unwrap_err();
    assert_eq!(
        said(&errors),
        "tags SEPARATOR Item 2: An item cannot contain \",\".\n\
         team TOO_SHORT This needs at least 2 characters.\n"
    );
}
