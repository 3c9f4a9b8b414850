//! What thieves get: of the database without the key, and of what other people's pages contain.

use std::time::Duration;

use ai_stack_deployer::server::auth::access::Role;
use axum::http::Method;
use serde_json::{Value, json};

use super::pages::{between, browse, cookies};
use super::people::{portal, send, sign_in};
use super::secrets::{cookie, form, id_of, with_required_key};
use super::{NOTES, json_of, post, put};
use crate::canary::marks::Marks;
use crate::support::app::TestApp;
use crate::support::process::{PortalDir, id_in};

const GIVEN: &str = "stolen-key/\"one\"+<é>";
const KEPT: &str = "stolen-key/\"two\"+<é>";

#[test]
fn a_database_without_the_key_gives_no_secret_away() {
    let (owner, thief) = (PortalDir::new(), PortalDir::new());
    for dir in [&owner, &thief] {
        put(&dir.path().join("catalogue"), "notes", &with_required_key());
    }
    let folder = |dir: &PortalDir| dir.path().join("catalogue").display().to_string();
    let running = owner.start(&[("CATALOGUE", &folder(&owner))]);
    let body = json!({ "name": "alice", "secrets": { "api_key": GIVEN } });
    let (_, answer) = post(owner.port, "/api/deploy", &body);
    let password = json_of(&answer)["generated"]["password"].as_str().unwrap().to_owned();
    owner.wait_for_event(&id_in(&answer, "dep_"), "event: complete");
    let browser = cookies(&browse(owner.port, "GET /new/notes", "", "").0);
    let wrong = form(&[("name", "bobby"), ("p.pages", "501"), ("s.api_key", KEPT)]);
    let (_, page) = browse(owner.port, "POST /new/notes", &browser, &wrong);
    let kept = between(&page, r#"name="k.api_key" value=""#, "\"").to_owned();
    let right = form(&[("name", "bobby"), ("k.api_key", &kept)]);
    let (head, _) = browse(owner.port, "POST /new/notes", &browser, &right);
    let (path, ticket) = (between(&head, "location: ", "\r\n").to_owned(), cookies(&head));
    assert_eq!(running.end().0, Some(0));

    // The file itself has none, in no encoding.
    let mut copied = 0;
    let marks = Marks::new([GIVEN, KEPT, password.as_str()].into_iter());
    for name in ["portal.db", "portal.db-wal"] {
        let Ok(bytes) = std::fs::read(owner.path().join(name)) else { continue };
        assert_eq!(marks.found_in(&String::from_utf8_lossy(&bytes)), None, "in {name}");
        std::fs::write(thief.path().join(name), bytes).unwrap();
        copied += 1;
    }
    assert!(copied > 0 && owner.path().join("portal.key").exists());

    // Nor does a portal with another key open any.
    let _running = thief.start(&[("CATALOGUE", &folder(&thief))]);
    let cookies = format!("{browser}; {ticket}");
    let (head, page) = browse(thief.port, &format!("GET {path}"), &cookies, "");
    assert!(head.starts_with("HTTP/1.1 200") && !page.contains("fresh-token__secret"), "{page}");
    assert_eq!(marks.found_in(&page), None);
    let fields = form(&[("name", "carol"), ("k.api_key", &kept)]);
    let (_, verdict) = browse(thief.port, "POST /new/notes/check", &browser, &fields);
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!(verdict["fields"]["api_key"]["code"], "SECRETS_EXPIRED", "{verdict}");
}

#[tokio::test]
async fn what_the_pages_of_one_person_contain_is_of_no_use_to_another() {
    let (app, _dir) = portal(&[("notes", NOTES.to_owned())]);
    for (who, role) in [("alice", Role::Member), ("bob", Role::Member), ("olga", Role::Operator)] {
        sign_in(&app, who, role, &[], None).await;
    }
    let wrong = form(&[("name", "livey"), ("p.pages", "501"), ("s.api_key", GIVEN)]);
    let refused = send(&app, "alice", Method::POST, "/new/notes", &wrong).await;
    let kept = between(&refused.body, r#"name="k.api_key" value=""#, "\"").to_owned();
    let started = send(&app, "alice", Method::POST, "/new/notes", "name=livey").await;
    let (id, ticket) = (id_of(&started), cookie(&started, "__Host-generated").unwrap());
    app.record(&app.claim().await, vec![TestApp::complete("livey")]).await;
    let page = format!("/deployments/{id}");
    let revealed = send(&app, "alice", Method::POST, &format!("{page}/reveal"), "").await;
    let again = cookie(&revealed, "__Host-generated").unwrap();

    for who in ["bob", "olga", "nobody"] {
        for ticket in [&ticket, &again] {
            let with_ticket = format!("{who}; {ticket}");
            let shown = send(&app, &with_ticket, Method::GET, &page, "").await.body;
            assert!(!shown.contains("fresh-token__secret"), "{who}: {shown}");
        }
        let reply = send(&app, who, Method::POST, &format!("{page}/reveal"), "").await;
        assert_eq!(cookie(&reply, "__Host-generated"), None, "{who}: {reply:?}");
        let filled = send(&app, who, Method::GET, &format!("/new/notes?again={id}"), "").await;
        assert!(!filled.body.contains("livey"), "{who}: {filled:?}");
    }
    // A field that was sealed for Alice opens neither for Bob, nor for another question.
    for (who, field) in [("bob", "k.api_key"), ("olga", "k.api_key"), ("alice", "k.password")] {
        let fields = form(&[("name", "other"), (field, &kept)]);
        let reply = send(&app, who, Method::POST, "/new/notes/check", &fields).await.json();
        let key = field.strip_prefix("k.").unwrap();
        assert_eq!(reply["fields"][key]["code"], "SECRETS_EXPIRED", "{who}: {reply}");
    }
    // Nor is a ticket for one stack good for another.
    let other = send(&app, "alice", Method::POST, "/new/notes", "name=second").await;
    let path = format!("/deployments/{}", id_of(&other));
    let shown = send(&app, &format!("alice; {ticket}"), Method::GET, &path, "").await;
    assert!(!shown.body.contains("fresh-token__secret"), "{shown:?}");
    let shown = send(&app, &format!("alice; {ticket}"), Method::GET, &page, "").await;
    assert!(shown.body.contains("fresh-token__secret"), "{shown:?}");
}

#[tokio::test]
async fn an_operator_who_tries_a_start_again_learns_no_new_secret() {
    let (app, _dir) = portal(&[("notes", NOTES.to_owned())]);
    let sign_both_in = async || {
        sign_in(&app, "alice", Role::Member, &[], None).await;
        sign_in(&app, "olga", Role::Operator, &[], None).await;
    };
    for (who, is_told) in [("olga", false), ("alice", true)] {
        sign_both_in().await;
        let name = format!("name={who}-tries");
        let started = send(&app, "alice", Method::POST, "/new/notes", &name).await;
        let id = id_of(&started);
        app.record(&app.claim().await, vec![app.failure()]).await;
        app.clock.advance(Duration::from_secs(3_601));
        sign_both_in().await;
        let path = format!("/api/deployment/{id}/retry");
        let reply = send(&app, who, Method::POST, &path, "").await;
        assert_eq!(reply.status, 201, "{who}: {reply:?}");
        let generated = reply.json().get("generated").is_some();
        assert_eq!(generated, is_told, "{who}: {}", reply.body);
        app.record(&app.claim().await, vec![app.failure()]).await;
    }
}
