//! What the settings of a stack say of another version of its template.

use super::{PAGE, encoded, expect};
use crate::catalogue::{NOTES, put};
use crate::revisions::with_stack;

#[tokio::test]
async fn an_update_says_what_it_changes_and_fills_a_new_required_question_with_its_default() {
    let (app, folder) = with_stack().await;
    let newer = NOTES.replace("1.0.0", "1.1.0");
    let (kept, _) = newer.split_once("[[parameter]]\nkey = \"pages\"").unwrap();
    let question = "[[parameter]]\nkey = \"colour\"\ntype = \"string\"\nlabel = \"Colour\"\n\
                    env = \"NOTES_COLOUR\"\nrequired = true\ndefault = \"blue\"\n";
    put(folder.path(), "notes", &format!("{kept}{question}"));
    app.offers.reread(true).unwrap();
    for page in [String::from(PAGE), format!("{PAGE}?version=1.1.0")] {
        let page = app.get(&page).await;
        expect(&page, &["New questions: Colour", "No longer asked: Pages"]);
        expect(&page, &["Image: from sandbox/hello:1.0.0 to sandbox/hello:1.1.0"]);
    }
    let page = app.get(&format!("{PAGE}?version=1.1.0")).await;
    expect(&page, &["name=\"p.colour\" type=\"text\" value=\"blue\" maxlength=\"1000\" required"]);
    let sent = [
        ("revision", "1"),
        ("version", "1.1.0"),
        ("s.password", ""),
        ("s.api_key", ""),
        ("p.title", "alice"),
        ("p.colour", "blue"),
        ("size", "small"),
        ("step", "review"),
    ];
    let plan = app.post_form(PAGE, encoded(&sent)).await;
    expect(
        &plan,
        &[
            "Version of the template: from “1.0.0” to “1.1.0”",
            "Image: from “sandbox/hello:1.0.0” to “sandbox/hello:1.1.0”",
            "Colour: set to “blue”",
            "Pages: 12 is removed",
        ],
    );
    // A program that says nothing of it gets the default as well.
    let headers = [("content-type", "application/json")];
    let planned = app.ask("POST", "/api/stacks/alice/plan", &headers, r#"{"version":"1.1.0"}"#);
    let planned = planned.await.json();
    let colour = planned["changes"].as_array().unwrap().iter().find(|one| one["field"] == "colour");
    assert_eq!(colour.unwrap()["to"], "blue", "{planned}");
}
