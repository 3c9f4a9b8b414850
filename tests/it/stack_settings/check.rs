//! The check of a stack's settings while they are typed, and what the form keeps without it.

use axum::http::StatusCode;
use serde_json::json;

use super::{PAGE, encoded, expect, fields, main_of};
use crate::catalogue::{NOTES, put};
use crate::revisions::{end, with_stack};
use crate::support::app::{Reply, TestApp};

const CHECK: &str = "/stacks/alice/settings/check";

async fn check(app: &TestApp, changed: &[(&str, &str)]) -> Reply {
    app.post_form(CHECK, encoded(&fields(changed))).await
}

#[tokio::test]
async fn the_settings_are_checked_while_they_are_typed() {
    let (app, _folder) = with_stack().await;
    let page = app.get(PAGE).await;
    expect(&page, &["data-component=\"question_form\"", "data-busy=\"Reviewing…\""]);
    let address = format!("data-check=\"{CHECK}?id=dep_");
    assert!(main_of(&page).contains(&address), "{page:?}");

    let wrong = check(&app, &[("p.pages", "501"), ("s.password", "short")]).await;
    assert_eq!(wrong.status, StatusCode::OK, "{wrong:?}");
    let verdict = wrong.json();
    assert_eq!(verdict["fields"]["pages"]["code"], "ABOVE_MAXIMUM", "{verdict}");
    assert!(verdict["fields"]["password"]["message"].is_string(), "{verdict}");
    assert_eq!(verdict["fields"].as_object().unwrap().len(), 2, "{verdict}");
    let nothing = json!({ "fields": {} });
    assert_eq!(check(&app, &[("p.pages", "30")]).await.json(), nothing);
    let expired = check(&app, &[("k.api_key", "x.y")]).await.json();
    assert_eq!(expired["fields"]["api_key"]["code"], "SECRETS_EXPIRED", "{expired}");

    // The answer to the form says that the stack was changed, with everything that was typed.
    app.post_form(PAGE, encoded(&[fields(&[("p.pages", "30")]), vec![("step", "apply")]].concat()))
        .await;
    end(&app).await;
    assert_eq!(check(&app, &[("p.pages", "31")]).await.json(), nothing);
    let stranger = [
        ("cookie", &*format!("browser={}", "z".repeat(43))),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let theirs = app.ask("POST", CHECK, &stranger, encoded(&fields(&[]))).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{theirs:?}");
}

/// Questions of every other type.
const MORE: &str = r#"
[[parameter]]
key = "shared"
type = "boolean"
label = "Share it"
env = "NOTES_SHARED"

[[parameter]]
key = "colour"
type = "choice"
label = "Colour"
env = "NOTES_COLOUR"
choices = [{ value = "red", label = "Red" }, { value = "blue", label = "Blue" }]
other = { pattern = "[a-z]+" }

[[parameter]]
key = "people"
type = "list"
label = "People"
env = "NOTES_PEOPLE"

[[parameter]]
key = "greeting"
type = "text"
label = "Greeting"
env = "NOTES_GREETING"
"#;

#[tokio::test]
async fn a_form_that_is_refused_keeps_the_answers_to_questions_of_every_type() {
    let (app, folder) = with_stack().await;
    let newer = NOTES.replace("version = \"1.0.0\"", "version = \"1.1.0\"");
    put(folder.path(), "notes", &format!("{newer}{MORE}"));
    app.offers.reread(true).unwrap();
    let typed = [
        ("version", "1.1.0"),
        ("size", "large"),
        ("p.title", "My <notes>"),
        ("p.pages", "501"),
        ("p.shared", "true"),
        ("p.colour", ""),
        ("p.colour.other", "GREEN"),
        ("p.people", "ann\nbob"),
        ("p.greeting", "Hello\nthere"),
        ("s.api_key", "canary-7d41"),
        ("step", "review"),
    ];
    let refused = app.post_form(PAGE, encoded(&fields(&typed))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
    expect(
        &refused,
        &[
            "2 answers cannot be used",
            "href=\"#field-pages\"",
            "href=\"#field-colour\"",
            "value=\"501\"",
            "value=\"My &lt;notes&gt;\"",
            "value=\"large\" checked",
            "value=\"GREEN\"",
            "ann\nbob",
            "Hello\nthere",
            "name=\"k.api_key\"",
        ],
    );
    assert!(!refused.body.contains("canary-7d41"), "a secret came back");
}
