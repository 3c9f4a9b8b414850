//! The secrets that a change generates, and the answers with which a failed change, or a stack that is
//! gone, is tried again.

use axum::http::StatusCode;
use domain::event::{EventBody, Gone, RemovalCompletion};
use domain::receipt::Receipt;

use super::history::with_people;
use super::{PAGE, expect, main_of, press, send};
use crate::catalogue::{NOTES, put};
use crate::revisions::{end, fail, with_stack};
use crate::support::app::{Reply, TestApp};
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};

/// Where the value of a generated secret is on a page.
const SHOWN: &str = "class=\"fresh-token__secret\">";

/// Offers version 1.1.0 of the template, which has one more generated secret.
fn offer_token(app: &TestApp, folder: &tempfile::TempDir) {
    let newer = NOTES.replace("1.0.0", "1.1.0");
    let question = "[[parameter]]\nkey = \"token\"\ntype = \"secret\"\nlabel = \"Token\"\n\
                    env = \"NOTES_TOKEN\"\nfrom = \"generate:32\"\n";
    put(folder.path(), "notes", &format!("{newer}\n{question}"));
    app.offers.reread(true).unwrap();
}

/// Returns the ticket for generated secrets that an answer sets.
fn ticket(reply: &Reply) -> Option<String> {
    let all = reply.headers.get_all("set-cookie").iter();
    let mut pairs = all.map(|line| line.to_str().unwrap().split(';').next().unwrap().to_owned());
    pairs.find(|pair| pair.starts_with("__Host-generated="))
}

/// Asks for a page as this person, with a ticket.
async fn page_of(app: &TestApp, who: &str, path: &str, ticket: &str) -> Reply {
    let cookies = format!("__Host-session={who}; {ticket}");
    app.ask("GET", path, &[("cookie", &cookies), ("accept", "text/html")], "").await
}

/// Returns the secrets that a page shows.
fn shown(page: &Reply) -> Vec<String> {
    let main = main_of(page);
    main.split(SHOWN).skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

async fn deployment(app: &TestApp) -> String {
    let stack = app.get("/api/stacks/alice").await.json()["stack"].clone();
    stack["deploymentId"].as_str().unwrap().to_owned()
}

/// Removes the stack.
async fn remove(app: &TestApp) {
    let removed = app.ask("DELETE", "/api/stacks/alice", &[], "").await;
    assert_eq!(removed.status, StatusCode::ACCEPTED, "{removed:?}");
    let (now, ttl) = (clock::Clock::now(&*app.clock), std::time::Duration::from_mins(1));
    let lease = app.store.claim_one(CLEAN_UP, "test", now, ttl).await.unwrap().unwrap();
    let (status, receipt) = (Gone::Removed, Receipt::of(Vec::new()));
    app.record(&lease, vec![EventBody::Removed(RemovalCompletion { status, receipt })]).await;
}

#[tokio::test]
async fn a_secret_that_a_change_generates_is_shown_once_on_the_page_after_the_press() {
    let (app, folder) = with_people().await;
    offer_token(&app, &folder);
    let plan = send(&app, "review", &[("version", "1.1.0")]).await;
    expect(&plan, &["Token: changed"]);
    let begun = press(&app, &plan, "apply").await;
    let ticket = ticket(&begun).expect("a ticket for what was generated");
    let page = begun.header("location").unwrap();
    for other in ["olga", "nobody"] {
        let theirs = page_of(&app, other, page, &ticket).await;
        assert!(!theirs.body.contains(SHOWN), "{other}: {theirs:?}");
    }
    let first = page_of(&app, "alice", page, &ticket).await;
    let secrets = shown(&first);
    assert_eq!(secrets.len(), 1, "the password is that of before: {first:?}");
    assert_eq!(secrets[0].len(), 32);
    expect(&first, &["Token"]);
    let removed = first.header("set-cookie").unwrap();
    assert!(removed.starts_with("__Host-generated=;"), "{removed}");
    assert!(!app.get(page).await.body.contains(&secrets[0]));
    end(&app).await;

    // A change that generates nothing has nothing to show.
    let changed = [("revision", "2"), ("version", "1.1.0"), ("p.pages", "30"), ("s.token", "")];
    let begun = send(&app, "apply", &changed).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{begun:?}");
    assert_eq!(self::ticket(&begun), None);
}

#[tokio::test]
async fn the_secrets_that_are_shown_again_are_those_that_the_stack_has_now() {
    let (app, folder) = with_people().await;
    let page = format!("/deployments/{}", deployment(&app).await);
    let reveal = async || {
        let reply = app.post_form(&format!("{page}/reveal"), "").await;
        let ticket = ticket(&reply).unwrap_or_else(|| panic!("{reply:?}"));
        shown(&page_of(&app, "alice", &page, &ticket).await)
    };
    let before = reveal().await;
    assert_eq!(before.len(), 1);
    offer_token(&app, &folder);
    let changed = [("version", "1.1.0"), ("s.password", "typed-by-alice"), ("s.token", "")];
    assert_eq!(send(&app, "apply", &changed).await.status, StatusCode::SEE_OTHER);
    assert_eq!(reveal().await, before, "the change is under way");
    end(&app).await;
    let after = reveal().await;
    assert_eq!(after.len(), 1, "the password was given: {after:?}");
    assert_eq!(after[0].len(), 32, "{after:?}");
}

#[tokio::test]
async fn a_stack_that_is_gone_is_tried_again_as_it_was_at_its_end() {
    let (app, _folder) = with_stack().await;
    let id = deployment(&app).await;
    send(&app, "apply", &[("p.pages", "30"), ("size", "large")]).await;
    end(&app).await;
    send(&app, "apply", &[("revision", "2"), ("p.pages", "31")]).await;
    fail(&app).await;
    remove(&app).await;
    let form = app.get(&format!("/new/notes?again={id}")).await;
    expect(&form, &["value=\"30\"", "value=\"large\" checked", "value=\"alice\""]);
    let again = app.ask("POST", &format!("/api/deployment/{id}/retry"), &[], "").await;
    assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
    let lease = app.claim().await;
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    let stack = app.get("/api/stacks/alice").await.json()["stack"].clone();
    assert_eq!(stack["parameters"]["pages"], 30, "{stack}");
}

#[tokio::test]
async fn a_failed_change_leads_to_the_settings_with_its_answers() {
    let (app, _folder) = with_stack().await;
    let fields = [("p.pages", "30"), ("size", "large"), ("s.api_key", "canary-7d41")];
    let begun = send(&app, "apply", &fields).await;
    let page = begun.header("location").unwrap();
    let id = page.strip_prefix("/deployments/").unwrap();
    let link = format!("{PAGE}?again={id}");
    assert!(!app.get(page).await.body.contains(&link), "it is under way");
    fail(&app).await;
    expect(&app.get(page).await, &[&format!("href=\"{link}\"")]);

    let form = app.get(&link).await;
    expect(&form, &["value=\"30\"", "value=\"large\" checked", "name=\"revision\" value=\"1\""]);
    expect(&form, &["What you typed is kept", "name=\"k.api_key\""]);
    assert!(!form.body.contains("canary-7d41"), "a secret came back");
    // Nobody else's change fills it, nor does one that there is not.
    for other in [format!("op_{}", "0".repeat(32)), deployment(&app).await] {
        let form = app.get(&format!("{PAGE}?again={other}")).await;
        expect(&form, &["value=\"12\"", "value=\"small\" checked"]);
    }
    let kept = main_of(&form);
    let (_, kept) = kept.split_once("name=\"k.api_key\" value=\"").unwrap();
    let kept = kept.split('"').next().unwrap();
    let again = [("p.pages", "31"), ("k.api_key", kept)];
    let plan = send(&app, "review", &again).await;
    expect(&plan, &["Pages: from 12 to 31", "API key: changed"]);
    assert_eq!(press(&app, &plan, "apply").await.status, StatusCode::SEE_OTHER);
}
