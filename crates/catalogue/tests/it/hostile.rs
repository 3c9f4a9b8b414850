//! Hostile answers: what they break is a field, and never more.

use domain::template::carry::check_carried;
use domain::template::decimal::Decimal;
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::support::{Faces, alice, codes, definition, lines, said, template};

fn is_encoded(value: &str) -> bool {
    dokploy::encode_environment(&[(String::from("A"), SecretString::from(value))]).is_ok()
}

#[test]
fn a_character_of_every_category_is_carried_or_refused_at_its_field() {
    let faces = Faces::new(template(), alice());
    // Cc, Zs, Zl, Zp, Sc, Sm, Sk, So, Pd, Ps, Pe, Pi, Pf, Po, Pc, Nd, Nl, No, Lu, Ll, Lt, Lm, Lo,
    // Mn, Mc, Me, Cf, Co, and what is not assigned.
    let all = "\u{1}\u{a0}\u{2028}\u{2029}€∑^😀‐(〉«»!‿٣Ⅷ½ÄäǅʰアÄ\u{301}\u{903}\u{20dd}\u{202e}\u{e000}\u{378}\u{10ffff}\u{fffe}\u{feff}";
    for c in all.chars() {
        let body = json!({ "parameters": { "team": "red", "motto": format!("a{c}") } });
        let got = faces.json(&body);
        assert_eq!(faces.accepts(&body), got.is_ok(), "{c:?}");
        let is_control = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        assert_eq!(got.is_err(), is_control, "{c:?}");
        if let Ok(checked) = got {
            assert!(lines(&checked).contains(&format!("MOTTO=a{c}")), "{c:?}");
        }
    }
}

#[test]
fn an_answer_and_all_together_have_a_largest_size() {
    let faces = Faces::new(template(), alice());
    let body =
        json!({ "parameters": { "team": "red" }, "secrets": { "api_key": "a".repeat(1 << 20) } });
    let errors = faces.json(&body).unwrap_err();
    assert_eq!(codes(&errors), [(String::from("api_key"), String::from("TOO_LARGE"))]);
    assert!(said(&errors).len() < 200);
    let mut text = String::from(
        "[template]\nid = \"all\"\nname = \"All\"\nsummary = \"All\"\nversion = \"1\"\nimage = \"a:1.0\"\n\
         port = 1\nfirst_access = \"none-needed\"\n[[health]]\npath = \"/\"\n",
    );
    let mut answers = Map::new();
    for n in 0..9 {
        let question = format!(
            "[[parameter]]\nkey = \"k{n}\"\nlabel = \"K\"\ntype = \"text\"\nenv = \"K{n}\"\n"
        );
        text.push_str(&question);
        answers.insert(format!("k{n}"), Value::from("a".repeat(16_000)));
    }
    let faces = Faces::new(definition(&text).template, alice());
    let errors = faces.json(&json!({ "parameters": answers })).unwrap_err();
    assert_eq!(codes(&errors), [(String::from("parameters"), String::from("TOO_LARGE_TOGETHER"))]);
    answers.remove("k8");
    assert!(faces.json(&json!({ "parameters": answers })).is_ok());
    let many: Map<_, _> = (0..65).map(|n| (format!("x{n}"), json!(1))).collect();
    let errors = faces.json(&json!({ "parameters": many })).unwrap_err();
    assert_eq!(codes(&errors), [(String::from("parameters"), String::from("TOO_MANY_ANSWERS"))]);
}

#[test]
fn a_long_or_strange_key_is_repeated_in_part_only() {
    let faces = Faces::new(template(), alice());
    let key = "é<script>".repeat(1_000);
    let mut parameters = Map::from_iter([(String::from("team"), json!("red"))]);
    parameters.insert(key, json!(1));
    let errors = faces.json(&json!({ "parameters": parameters })).unwrap_err();
    assert_eq!(errors.iter().map(|(key, _)| key.chars().count()).collect::<Vec<_>>(), [64]);
}

#[test]
fn no_error_and_no_debug_output_contains_a_secret() {
    let faces = Faces::new(template(), alice());
    let canary = "canary-7d1f";
    let body = json!({
        "parameters": { "api_key": canary, "own": true, "host": "h", "team": "red" },
        "secrets": { "token": format!("{canary}${{{{x}}}}"), "password": format!("{canary}{canary}") },
    });
    let answers = domain::template::answers::Answers::from_json(&body).unwrap();
    let errors = faces.json(&body).unwrap_err();
    assert_eq!(errors.iter().count(), 2);
    for shown in [format!("{answers:?} {errors:?}"), said(&errors)] {
        assert!(!shown.contains("canary"), "{shown}");
    }
    let body = json!({ "parameters": { "team": "red" }, "secrets": { "api_key": canary } });
    let checked = faces.json(&body).unwrap();
    assert!(!format!("{checked:?}").contains("canary"));
    assert!(!serde_json::to_string(&checked.values).unwrap().contains("canary"));
}

#[test]
fn a_number_is_exact_to_fifteen_digits() {
    let number: Value = serde_json::from_str("999999999.999999").unwrap();
    assert_eq!(Decimal::parse(&number.to_string()).unwrap().to_string(), "999999999.999999");
}

proptest! {
    #![proptest_config(test_support::properties())]

    #[test]
    fn the_check_of_the_domain_is_that_of_the_platforms_adapter(
        value in "[ab \n\r\\x00#'\"`\\\\=$ü{]{0,10}|\\PC{0,20}|[{'\"`\\\\#]{0,9}"
    ) {
        prop_assert_eq!(check_carried(&value).is_ok(), is_encoded(&value), "{:?}", value);
    }
}
