//! What templates ask of people, and what only the owner of a stack gets: groups, names and addresses
//! in answers, and generated secrets that are shown again.

use std::collections::BTreeSet;
use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditAction, AuditFilter, AuditLog as _};
use ai_stack_deployer::server::auth::access::Role;
use ai_stack_deployer::server::auth::accounts::{Accounts as _, Digest, NewSession, Profile};
use ai_stack_deployer::server::store::Specs as _;
use axum::body::Body;
use axum::http::{Method, Request, header};
use clock::Clock as _;
use domain::deployment::DeploymentId;
use domain::event::{EventBody, Gone, RemovalCompletion};
use domain::owner::OwnerId;
use domain::receipt::Receipt;
use domain::stack_id::RevisionId;
use domain::template::parameter::Value;
use serde_json::json;
use tempfile::TempDir;

use super::secrets::cookie;
use super::{NOTES, put};
use crate::support::app::{Reply, TestApp};
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};

/// Questions that the person's profile answers.
const PERSONAL: &str = r#"
[[parameter]]
key = "email"
type = "string"
label = "E-mail"
env = "NOTES_EMAIL"
from = "person.email"

[[parameter]]
key = "owner"
type = "string"
label = "Owner"
env = "NOTES_OWNER"
from = "person.name"
"#;

/// A portal with sign-in and these templates.
pub(super) fn portal(templates: &[(&str, String)]) -> (TestApp, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("catalogue");
    for (id, text) in templates {
        put(&folder, id, text);
    }
    let variables = [
        ("AUTH", "oidc"),
        ("OIDC_ISSUER", "http://127.0.0.1:9"),
        ("OIDC_CLIENT_ID", "portal"),
        ("CATALOGUE", folder.to_str().unwrap()),
    ];
    (TestApp::with_pages(&variables, dir.path()), dir)
}

/// Signs somebody in, whose cookie is their name.
pub(crate) async fn sign_in(
    app: &TestApp,
    name: &str,
    role: Role,
    groups: &[&str],
    email: Option<&str>,
) {
    let now = app.clock.now();
    let profile = Profile {
        issuer: String::from("http://127.0.0.1:9"),
        subject: name.to_owned(),
        name: format!("{name} Example"),
        role,
        email: email.map(str::to_owned),
        groups: groups.iter().map(|group| (*group).to_owned()).collect::<BTreeSet<_>>(),
    };
    let session = NewSession {
        person: OwnerId::person(name),
        secret: Digest::of(name),
        begun: now,
        idle_until: now + Duration::from_hours(1),
        ends: now + Duration::from_hours(8),
        audit_entry: None,
    };
    app.store.sign_in(&profile, &session).await.unwrap();
}

/// Sends a request of a person, as a page does.
pub(super) async fn send(
    app: &TestApp,
    who: &str,
    method: Method,
    path: &str,
    body: &str,
) -> Reply {
    let accept = if path.starts_with("/api/") { "application/json" } else { "text/html" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::COOKIE, format!("__Host-session={who}"))
        .header(header::ACCEPT, accept);
    app.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn deploy(app: &TestApp, who: &str, name: &str, template: &str) -> Reply {
    let body = json!({ "name": name, "template": template }).to_string();
    send(app, who, Method::POST, "/api/deploy", &body).await
}

#[tokio::test]
async fn a_template_with_groups_exists_for_their_members_alone() {
    let staff = NOTES.replacen("version =", "groups = [\"/staff\"]\nversion =", 1);
    let (app, _dir) = portal(&[("notes", staff)]);
    sign_in(&app, "alice", Role::Member, &["staff"], None).await;
    sign_in(&app, "bob", Role::Member, &["guests"], None).await;
    sign_in(&app, "olga", Role::Operator, &[], None).await;
    for (who, is_offered) in [("alice", true), ("bob", false), ("olga", true)] {
        let listed = send(&app, who, Method::GET, "/api/templates", "").await.json();
        let count = usize::from(is_offered);
        assert_eq!(listed["templates"].as_array().unwrap().len(), count, "{who}: {listed}");
        for path in ["/api/templates/notes/schema", "/new/notes"] {
            let status = send(&app, who, Method::GET, path, "").await.status;
            assert_eq!(status, if is_offered { 200 } else { 404 }, "{who} {path}");
        }
        let reply = deploy(&app, who, &format!("{who}-one"), "notes").await;
        assert_eq!(reply.status, if is_offered { 201 } else { 404 }, "{who}: {}", reply.body);
        // One that does not exist is answered alike.
        let unknown = deploy(&app, who, &format!("{who}-two"), "other").await;
        assert_eq!(unknown.status, 404);
        assert!(is_offered || unknown.body == reply.body, "{}", reply.body);
    }
}

#[tokio::test]
async fn answers_come_from_the_person_who_starts_the_stack() {
    let (app, _dir) = portal(&[("notes", format!("{NOTES}{PERSONAL}"))]);
    sign_in(&app, "alice", Role::Member, &[], Some("alice@example.org")).await;
    sign_in(&app, "bob", Role::Member, &[], None).await;
    for (who, email) in [("alice", Some("alice@example.org")), ("bob", None)] {
        let page = send(&app, who, Method::GET, "/new/notes", "").await.body;
        let value = format!(r#"name="p.email" type="text" value="{}""#, email.unwrap_or_default());
        assert!(page.contains(&value), "{page}");
        let reply = deploy(&app, who, &format!("{who}-one"), "notes").await.json();
        let id = DeploymentId::parse(reply["deploymentId"].as_str().unwrap()).unwrap();
        let spec = app.store.spec(RevisionId::first_of(&id)).await.unwrap().unwrap().spec;
        let text = |text: String| Some(Value::Text(text));
        assert_eq!(spec.values["email"], email.map(str::to_owned).and_then(text), "{who}");
        assert_eq!(spec.values["owner"], text(format!("{who} Example")));
    }
}

#[tokio::test]
async fn generated_secrets_are_shown_again_to_their_owner_soon_after_a_sign_in() {
    let (app, _dir) = portal(&[("notes", NOTES.to_owned())]);
    for (who, role) in [("alice", Role::Member), ("bob", Role::Member), ("olga", Role::Operator)] {
        sign_in(&app, who, role, &[], None).await;
    }
    let body = json!({ "name": "livey", "template": "notes", "secrets": { "api_key": "given-1" } });
    let started = send(&app, "alice", Method::POST, "/api/deploy", &body.to_string()).await.json();
    let password = started["generated"]["password"].as_str().unwrap().to_owned();
    let page = format!("/deployments/{}", started["deploymentId"].as_str().unwrap());
    let form = "name=byform&p.pages=5&s.api_key=given-1";
    let pressed = send(&app, "alice", Method::POST, "/new/notes", form).await;
    let ticket = cookie(&pressed, "__Host-generated").unwrap();
    let by_form = pressed.header("location").unwrap();
    let shown = send(&app, &format!("alice; {ticket}"), Method::GET, by_form, "").await.body;
    assert!(shown.contains("fresh-token__secret") && !shown.contains("only once"), "{shown}");
    let reveal = format!("{page}/reveal");
    let ask = async |who: &str| send(&app, who, Method::POST, &reveal, "").await;
    let refused = |reply: &Reply| reply.header("location").unwrap().to_owned();
    assert_eq!(refused(&ask("alice").await), format!("{page}?refused=NOT_FOUND"), "not live");
    let lease = app.claim().await;
    app.record(&lease, vec![TestApp::complete("livey")]).await;

    for other in ["bob", "olga"] {
        assert_eq!(refused(&ask(other).await), format!("{page}?refused=NOT_FOUND"), "{other}");
        let shown = send(&app, other, Method::GET, &page, "").await.body;
        assert!(!shown.contains("/reveal"), "{other} is offered it");
    }
    let shown = send(&app, "alice", Method::GET, &page, "").await.body;
    assert!(shown.contains(&reveal) && !shown.contains(&password), "{shown}");
    let reply = ask("alice").await;
    assert_eq!((reply.status.as_u16(), refused(&reply)), (303, page.clone()));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let cookie = reply.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let with_cookie = format!("alice; {cookie}");
    let shown = send(&app, &with_cookie, Method::GET, &page, "").await.body;
    assert!(shown.contains(&password), "{shown}");
    assert!(!shown.contains("only once") && shown.contains("shown again within"), "{shown}");
    assert!(!shown.contains("given-1"), "a secret that was given is shown");

    let filter = AuditFilter { act: Some(AuditAction::Reveal), limit: 9, ..AuditFilter::default() };
    let entries = app.store.entries(&filter).await.unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0].1.who, "person:alice");

    app.clock.advance(Duration::from_secs(601));
    assert_eq!(refused(&ask("alice").await), format!("{page}?refused=SIGN_IN_AGAIN"));
    let shown =
        send(&app, "alice", Method::GET, &format!("{page}?refused=SIGN_IN_AGAIN"), "").await;
    assert!(shown.body.contains("Sign in again, and ask for them then."), "{}", shown.body);
    sign_in(&app, "alice", Role::Member, &[], None).await;
    assert_eq!(refused(&ask("alice").await), page);
}

#[tokio::test]
async fn the_check_of_a_form_says_that_a_name_is_held_as_the_start_does() {
    let (app, _dir) = portal(&[("notes", NOTES.to_owned())]);
    for who in ["alice", "bob"] {
        sign_in(&app, who, Role::Member, &[], None).await;
    }
    let check = async |who: &str, name: &str| {
        let body = format!("name={name}");
        let verdict = send(&app, who, Method::POST, "/new/notes/check", &body).await.json();
        verdict["fields"]["name"].clone()
    };
    assert_eq!(deploy(&app, "alice", "livey", "notes").await.status, 201);
    assert_eq!(check("bob", "livey").await["code"], "NAME_TAKEN");
    let lease = app.claim().await;
    app.record(&lease, vec![TestApp::complete("livey")]).await;
    let removal = send(&app, "alice", Method::DELETE, "/api/stacks/livey", "").await;
    assert_eq!(removal.status, 202, "{removal:?}");
    let (now, ttl) = (app.clock.now(), Duration::from_mins(1));
    let lease = app.store.claim_one(CLEAN_UP, "test", now, ttl).await.unwrap().unwrap();
    let (status, receipt) = (Gone::Removed, Receipt::of(Vec::new()));
    app.record(&lease, vec![EventBody::Removed(RemovalCompletion { status, receipt })]).await;

    let started = deploy(&app, "bob", "livey", "notes").await;
    assert_eq!(started.error(), "409 NAME_HELD");
    let checked = check("bob", "livey").await;
    assert_eq!(checked["code"], "NAME_HELD", "{checked}");
    assert_eq!(checked["message"], started.json()["error"]);
    assert!(check("alice", "livey").await.is_null(), "it is held for her");
}
