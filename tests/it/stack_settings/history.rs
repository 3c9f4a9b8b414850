//! The revisions on the page of a stack's history, and the way back.

use ai_stack_deployer::server::auth::access::Role;
use axum::http::StatusCode;
use clock::Clock as _;

use super::{encoded, expect, hidden, main_of, revision, send, text_of};
use crate::catalogue::{NOTES, put};
use crate::revisions::{end, fail, with_stack};
use crate::support::app::TestApp;
use crate::support::people;

/// A portal with sign-in, and the live stack `alice` of the member `alice`, whose browser it is.
pub(crate) async fn with_people() -> (TestApp, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "notes", NOTES);
    let catalogue = folder.path().to_str().unwrap().to_owned();
    let variables = [
        ("CATALOGUE", &*catalogue),
        ("AUTH", "oidc"),
        ("OIDC_ISSUER", "http://127.0.0.1:9"),
        ("OIDC_CLIENT_ID", "portal"),
    ];
    let app = TestApp::with_pages(&variables, folder.path());
    for (name, role) in [("alice", Role::Member), ("olga", Role::Operator)] {
        people::sign_in(&*app.store, name, role, app.clock.now()).await;
    }
    let app = app.with_cookie("__Host-session=alice");
    assert_eq!(app.deploy(r#"{"name":"alice"}"#).await.status, StatusCode::CREATED);
    let lease = app.claim().await;
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    (app, folder)
}

#[tokio::test]
async fn the_history_lists_the_revisions_and_leads_back_to_one_after_a_look_at_the_difference() {
    let (app, _folder) = with_stack().await;
    send(&app, "apply", &[("p.pages", "30"), ("s.api_key", "canary-7d41")]).await;
    end(&app).await;
    let history = app.get("/stacks/alice/history").await;
    let parts = [
        "Revision 2",
        "the stack has it now",
        "Pages: from 12 to 30",
        "API key: changed",
        "Revision 1",
        "has worked",
        "href=\"/stacks/alice/history?to=1\"",
        "Began: change",
    ];
    expect(&history, &parts);
    assert!(!main_of(&history).contains("?to=2"), "{history:?}");
    let plan = app.get("/stacks/alice/history?to=1").await;
    expect(&plan, &["Go back to revision 1", "Pages: from 30 to 12", "API key: changed", "Apply"]);
    expect(&app.get("/stacks/alice/history?to=7").await, &["class=\"refused\""]);

    let fields = hidden(&plan, "/stacks/alice/rollback");
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(fields, [("to", "1"), ("revision", "2")]);
    let begun = app.post_form("/stacks/alice/rollback", encoded(&fields)).await;
    let location = begun.header("location").unwrap().to_owned();
    assert!(location.starts_with("/deployments/op_"), "{begun:?}");
    let busy = app.post_form("/stacks/alice/rollback", encoded(&fields)).await;
    let location = busy.header("location").unwrap().to_owned();
    assert!(location.ends_with("/history?refused=OPERATION_UNDER_WAY"), "{location}");
    end(&app).await;
    assert_eq!(revision(&app).await, 3);
    let older = app.post_form("/stacks/alice/rollback", encoded(&fields)).await;
    let location = older.header("location").unwrap().to_owned();
    expect(&app.get(&location).await, &["The stack was changed in the meantime"]);
}

#[tokio::test]
async fn a_revision_that_did_not_work_is_no_way_back() {
    let (app, _folder) = with_stack().await;
    let begun = send(&app, "apply", &[("p.pages", "30")]).await;
    fail(&app).await;
    assert_eq!(revision(&app).await, 1);
    // How the change ended is above the way to try it again.
    let failed = main_of(&app.get(begun.header("location").unwrap()).await);
    let at = |words: &str| failed.find(words).unwrap_or_else(|| panic!("{words}: {failed}"));
    assert!(at("could not be changed") < at("Fill in the form again"), "{failed}");
    let history = app.get("/stacks/alice/history").await;
    expect(&history, &["Revision 2", "did not work, and was taken back", "the stack has it now"]);
    assert!(!main_of(&history).contains("?to="), "{history:?}");
}

#[tokio::test]
async fn the_history_names_who_made_a_revision_if_that_was_somebody_else() {
    let (app, _folder) = with_people().await;
    let app = app.with_cookie("__Host-session=olga");
    let begun = send(&app, "apply", &[("p.pages", "30")]).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{begun:?}");
    end(&app).await;
    let revisions = async |app: &TestApp| {
        let main = main_of(&app.get("/stacks/alice/history").await);
        let (_, rest) = main.split_once("id=\"revisions\"").unwrap();
        text_of(rest.split_once("</section>").unwrap().0)
    };
    let own = revisions(&app).await;
    assert!(own.contains("by alice") && !own.contains("by olga"), "{own}");
    let app = app.with_cookie("__Host-session=alice");
    let other = revisions(&app).await;
    assert!(other.contains("by olga") && !other.contains("by alice"), "{other}");
}

#[tokio::test]
async fn the_history_names_a_question_that_the_newest_version_does_not_ask_any_more() {
    let (app, folder) = with_stack().await;
    send(&app, "apply", &[("p.pages", "30")]).await;
    end(&app).await;
    let newer = NOTES.replace("1.0.0", "1.1.0");
    let (without, _) = newer.split_once("[[parameter]]\nkey = \"pages\"").unwrap();
    put(folder.path(), "notes", without);
    app.offers.reread(true).unwrap();
    let history = app.get("/stacks/alice/history").await;
    expect(&history, &["Pages: from 12 to 30"]);
    let update = r#"{"version":"1.1.0"}"#;
    let headers = [("content-type", "application/json")];
    let begun = app.ask("PATCH", "/api/stacks/alice", &headers, update).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
    end(&app).await;
    let history = app.get("/stacks/alice/history").await;
    expect(&history, &["Pages: 30 is removed", "Pages: from 12 to 30"]);
    expect(&app.get("/stacks/alice/history?to=1").await, &["Pages: set to 12"]);
}
