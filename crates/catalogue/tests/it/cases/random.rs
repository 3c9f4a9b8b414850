//! Random answers: `Answers` and the schema agree, and what is accepted reaches the container as it
//! was sent.

use domain::template::answer_error::AnswerCode;
use domain::template::checked::{Checked, SecretOrigin, VariableValue};
use proptest::prelude::*;
use proptest::sample::select;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::support::{Faces, alice, codes, template};

/// Texts in which something is wrong now and then.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z]{1,9}",
        2 => "[ab'\"`\\\\#${} .,!\n\t-]{0,12}",
        1 => "\\PC{0,12}",
        1 => any::<String>(),
        1 => select(vec!["plain", "tls", "red", "large", "a:1", "", "${{x}}", "{{x}}"])
            .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => text().prop_map(Value::from),
        2 => any::<bool>().prop_map(Value::from),
        2 => (-20_i32..40).prop_map(|tenths| json!(f64::from(tenths) / 10.0)),
        1 => (-2_i64..20).prop_map(Value::from),
        1 => any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
        2 => proptest::collection::vec(text(), 0..4).prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

/// Bodies that fit more often than not, and others.
fn body() -> impl Strategy<Value = Value> {
    let keys = [
        "team", "email", "motto", "notes", "ratio", "workers", "color", "model", "tags", "host",
        "mode", "realm", "depth", "extra",
    ];
    let parameters = proptest::collection::btree_map(select(keys.to_vec()), value(), 0..3);
    let secrets = proptest::collection::btree_map(
        select(vec!["password", "token", "api_key", "motto"]),
        value(),
        0..3,
    );
    let own = proptest::option::of(any::<bool>());
    (parameters, secrets, own, any::<bool>()).prop_map(|(parameters, secrets, own, is_complete)| {
        let mut all = Map::new();
        if is_complete {
            all.insert(String::from("team"), json!("red"));
            if own == Some(true) {
                all.insert(String::from("host"), json!("h"));
            }
        }
        all.extend(own.map(|own| (String::from("own"), json!(own))));
        all.extend(parameters.into_iter().map(|(key, value)| (key.to_owned(), value)));
        json!({ "parameters": all, "secrets": secrets })
    })
}

/// Returns whether the only errors are those that a schema has no words for.
fn is_beyond_schema(faces: &Faces, body: &Value) -> bool {
    let beyond = [AnswerCode::TooLarge, AnswerCode::TooLargeTogether];
    faces.json(body).is_err_and(|errors| {
        errors.iter().all(|(key, error)| {
            let is_list = key == "tags" && error.code() == AnswerCode::NotRepresentable;
            is_list || beyond.contains(&error.code())
        })
    })
}

fn encoded(checked: &Checked) -> Vec<(String, SecretString)> {
    let variable = |name: &str, value: &VariableValue| {
        let text = match value {
            VariableValue::Plain(text) => text.clone(),
            VariableValue::Secret { origin: SecretOrigin::Given(text), .. } => {
                text.expose().to_owned()
            }
            VariableValue::Secret {
                origin: SecretOrigin::Generated(_) | SecretOrigin::Kept,
                ..
            } => String::from("generated"),
        };
        (name.to_owned(), SecretString::from(text))
    };
    checked.variables.iter().map(|one| variable(&one.name, &one.value)).collect()
}

proptest! {
    #![proptest_config(test_support::properties())]

    #[test]
    fn the_schema_accepts_what_the_check_accepts(body in body()) {
        let faces = Faces::new(template(), alice());
        let got = faces.json(&body);
        if !is_beyond_schema(&faces, &body) {
            let errors = got.as_ref().err().map(codes);
            prop_assert_eq!(faces.accepts(&body), got.is_ok(), "{}: {:?}", body, errors);
        }
        if let Ok(checked) = got {
            prop_assert!(dokploy::encode_environment(&encoded(&checked)).is_ok());
            let stored = serde_json::to_string(&checked.values).unwrap();
            prop_assert_eq!(serde_json::from_str::<domain::template::situation::Values>(&stored).unwrap(),
                checked.values);
        }
    }

    #[test]
    fn a_form_of_whatever_fields_is_checked_without_a_panic(
        fields in proptest::collection::vec(("(p|s)\\.[a-z_]{1,8}(\\.other)?|\\PC{0,8}", text()), 0..8)
    ) {
        let faces = Faces::new(template(), alice());
        let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        if let Ok(checked) = faces.form(&fields) {
            prop_assert!(dokploy::encode_environment(&encoded(&checked)).is_ok());
        }
    }
}
