//! What the settings of a stack say of another version of its template.

use axum::http::StatusCode;
use serde_json::json;

use super::{PAGE, encoded, expect};
use crate::catalogue::{NOTES, put};
use crate::revisions::{end, with_stack};

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

#[tokio::test]
async fn a_plan_names_the_volumes_and_the_port_of_another_version() {
    let (app, folder) = with_stack().await;
    let newer = NOTES.replace("1.0.0", "1.1.0").replace("port = 8080", "port = 9090");
    let checked = "\n[healthcheck]\ncommand = [\"CMD\", \"true\"]\n";
    let volume = "\n[[volume]]\nkey = \"data\"\npath = \"/data\"\n";
    put(folder.path(), "notes", &format!("{newer}{checked}{volume}"));
    app.offers.reread(true).unwrap();
    let headers = [("content-type", "application/json")];
    let update = r#"{"version":"1.1.0"}"#;
    let plan = app.ask("POST", "/api/stacks/alice/plan", &headers, update).await.json();
    let change = |field: &str| {
        let changes = plan["changes"].as_array().unwrap();
        changes.iter().find(|one| one["field"] == field).unwrap().clone()
    };
    let port = json!({ "field": "port", "from": 8080, "to": 9090, "effect": "restart" });
    assert_eq!(change("port"), port);
    let volumes = json!({
        "field": "volumes", "from": {}, "to": { "data": "/data" }, "effect": "data",
    });
    assert_eq!(change("volumes"), volumes);
    assert_eq!(plan["downtime"], "seconds", "although it has a health check");

    let sent = [("revision", "1"), ("version", "1.1.0"), ("size", "small"), ("step", "review")];
    let page = app.post_form(PAGE, encoded(&sent)).await;
    expect(&page, &["Port of the container: from 8080 to 9090", "“data” is added"]);
    let begun = app.ask("PATCH", "/api/stacks/alice", &headers, update).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
    end(&app).await;
    let stack = app.get("/api/stacks/alice").await.json()["stack"].clone();
    assert_eq!(stack["volumes"], json!([{ "key": "data", "path": "/data" }]), "{stack}");
}
