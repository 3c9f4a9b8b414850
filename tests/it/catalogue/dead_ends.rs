//! What the pages of a new stack say where nothing can be started, and the ways on from there.

use std::time::Duration;

use ai_stack_deployer::server::platform::PlatformError;
use tempfile::TempDir;

use super::pages::between;
use super::{NOTES, put};
use crate::support::app::{Reply, TestApp};

/// A portal in process that offers `NOTES` under these ids.
fn portal(ids: &[&str]) -> (TestApp, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("catalogue");
    std::fs::create_dir(&folder).unwrap();
    for id in ids {
        put(&folder, id, &NOTES.replace("id = \"notes\"", &format!("id = \"{id}\"")));
    }
    let variables = [("CATALOGUE", folder.to_str().unwrap())];
    (TestApp::with_pages(&variables, dir.path()).in_one_browser(), dir)
}

/// Lets the platform fail from now on, so that the portal knows.
fn fail(app: &TestApp) {
    app.platform.fail(PlatformError::Paused { retry_after: Duration::from_secs(30) });
    app.clock.advance(Duration::from_mins(1));
}

#[tokio::test]
async fn the_cards_warn_while_nothing_could_be_started() {
    let (app, _dir) = portal(&["notes", "other"]);
    for path in ["/", "/new"] {
        let page = app.get(path).await.body;
        assert!(!page.contains("could not be started"), "{path}: {page}");
    }
    app.platform.set_old(true);
    app.clock.advance(Duration::from_mins(10));
    for path in ["/", "/new"] {
        let page = app.get(path).await.body;
        assert!(page.contains("The platform is too old for this portal, so"), "{path}: {page}");
    }
    let (app, _dir) = portal(&["notes", "other"]);
    fail(&app);
    for path in ["/", "/new"] {
        let page = app.get(path).await.body;
        let warning = "The platform does not answer right now, so a new stack could not be \
                       started. Try again in a minute.";
        assert_eq!(page.matches(warning).count(), 1, "{path}: {page}");
    }
}

#[tokio::test]
async fn what_was_refused_is_not_said_twice() {
    const WARNING: &str = "name-form__warning";
    let (app, _dir) = portal(&["notes"]);
    fail(&app);
    let page = app.get("/new/notes").await.body;
    assert!(page.contains(WARNING) && !page.contains("Reload this page"), "{page}");
    let refused = app.post_form("/new/notes", "name=alice&p.pages=5&s.api_key=given-key").await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.body.contains(r#"role="alert" class="refused""#), "{refused:?}");
    assert!(!refused.body.contains(WARNING), "{refused:?}");

    let dir = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[], dir.path());
    fail(&app);
    assert!(app.get("/").await.body.contains(WARNING));
    let refused = app.post_form("/api/fn/start_deployment", "name=alice").await;
    let page = app.get(refused.header("location").unwrap()).await.body;
    assert!(page.contains("hint hint--bad") && !page.contains(WARNING), "{page}");
}

fn expect_not_offered(reply: &Reply) {
    assert_eq!(reply.status, 404, "{reply:?}");
    for expected in ["<h1>Template not offered</h1>", "href=\"/new\""] {
        assert!(reply.body.contains(expected), "{expected}: {reply:?}");
    }
    assert!(!reply.body.contains("/api/templates"), "{reply:?}");
}

#[tokio::test]
async fn a_template_that_is_not_offered_leads_to_the_others_also_from_its_form() {
    let (app, dir) = portal(&["notes", "other"]);
    let (link, form) = ("/new/gone?name=alice", "name=alice&p.pages=5");
    expect_not_offered(&app.get(link).await);
    expect_not_offered(&app.post_form("/new/gone", form).await);
    let check = app.post_form("/new/gone/check", form).await;
    assert_eq!(check.error_code(), "NO_SUCH_TEMPLATE");
    let message = check.json()["error"].as_str().unwrap().to_owned();
    assert!(message.starts_with("The portal does not offer this template, or"), "{message}");

    assert_eq!(app.get("/new/other").await.status, 200);
    std::fs::remove_dir_all(dir.path().join("catalogue/other")).unwrap();
    let folder = dir.path().join("catalogue");
    let later = TestApp::with_pages(&[("CATALOGUE", folder.to_str().unwrap())], dir.path())
        .in_one_browser();
    expect_not_offered(&later.post_form("/new/other", form).await);
}

#[tokio::test]
async fn a_start_whose_template_is_gone_leads_to_the_others_when_it_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let app = TestApp::with_pages(&[], dir.path()).in_one_browser();
    let page = format!("/deployments/{}", app.begin("alice").await);
    app.record(&app.claim().await, vec![app.failure()]).await;
    app.store.change_specs(|spec| spec.template.as_mut().unwrap().id = String::from("gone"));
    let id = page.strip_prefix("/deployments/").unwrap();
    let refused = app.post_form("/api/fn/retry_deployment", format!("id={id}")).await;
    let location = format!("{page}?refused=NO_SUCH_TEMPLATE");
    assert_eq!(refused.header("location"), Some(&*location), "{refused:?}");
    let link = r#"href="/new""#;
    assert!(!app.get(&page).await.body.contains(link));
    let seen = app.get(&location).await.body;
    assert!(seen.contains("There is no such template, so") && seen.contains(link), "{seen}");
}

#[tokio::test]
async fn the_form_of_one_of_several_templates_leads_back_to_the_others() {
    let (app, _dir) = portal(&["notes", "other"]);
    let page = app.get("/new/notes?name=al%26ice").await.body;
    assert!(page.contains(r#"<a href="/new?name=al%26ice">All templates</a>"#), "{page}");
    let page = app.get("/new/notes").await.body;
    assert!(page.contains(r#"<a href="/new">All templates</a>"#), "{page}");
    let (app, _dir) = portal(&["notes"]);
    for path in ["/new", "/new/notes"] {
        let page = app.get(path).await.body;
        assert!(!page.contains("All templates"), "{path}: {page}");
    }
}

#[tokio::test]
async fn without_any_template_nobody_is_told_to_choose_one() {
    let (app, _dir) = portal(&[]);
    for path in ["/", "/new"] {
        let page = app.get(path).await.body;
        assert!(page.contains("There is no template, so nothing can be started."), "{page}");
        assert!(!page.contains("Choose a template"), "{path}: {page}");
    }
}

#[tokio::test]
async fn the_address_below_the_name_is_that_of_the_name_in_the_field() {
    let (app, _dir) = portal(&["notes"]);
    let address = |page: &str| between(page, r#"class="question__address">"#, "<").to_owned();
    let placeholder = address(&app.get("/new/notes").await.body);
    assert!(placeholder.contains("//your-name."), "{placeholder}");
    let expected = placeholder.replace("your-name", "alice");
    for path in ["/new/notes?name=alice", "/?name=alice"] {
        assert_eq!(address(&app.get(path).await.body), expected, "{path}");
    }
    let refused = async |form: &'static str| app.post_form("/new/notes", form).await.body;
    assert_eq!(address(&refused("name=alice&p.pages=501").await), expected);
    assert_eq!(address(&refused("name=-&p.pages=5").await), placeholder);
}

#[tokio::test]
async fn a_card_without_an_icon_has_the_first_letter_of_its_name() {
    let (app, dir) = portal(&["notes", "other"]);
    let none = r#"card__icon--none">N</span>"#;
    assert_eq!(app.get("/new").await.body.matches(none).count(), 2);
    let folder = dir.path().join("catalogue");
    std::fs::write(folder.join("notes/icon.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")
        .unwrap();
    let app = TestApp::with_pages(&[("CATALOGUE", folder.to_str().unwrap())], dir.path());
    assert_eq!(app.get("/new").await.body.matches(none).count(), 1);
}
