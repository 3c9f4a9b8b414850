//! The secrets that a refused form keeps: they can be withdrawn, and are asked for when they expire.

use std::time::Duration;

use serde_json::json;

use super::pages::between;
use super::secrets::{app, form, id_of, stored, with_required_key};
use super::{NOTES, summary};
use crate::support::app::TestApp;

/// Lets a form be refused once, and returns the sealed API key that came back.
async fn refuse_once(app: &TestApp) -> String {
    let refused = app.post_form("/new/notes", "name=alice&p.pages=501&s.api_key=given-key").await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(refused.body.contains(r#"name="f.api_key" type="checkbox""#), "{refused:?}");
    assert!(refused.body.contains("Forget what you gave before"), "{refused:?}");
    between(&refused.body, r#"name="k.api_key" value=""#, "\"").to_owned()
}

#[tokio::test]
async fn a_secret_that_a_form_keeps_can_be_withdrawn() {
    let (app, _dir) = app(NOTES);
    let kept = refuse_once(&app).await;
    let fresh = app.get("/new/notes").await.body;
    assert!(!fresh.contains("f.api_key"), "nothing was given before: {fresh}");
    let withdrawn =
        form(&[("name", "alice"), ("k.api_key", &kept), ("f.api_key", "1"), ("p.pages", "502")]);
    let again = app.post_form("/new/notes", withdrawn).await;
    assert!(!again.body.contains(r#"name="k.api_key""#), "it is not kept on: {again:?}");
    let fields = [("name", "alice"), ("k.api_key", &*kept), ("s.api_key", "")];
    let begun =
        app.post_form("/new/notes", form(&[&fields[..], &[("f.api_key", "1")]].concat())).await;
    assert!(!stored(&app, &id_of(&begun)).await.contains_key("NOTES_API_KEY"));
    // What is typed counts, whether or not the earlier one is withdrawn.
    let typed =
        [("name", "bobby"), ("k.api_key", &*kept), ("f.api_key", "1"), ("s.api_key", "typed")];
    let begun = app.post_form("/new/notes", form(&typed)).await;
    assert_eq!(stored(&app, &id_of(&begun)).await["NOTES_API_KEY"], "typed");
}

#[tokio::test]
async fn a_kept_secret_that_expired_is_asked_for_at_its_field_and_the_rest_stays() {
    let (app, _dir) = app(&with_required_key());
    let kept = refuse_once(&app).await;
    app.clock.advance(Duration::from_secs(3_601));
    let fields = [
        ("name", "alice"),
        ("p.title", "My notes"),
        ("p.pages", "502"),
        ("k.api_key", &*kept),
        ("s.api_key", ""),
    ];
    let checked = app.post_form("/new/notes/check", form(&fields)).await;
    assert_eq!(checked.status, 200, "{checked:?}");
    let verdict = checked.json();
    assert_eq!(verdict["fields"]["api_key"]["code"], "SECRETS_EXPIRED", "{verdict}");
    assert_eq!(verdict["fields"]["pages"]["code"], "ABOVE_MAXIMUM", "{verdict}");
    assert!(verdict["url"].as_str().is_some(), "{verdict}");
    let mut right = fields;
    right[2].1 = "7";
    for (fields, others) in [(fields, vec!["pages"]), (right, Vec::new())] {
        let refused = app.post_form("/new/notes", form(&fields)).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        let problems = summary(&refused.body);
        assert!(problems["api_key"].contains("again"), "{problems:?}");
        let keys: Vec<_> =
            problems.keys().map(String::as_str).filter(|key| *key != "api_key").collect();
        assert_eq!(keys, others, "{problems:?}");
        assert!(refused.body.contains(r#"value="My notes""#), "{refused:?}");
        assert!(!refused.body.contains(r#"name="k.api_key""#), "{refused:?}");
    }
    // A text of another kind is one, too, and what is typed counts.
    for kept in ["x.y", "", &*kept] {
        let fields = [("name", "alice"), ("k.api_key", kept), ("s.api_key", "typed")];
        assert_eq!(
            app.post_form("/new/notes/check", form(&fields)).await.json()["fields"],
            json!({})
        );
    }
}
