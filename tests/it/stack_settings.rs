//! The settings of a stack through its pages, without scripts: see them, review a change, apply it, and go
//! back.

mod check;
mod generated;
pub(crate) mod history;
mod updates;

use axum::http::StatusCode;

use crate::catalogue::{NOTES, plain, put};
use crate::revisions::{end, with_stack};
use crate::support::app::{Reply, TestApp};

const PAGE: &str = "/stacks/alice/settings";

/// Returns what the page has between header and footer, without the marks of the renderer.
fn main_of(page: &Reply) -> String {
    let (_, rest) = page.body.split_once("<main").unwrap();
    rest.split_once("</main>").unwrap().0.replace("<!>", "")
}

/// Returns what a person reads of it.
fn text_of(main: &str) -> String {
    let pieces = main.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    plain(&pieces.collect::<String>())
}

fn expect(page: &Reply, parts: &[&str]) {
    let main = main_of(page);
    let text = text_of(&main);
    for part in parts {
        assert!(main.contains(part) || text.contains(part), "{part} is missing: {main}");
    }
}

/// Encodes the fields of a form.
fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The fields as a browser sends them: with today's values of all questions, but for `changed`.
fn fields<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let today = [
        ("revision", "1"),
        ("version", "1.0.0"),
        ("s.password", ""),
        ("s.api_key", ""),
        ("p.title", "alice"),
        ("p.pages", "12"),
        ("size", "small"),
    ];
    let is_changed = |field: &str| changed.iter().any(|(other, _)| *other == field);
    let unchanged = today.into_iter().filter(|(field, _)| !is_changed(field));
    unchanged.chain(changed.iter().copied()).collect()
}

async fn send(app: &TestApp, step: &str, changed: &[(&str, &str)]) -> Reply {
    let fields = [fields(changed), vec![("step", step)]].concat();
    app.post_form(PAGE, encoded(&fields)).await
}

/// Returns the hidden fields of the form at `action`.
fn hidden(page: &Reply, action: &str) -> Vec<(String, String)> {
    let main = main_of(page);
    let (_, rest) = main.split_once(&format!("action=\"{action}")).unwrap();
    let form = rest.split_once("</form>").unwrap().0;
    let value = |input: &str, name: &str| {
        let (_, rest) = input.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let inputs = form.split("<input type=\"hidden\"").skip(1);
    inputs.map(|input| (value(input, "name").unwrap(), value(input, "value").unwrap())).collect()
}

/// Presses a button on a page with a plan.
async fn press(app: &TestApp, page: &Reply, step: &str) -> Reply {
    let mut fields = hidden(page, PAGE);
    fields.push((String::from("step"), step.to_owned()));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    app.post_form(PAGE, encoded(&fields)).await
}

async fn revision(app: &TestApp) -> u64 {
    app.get("/api/stacks/alice").await.json()["stack"]["revision"].as_u64().unwrap()
}

/// Returns the fingerprint of a secret in the newest revision, if it has the secret.
async fn fingerprint(app: &TestApp, key: &str) -> Option<String> {
    let list = app.get("/api/stacks/alice/revisions").await.json();
    list["revisions"][0]["parameters"][key]["fingerprint"].as_str().map(ToOwned::to_owned)
}

#[tokio::test]
async fn the_settings_show_today_s_values_and_of_a_secret_only_that_it_is_set() {
    let (app, _folder) = with_stack().await;
    let page = app.get(PAGE).await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, Some("no-store")));
    let fingerprint = fingerprint(&app, "api_key").await.unwrap();
    expect(
        &page,
        &[
            "name=\"p.pages\"",
            "value=\"12\"",
            "value=\"alice\"",
            "value=\"small\" checked",
            "One is set since",
            &format!("Its mark is {fingerprint}, which changes with the secret."),
            "Leave it empty to keep it.",
            "name=\"c.api_key\"",
            "name=\"revision\" value=\"1\"",
            "Review the changes",
        ],
    );
    let main = main_of(&page);
    assert!(!main.contains("first-key") && !main.contains("c.password"), "{main}");
}

#[tokio::test]
async fn a_change_is_reviewed_first_and_then_applied() {
    let (app, _folder) = with_stack().await;
    let plan = send(&app, "review", &[("p.pages", "30"), ("size", "large")]).await;
    assert_eq!((plan.status, plan.header("cache-control")), (StatusCode::OK, Some("no-store")));
    expect(
        &plan,
        &[
            "Size: from “small” to “large”",
            "Pages: from 12 to 30",
            "The stack does not answer for some seconds. Open connections are cut once.",
            "Apply",
            "Back",
        ],
    );
    assert_eq!(app.get("/api/stacks/alice").await.json()["stack"]["status"], "running");

    let back = press(&app, &plan, "edit").await;
    assert_eq!(back.status, StatusCode::OK);
    expect(&back, &["value=\"30\"", "value=\"large\" checked", "Review the changes"]);

    let begun = press(&app, &plan, "apply").await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{begun:?}");
    let operation = begun.header("location").unwrap().to_owned();
    assert!(operation.starts_with("/deployments/op_"), "{operation}");
    expect(&app.get(&operation).await, &["Changing"]);
    expect(&app.get("/stacks/alice").await, &["Changing…", &operation]);
    // What is typed would be lost when the page loads itself again.
    let meanwhile = app.get(PAGE).await;
    expect(&meanwhile, &["Its settings can be changed once that has ended", "http-equiv"]);
    assert!(!main_of(&meanwhile).contains("name=\"p.pages\""), "{meanwhile:?}");
    end(&app).await;
    assert_eq!(revision(&app).await, 2);
    expect(&app.get(&operation).await, &["alice was changed. It has revision 2 now."]);
    expect(&app.get(PAGE).await, &["value=\"30\"", "name=\"revision\" value=\"2\""]);
    let same = send(&app, "apply", &[("revision", "2"), ("p.pages", "30"), ("size", "large")]);
    expect(&same.await, &["The stack is like that already"]);
}

#[tokio::test]
async fn a_secret_that_is_typed_is_sealed_while_it_is_reviewed_and_an_empty_one_is_kept() {
    let (app, _folder) = with_stack().await;
    let before = (fingerprint(&app, "api_key").await, fingerprint(&app, "password").await);
    let plan = send(&app, "review", &[("s.api_key", "canary-7d41")]).await;
    expect(&plan, &["API key: changed", "name=\"k.api_key\"", "are not shown"]);
    assert!(!plan.body.contains("canary-7d41"), "a secret came back");
    let back = press(&app, &plan, "edit").await;
    expect(&back, &["What you typed is kept", "name=\"k.api_key\""]);
    assert_eq!(press(&app, &plan, "apply").await.status, StatusCode::SEE_OTHER);
    end(&app).await;
    assert_ne!(fingerprint(&app, "api_key").await, before.0);
    assert_eq!(fingerprint(&app, "password").await, before.1);

    let plan = send(&app, "review", &[("revision", "2"), ("c.api_key", "1")]).await;
    expect(&plan, &["API key: changed"]);
    assert_eq!(press(&app, &plan, "apply").await.status, StatusCode::SEE_OTHER);
    end(&app).await;
    assert_eq!(fingerprint(&app, "api_key").await, None, "it is removed");
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_nothing_that_was_typed_is_lost() {
    let (app, _folder) = with_stack().await;
    for step in ["review", "apply"] {
        let changed = [("p.pages", "501"), ("p.title", "My notes"), ("s.api_key", "canary-7d41")];
        let refused = send(&app, step, &changed).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
        expect(
            &refused,
            &[
                "One answer cannot be used",
                "href=\"#field-pages\"",
                "value=\"501\"",
                "value=\"My notes\"",
                "name=\"k.api_key\"",
            ],
        );
        assert!(!refused.body.contains("canary-7d41"), "a secret came back");
    }
    assert_eq!(revision(&app).await, 1);
}

#[tokio::test]
async fn a_form_of_an_older_revision_is_refused_in_words_and_can_be_reviewed_again() {
    let (app, _folder) = with_stack().await;
    assert_eq!(send(&app, "apply", &[("size", "large")]).await.status, StatusCode::SEE_OTHER);
    end(&app).await;
    for step in ["review", "apply"] {
        let refused = send(&app, step, &[("p.pages", "30")]).await;
        assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED, "{refused:?}");
        expect(
            &refused,
            &[
                "it has revision 2 now, and this form was made from revision 1",
                "value=\"30\"",
                "name=\"revision\" value=\"2\"",
            ],
        );
    }
    // Without a revision, nobody knows what the form was made from.
    let without = encoded(&[("p.pages", "30"), ("step", "apply")]);
    let refused = app.post_form(PAGE, without).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED, "{refused:?}");
    let plan = send(&app, "review", &[("revision", "2"), ("p.pages", "30")]).await;
    expect(&plan, &["Pages: from 12 to 30", "Size: from “large” to “small”"]);
}

#[tokio::test]
async fn the_settings_of_somebody_else_do_not_exist_and_an_older_page_changes_no_other_stack() {
    let (app, _folder) = with_stack().await;
    let stranger = [
        ("cookie", &*format!("browser={}", "z".repeat(43))),
        ("accept", "text/html"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    for method in ["GET", "POST"] {
        let theirs = app.ask(method, PAGE, &stranger, encoded(&fields(&[]))).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{theirs:?}");
        assert!(!theirs.body.contains("Pages"), "{theirs:?}");
    }
    let other = format!("dep_{}", "0".repeat(32));
    let older = format!("{PAGE}?id={other}");
    let sent = [fields(&[("p.pages", "30")]), vec![("step", "apply")]].concat();
    let refused = app.post_form(&older, encoded(&sent)).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{refused:?}");
    for end in ["label", "rollback"] {
        let refused = app.post_form(&format!("/stacks/alice/{end}?id={other}"), "to=1").await;
        let location = refused.header("location").unwrap();
        assert!(location.ends_with("?refused=ANOTHER_STACK"), "{location}");
    }
    let address = format!("/api/stacks/alice?id={other}");
    let patched = app.ask("PATCH", &address, &[], r#"{"size":"large"}"#);
    assert_eq!(patched.await.error(), "409 ANOTHER_STACK");
    assert_eq!(revision(&app).await, 1);
}

#[tokio::test]
async fn another_version_of_the_template_is_offered_with_its_questions() {
    let (app, folder) = with_stack().await;
    let newer = NOTES.replace("1.0.0", "1.1.0");
    let question = "[[parameter]]\nkey = \"colour\"\ntype = \"string\"\nlabel = \"Colour\"\n\
                    env = \"NOTES_COLOUR\"\nrequired = true\n";
    put(folder.path(), "notes", &format!("{newer}\n{question}"));
    app.offers.reread(true).unwrap();
    let page = app.get(PAGE).await;
    expect(&page, &["Version 1.1.0 of the template is offered", "Update to 1.1.0"]);
    assert!(!main_of(&page).contains("p.colour"));
    let page = app.get(&format!("{PAGE}?version=1.1.0")).await;
    expect(&page, &["name=\"p.colour\"", "value=\"12\"", "name=\"version\" value=\"1.1.0\""]);
    expect(&page, &["Stay with 1.0.0"]);
    let update = [("version", "1.1.0"), ("p.colour", "")];
    let refused = send(&app, "review", &update).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused:?}");
    expect(&refused, &["href=\"#field-colour\"", "name=\"version\" value=\"1.1.0\""]);
    let plan = send(&app, "review", &[("version", "1.1.0"), ("p.colour", "red")]).await;
    expect(&plan, &["Version of the template: from “1.0.0” to “1.1.0”", "Colour: set to “red”"]);
    assert_eq!(press(&app, &plan, "apply").await.status, StatusCode::SEE_OTHER);
    end(&app).await;
    assert!(!main_of(&app.get(PAGE).await).contains("is offered"));
}

#[tokio::test]
async fn a_label_is_set_and_removed_by_a_form() {
    let (app, _folder) = with_stack().await;
    let label = async |text: &str| {
        let reply = app.post_form("/stacks/alice/label", encoded(&[("label", text)])).await;
        assert_eq!(reply.header("location"), Some(PAGE), "{reply:?}");
        app.get("/api/stacks/alice").await.json()["stack"].get("label").cloned()
    };
    assert_eq!(label(" My <notebook> ").await, Some("My <notebook>".into()));
    expect(&app.get(PAGE).await, &["value=\"My &lt;notebook&gt;\""]);
    expect(&app.get("/stacks/alice").await, &["My &lt;notebook&gt;"]);
    expect(&app.get("/").await, &["My &lt;notebook&gt;"]);
    assert_eq!(label("a\0\r\nb").await, Some("ab".into()));
    assert_eq!(label("").await, None);
    let long = app.post_form("/stacks/alice/label", encoded(&[("label", &"x".repeat(101))])).await;
    let location = long.header("location").unwrap();
    assert_eq!(location, "/stacks/alice/settings?refused=INVALID_PARAMETERS");
}

#[tokio::test]
async fn an_update_is_said_on_the_overview_at_home_and_in_the_api() {
    let (app, folder) = with_stack().await;
    let update = async || {
        let one = app.get("/api/stacks/alice").await.json()["stack"]["updateAvailable"].clone();
        let all = app.get("/api/stacks").await.json()["stacks"][0]["updateAvailable"].clone();
        assert_eq!(one, all);
        one.as_str().map(ToOwned::to_owned)
    };
    assert_eq!(update().await, None);
    put(folder.path(), "notes", &NOTES.replace("1.0.0", "1.1.0"));
    app.offers.reread(true).unwrap();
    assert_eq!(update().await.as_deref(), Some("1.1.0"));
    expect(&app.get("/stacks/alice").await, &["Update available", "/settings?version=1.1.0"]);
    expect(&app.get("/").await, &["Update available", "/settings?version=1.1.0"]);
    let stranger = [("cookie", &*format!("browser={}", "z".repeat(43)))];
    let listed = app.ask("GET", "/api/stacks", &stranger, "").await;
    assert!(!listed.body.contains("updateAvailable"), "{listed:?}");
    send(&app, "apply", &[("version", "1.1.0")]).await;
    for page in ["/stacks/alice", "/"] {
        let main = main_of(&app.get(page).await);
        assert!(!main.contains("Update available"), "{page}: it is being applied: {main}");
    }
    end(&app).await;
    assert_eq!(update().await, None);
}

#[tokio::test]
async fn a_stack_whose_settings_are_not_known_says_why_and_has_a_label_all_the_same() {
    let (app, _folder) = with_stack().await;
    app.store.forget_specs();
    let page = app.get(PAGE).await;
    expect(&page, &["did not keep what it is made of", "Save the label"]);
    assert!(!main_of(&page).contains("Review the changes"), "{page:?}");
    let sent = send(&app, "apply", &[("p.pages", "30")]).await;
    assert_eq!(sent.status, StatusCode::CONFLICT, "{sent:?}");
    expect(&sent, &["did not keep what it is made of"]);
}

#[tokio::test]
async fn what_was_chosen_for_good_is_shown_and_a_template_that_is_withdrawn_goes_on_to_be_changed()
{
    let folder = tempfile::tempdir().unwrap();
    let catalogue = folder.path().to_str().unwrap().to_owned();
    let question = "[[parameter]]\nkey = \"region\"\ntype = \"choice\"\nlabel = \"Region\"\n\
                    env = \"NOTES_REGION\"\nimmutable = true\n\
                    choices = [{ value = \"north\", label = \"Up there\" }, { value = \"south\" }]\n";
    put(folder.path(), "notes", &format!("{NOTES}\n{question}"));
    let app = TestApp::with_pages(&[("CATALOGUE", &catalogue)], folder.path()).in_one_browser();
    let answers = r#"{"name":"alice","parameters":{"region":"north"}}"#;
    assert_eq!(app.deploy(answers).await.status, StatusCode::CREATED);
    let lease = app.claim().await;
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    std::fs::remove_dir_all(folder.path().join("notes")).unwrap();
    app.offers.reread(true).unwrap();
    let page = app.get(PAGE).await;
    expect(&page, &["Chosen at the start, for good", "Region", "Up there", "no longer offered"]);
    assert!(!main_of(&page).contains("p.region"), "{page:?}");
    let plan = send(&app, "review", &[("p.pages", "30")]).await;
    expect(&plan, &["Pages: set to 30"]);
    assert_eq!(press(&app, &plan, "apply").await.status, StatusCode::SEE_OTHER);
    let forced = send(&app, "review", &[("p.region", "south")]).await;
    assert_eq!(forced.status, StatusCode::UNPROCESSABLE_ENTITY, "{forced:?}");
}

#[tokio::test]
async fn what_was_typed_outlives_the_session_but_for_secrets() {
    let (app, _folder) = history::with_people().await;
    let app = app.with_cookie("__Host-session=nobody");
    let sent = send(&app, "review", &[("p.pages", "30"), ("s.api_key", "canary-7d41")]).await;
    let location = sent.header("location").unwrap().to_owned();
    let (_, page) = location.split_once("return_to=").unwrap();
    let page: String = form_urlencoded::parse(format!("p={page}").as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect();
    assert!(page.starts_with(PAGE) && !page.contains("canary"), "{location}");
    let app = app.with_cookie("__Host-session=alice");
    expect(&app.get(&page).await, &["value=\"30\"", "This answer comes from the link"]);
}
