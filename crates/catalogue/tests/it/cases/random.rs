//! Random answers: `Answers` and the schema agree, and what is accepted reaches the container as it
//! was sent.

use domain::template::checked::{Checked, SecretOrigin, VariableValue};
use proptest::prelude::*;
use proptest::sample::select;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::{assert_same_in_the_schema, change};
use crate::support::{Faces, alice, template};

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
    let keys = |is_secret: bool, other: &str| -> Vec<String> {
        let all = template().parameters.into_iter();
        let some = all.filter(|one| one.is_secret() == is_secret && one.key != "own");
        some.map(|one| one.key).chain([other.to_owned()]).collect()
    };
    let parameters = proptest::collection::btree_map(select(keys(false, "extra")), value(), 0..3);
    let secrets = proptest::collection::btree_map(select(keys(true, "motto")), value(), 0..3);
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
        all.extend(parameters);
        json!({ "parameters": all, "secrets": secrets })
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
        assert_same_in_the_schema(&faces, &body);
        if let Ok(checked) = faces.json(&body) {
            prop_assert!(dokploy::encode_environment(&encoded(&checked)).is_ok());
            let stored = serde_json::to_string(&checked.values).unwrap();
            prop_assert_eq!(serde_json::from_str::<domain::template::situation::Values>(&stored).unwrap(),
                checked.values);
        }
    }

    #[test]
    fn the_schema_of_a_change_accepts_what_the_check_accepts(first in body(), second in body()) {
        let start = Faces::new(template(), alice());
        let before = if start.json(&first).is_ok() { change::after(&start, &first) } else { change::started() };
        for template in [template(), change::newer()] {
            assert_same_in_the_schema(&Faces::new(template, before.clone()), &second);
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
