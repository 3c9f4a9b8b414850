//! The operators' pages: what they show, to whom, and what they do.

mod audit;
mod kept;
mod stacks;
mod titles;
mod world;

use std::net::Ipv4Addr;
use std::time::Duration;

use ai_stack_deployer::server::audit::AuditAction;
use ai_stack_deployer::server::auth::access::{Caller, Identity, Role, Scope};
use ai_stack_deployer::server::auth::accounts::{Accounts, Digest};
use ai_stack_deployer::server::platform::AppName;
use ai_stack_deployer::server::reconciler::report::{NotRunning, ReconcileRound, Standstill};
use ai_stack_deployer::server::stacks::admin::{AuditQuery, OperationQuery};
use axum::http::StatusCode;
use clock::Clock;
use domain::owner::OwnerId;
use jiff::Timestamp;

use self::world::{World, count, next_page, text};
use crate::support::app::{Reply, TestApp};
use crate::support::browser::Browser;
use crate::support::people;

/// Checks that a page has each of `words`, and none of `others`.
fn expect(reply: &Reply, words: &[&str], others: &[&str]) {
    let text = text(reply);
    for words in words {
        assert!(text.contains(words), "{words:?} is missing: {text}");
    }
    for words in others {
        assert!(!text.contains(words), "{words:?} is there: {text}");
    }
}

#[tokio::test]
async fn an_operator_sees_the_state_of_the_portal_and_all_operations() {
    let world = World::new();
    let (mut ann, _) = world.sign_in("Ann Bell", Role::Member).await;
    let (mut olga, _) = world.sign_in("Olga Ost", Role::Operator).await;
    let page = olga.get("/admin").await;
    assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, Some("no-store")));
    expect(
        &page,
        &["Nothing is stuck.", "Not compared yet", "No matching operations.", "0 of 200"],
        &[],
    );

    let stuck = world.start(&mut ann, "alice").await;
    world.get_stuck(&world.app.claim().await).await;
    world.start(&mut ann, "bobby").await;
    let at = Timestamp::from_second(1_795_427_270).unwrap();
    let left = vec![String::from("the project lost (p-1) is marked")];
    world.app.reconcile_report.publish(ReconcileRound {
        at,
        left,
        not_running: Vec::new(),
        has_retry: false,
    });
    let page = olga.get("/admin").await;
    let reference = stuck.reference();
    let words = [
        &*reference,
        "docker service rm stack-alice",
        "not retried yet · next attempt at",
        "Differences found at 2026-11-23 09:47:50 UTC:",
        "the project lost (p-1) is marked",
        "1 of 200",
        "Ann Bell",
        "Olga Ost",
        "(operator)",
        "bobby",
        "closed: calls are allowed",
        "memory answers",
    ];
    expect(&page, &words, &["Nothing is stuck.", "No matching operations."]);
    assert_eq!(count(&page, "<tr data-state=\"stuck\">"), 1);
    assert_eq!(count(&page, "<tr data-state=\"active\">"), 1);
    expect(&olga.get("/").await, &["href=\"/admin\""], &[]);
    expect(&ann.get("/").await, &[], &["href=\"/admin\""]);
}

#[tokio::test]
async fn a_live_stack_without_a_container_is_shown_as_not_running() {
    let world = World::new();
    let (mut ann, _) = world.sign_in("Ann Bell", Role::Member).await;
    let (mut olga, _) = world.sign_in("Olga Ost", Role::Operator).await;
    let id = world.start(&mut ann, "alice").await;
    let lease = world.app.claim().await;
    world.app.record(&lease, vec![TestApp::complete("alice")]).await;
    let page = format!("/deployments/{id}");
    expect(&ann.get(&page).await, &["alice is live"], &["not running"]);
    expect(&olga.get("/admin").await, &[">Live"], &["not running"]);

    let at = world.app.clock.now();
    let left = vec![String::from("the stack alice is not running: its service is gone")];
    let found = NotRunning {
        deployment: id.clone(),
        since: at,
        service: AppName(String::from("stack-alice-1")),
        why: Standstill::NoService,
    };
    world.app.reconcile_report.publish(ReconcileRound {
        at,
        left,
        not_running: vec![found],
        has_retry: false,
    });
    let words = ["alice is not running", "ask them", "Remove this stack"];
    expect(&ann.get(&page).await, &words, &["alice is live"]);
    expect(&olga.get("/admin").await, &[", not running", "its service is gone"], &[]);
    let cookie = World::cookie("Ann Bell");
    let stacks =
        async || world.app.ask("GET", "/api/stacks", &[("cookie", &cookie)], "").await.json();
    let listed = stacks().await;
    let stack = &listed["stacks"][0];
    assert!(stack["health"]["seen"].as_str().unwrap().starts_with("20"), "{stack}");
    assert_eq!(
        (&stack["state"], &stack["health"]["state"]),
        (&"live".into(), &"not_running".into())
    );

    world.app.reconcile_report.publish(ReconcileRound {
        at,
        left: Vec::new(),
        not_running: Vec::new(),
        has_retry: false,
    });
    expect(&ann.get(&page).await, &["alice is live"], &["not running"]);
    let listed = stacks().await;
    assert!(listed["stacks"][0]["health"].is_null(), "{listed}");
}

#[tokio::test]
async fn the_page_is_hidden_from_everybody_else() {
    let world = World::new();
    let (mut ann, _) = world.sign_in("Ann Bell", Role::Member).await;
    let stuck = world.start(&mut ann, "alice").await;
    world.get_stuck(&world.app.claim().await).await;
    let due = world.due(&stuck).await;
    for path in ["/admin", "/admin/audit", "/admin?state=live"] {
        let page = ann.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        expect(&page, &["Page not found"], &["alice", "Operations", "Audit log"]);
        let cookie = World::cookie("Ann Bell");
        let reply = world.app.ask("GET", path, &[("cookie", &cookie)], "").await;
        assert_eq!(reply.error(), "404 NOT_FOUND", "{path}");
        let stranger = Browser::new(&world.app).get(path).await;
        assert_eq!(stranger.status, StatusCode::SEE_OTHER, "{path}");
        assert!(stranger.header("location").unwrap().starts_with("/sign-in?return_to=%2Fadmin"));
    }
    let reply = ann.post("/admin/stuck/retry", &format!("id={stuck}")).await;
    assert_eq!(reply.error(), "404 NOT_FOUND");
    assert_eq!(world.due(&stuck).await, due, "nothing is retried");
    let entered = world.entries(AuditAction::Enter).await;
    assert_eq!(entered.len(), 1, "it is audited once an hour: {entered:?}");
    assert!(world.entries(AuditAction::RetryCleanUp).await.is_empty());
}

/// Even if a caller was authenticated.
#[tokio::test]
async fn each_use_case_rejects_everybody_else_itself() {
    let world = World::new();
    let (mut ann, owner) = world.sign_in("Ann Bell", Role::Member).await;
    let stuck = world.start(&mut ann, "alice").await;
    world.get_stuck(&world.app.claim().await).await;
    let due = world.due(&stuck).await;
    let service = &world.app.service;
    for identity in [
        Identity::Person { owner: owner.clone(), role: Role::Member },
        Identity::Program { owner, scope: Scope::Deploy },
        Identity::Browser(OwnerId::browser("00")),
        Identity::Anonymous,
        Identity::Unauthenticated,
    ] {
        let address = Ipv4Addr::LOCALHOST.into();
        let caller = Caller { identity, address, until: None };
        assert!(service.overview(&caller).await.is_err(), "{caller:?}");
        let query = OperationQuery::default();
        assert!(service.operations(&caller, &query).await.is_err(), "{caller:?}");
        assert!(service.audit(&caller, &AuditQuery::default()).await.is_err(), "{caller:?}");
        assert!(service.retry_clean_up(&caller, stuck.as_str()).await.is_err(), "{caller:?}");
        assert!(service.revoke_access(&caller, "person:AnnBell").await.is_err(), "{caller:?}");
    }
    assert_eq!(ann.get("/account").await.status, StatusCode::OK, "nobody's access was revoked");
    assert_eq!(world.due(&stuck).await, due);
}

#[tokio::test]
async fn operations_are_filtered_by_person_state_and_name_and_paged() {
    let world = World::new();
    let (_, ann) = world.sign_in("Ann Bell", Role::Member).await;
    let (_, bob) = world.sign_in("Bob Dean", Role::Member).await;
    let (mut olga, _) = world.sign_in("Olga Ost", Role::Operator).await;
    for number in 0..60 {
        world.app.clock.advance(Duration::from_secs(1));
        let owner = if number % 3 == 0 { &ann } else { &bob };
        world.begin(&format!("stack-{number:02}"), owner).await;
    }
    world.get_stuck(&world.app.claim().await).await;

    let rows = |page: &Reply| count(page, "<tr data-state=");
    let page = olga.get("/admin").await;
    assert_eq!(rows(&page), 50);
    expect(&page, &["stack-59", "stack-10"], &[">stack-09<"]);
    let page = olga.get(&next_page(&page)).await;
    assert_eq!(rows(&page), 10);
    expect(&page, &["stack-09", "stack-00"], &[">stack-10<", ">Older<"]);

    let page = olga.get(&format!("/admin?owner={ann}")).await;
    assert_eq!(rows(&page), 20);
    expect(&page, &["stack-57", "selected"], &[">stack-58<", ">Older<"]);
    assert_eq!(rows(&olga.get("/admin?state=stuck").await), 1);
    assert_eq!(rows(&olga.get("/admin?state=active&search=%20STACK-1").await), 10);
    let id = world.app.store.records()[7].deployment.id.clone();
    let page = olga.get(&format!("/admin?search={id}")).await;
    assert_eq!(rows(&page), 1);
    expect(&page, &["stack-07"], &[]);
    for query in ["owner=x", "state=gone", "before=x"] {
        let page = olga.get(&format!("/admin?{query}")).await;
        assert_eq!((page.status, rows(&page)), (StatusCode::BAD_REQUEST, 0), "{query}");
        expect(&page, &["role=\"alert\""], &["No matching operations."]);
    }
}

#[tokio::test]
async fn a_stuck_clean_up_is_made_due_at_once_and_audited() {
    let world = World::new();
    let (mut ann, _) = world.sign_in("Ann Bell", Role::Member).await;
    let (mut olga, operator) = world.sign_in("Olga Ost", Role::Operator).await;
    let id = world.start(&mut ann, "alice").await;
    let lease = world.app.claim().await;
    let form = format!("id={id}");
    let reply = olga.post("/admin/stuck/retry", &form).await;
    assert_eq!(reply.header("location"), Some("/admin?refused=NOT_STUCK"));
    let page = olga.follow(reply).await;
    expect(&page, &["This operation is no longer stuck"], &[]);

    world.get_stuck(&lease).await;
    assert!(world.due(&id).await > Some(world.app.clock.now()));
    let reply = olga.post("/admin/stuck/retry", &form).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.header("location"), Some("/admin?retried=1#stuck"));
    assert!(world.due(&id).await <= Some(world.app.clock.now()));
    let page = olga.get("/admin?retried=1").await;
    expect(&page, &["The clean-up starts now.", "next attempt now"], &[]);
    let reply = olga.post("/admin/stuck/retry", "").await;
    assert_eq!(reply.header("location"), Some("/admin?refused=NOT_FOUND"));

    let entries = world.entries(AuditAction::RetryCleanUp).await;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.who.as_str(), entry.target.as_deref().unwrap(), &*entry.outcome))
        .collect();
    let (who, id) = (operator.as_str(), id.as_str());
    let expected = [(who, "", "NOT_FOUND"), (who, id, "done"), (who, id, "NOT_STUCK")];
    assert_eq!(told, expected, "the last one first");
}

#[tokio::test]
async fn an_operator_who_views_an_operation_of_others_is_audited_once_an_hour() {
    let world = World::new();
    let (mut ann, _) = world.sign_in("Ann Bell", Role::Member).await;
    let (mut olga, operator) = world.sign_in("Olga Ost", Role::Operator).await;
    let theirs = world.start(&mut ann, "alice").await;
    let own = world.start(&mut olga, "bobby").await;
    ann.get(&format!("/deployments/{theirs}")).await;
    olga.get(&format!("/deployments/{own}")).await;
    assert!(world.entries(AuditAction::Inspect).await.is_empty());
    for _ in 0..3 {
        let page = olga.get(&format!("/deployments/{theirs}")).await;
        assert_eq!(page.status, StatusCode::OK);
    }
    let entries = world.entries(AuditAction::Inspect).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0].who, operator.as_str());
    assert_eq!(entries[0].target.as_deref(), Some(theirs.as_str()));
    world.app.clock.advance(Duration::from_mins(61));
    olga.get(&format!("/deployments/{theirs}")).await;
    assert_eq!(world.entries(AuditAction::Inspect).await.len(), 2);
}

#[tokio::test]
async fn an_operator_revokes_the_access_of_a_person_and_that_is_audited() {
    let world = World::new();
    let (mut ann, person) = world.sign_in("Ann Bell", Role::Member).await;
    let (mut bob, _) = world.sign_in("Bob Dean", Role::Member).await;
    let (mut olga, operator) = world.sign_in("Olga Ost", Role::Operator).await;
    let now = world.app.clock.now();
    people::add_token(&*world.app.store, person.clone(), "t1", Scope::Deploy, now).await;
    let form = format!("id={person}");
    let reply = ann.post("/admin/people/sign-out", &form).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "not even herself");

    let page = olga.get("/admin").await;
    expect(&page, &["Sign out everywhere", &format!("value=\"{person}\"")], &[]);
    let reply = olga.post("/admin/people/sign-out", &form).await;
    assert_eq!(reply.header("location"), Some("/admin?signed_out=1#people"));
    let page = olga.get("/admin?signed_out=1").await;
    expect(
        &page,
        &["All sessions of this person are ended, and their API tokens are revoked."],
        &[],
    );
    assert_eq!(ann.get("/account").await.status, StatusCode::SEE_OTHER);
    assert_eq!(bob.get("/account").await.status, StatusCode::OK);
    assert_eq!(world.app.store.token(&Digest::of("asd_t1"), now).await.unwrap(), None);
    for (id, code) in [
        (person.as_str(), "NOT_SIGNED_IN"),
        ("person:nobody", "NOT_SIGNED_IN"),
        ("browser:00ff", "NO_SUCH_PERSON"),
        ("", "NO_SUCH_PERSON"),
    ] {
        let reply = olga.post("/admin/people/sign-out", &format!("id={id}")).await;
        assert_eq!(reply.header("location"), Some(format!("/admin?refused={code}").as_str()));
        let page = olga.follow(reply).await;
        expect(&page, &["role=\"alert\""], &["The portal could not complete the request"]);
    }
    let entries = world.entries(AuditAction::RevokeAccess).await;
    let first = entries.last().unwrap();
    let told = (first.who.as_str(), first.target.as_deref(), &*first.outcome);
    assert_eq!(told, (operator.as_str(), Some(person.as_str()), "done"));
    assert_eq!(entries.len(), 3, "each refusal is recorded once an hour");
}
