//! The page of the audit log.

use std::net::{IpAddr, Ipv4Addr};

use ai_stack_deployer::server::audit::{AuditAction, AuditEntry, AuditLog};
use ai_stack_deployer::server::auth::access::Role;
use axum::http::StatusCode;
use clock::Clock;

use super::expect;
use super::world::{World, count, next_page};
use crate::support::app::Reply;

fn rows(page: &Reply) -> usize {
    count(page, "<tr data-number=")
}

#[tokio::test]
async fn entries_are_filtered_by_actor_action_target_and_time_and_paged() {
    let world = World::new();
    let (mut ann, id) = world.sign_in("Ann Bell", Role::Member).await;
    let (mut olga, _) = world.sign_in("Olga Ost", Role::Operator).await;
    world.start(&mut ann, "alice").await;
    for number in 0..60 {
        let entry = AuditEntry {
            at: world.app.clock.now(),
            who: String::from("guest"),
            act: AuditAction::Start,
            target: Some(format!("stack-{number:02}")),
            from: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))),
            outcome: String::from(if number == 3 { "NAME_TAKEN" } else { "done" }),
        };
        world.app.store.append(&entry).await.unwrap();
    }
    let page = olga.get("/admin/audit").await;
    assert_eq!((page.status, rows(&page)), (StatusCode::OK, 50));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    expect(&page, &["stack-59", "stack-10", "192.0.2.7"], &[">stack-09<"]);
    let page = olga.get(&next_page(&page)).await;
    assert_eq!(rows(&page), 11);
    expect(&page, &["stack-09", "NAME_TAKEN", ">Ann Bell<", ">alice<"], &[">Older<"]);

    for who in [id.as_str(), "ann%20bell"] {
        let page = olga.get(&format!("/admin/audit?who={who}")).await;
        assert_eq!(rows(&page), 1, "{who}");
        expect(&page, &[">alice<", "Started"], &[]);
    }
    assert_eq!(rows(&olga.get("/admin/audit?who=guest&target=stack-03").await), 1);
    assert_eq!(rows(&olga.get("/admin/audit?act=remove").await), 0);
    assert_eq!(rows(&olga.get("/admin/audit?act=start&since=2020-01-01").await), 50);
    let page = olga.get("/admin/audit?since=2999-01-01T00:00:00Z").await;
    expect(&page, &["No matching entries.", "value=\"2999-01-01T00:00:00Z\""], &[]);
    for query in ["since=yesterday", "act=fly", "before=x"] {
        let page = olga.get(&format!("/admin/audit?{query}")).await;
        assert_eq!((page.status, rows(&page)), (StatusCode::BAD_REQUEST, 0), "{query}");
        expect(&page, &["role=\"alert\""], &["No matching entries."]);
    }
}

#[tokio::test]
async fn typed_text_is_shown_and_never_executed() {
    let world = World::new();
    let (mut olga, _) = world.sign_in("Olga Ost", Role::Operator).await;
    let evil = "<script>alert(1)</script>";
    let entry = AuditEntry {
        at: world.app.clock.now(),
        who: String::from("guest"),
        act: AuditAction::Start,
        target: Some(evil.to_owned()),
        from: None,
        outcome: String::from("INVALID_NAME"),
    };
    world.app.store.append(&entry).await.unwrap();
    let query = "/admin/audit?target=%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let page = olga.get(query).await;
    assert_eq!(rows(&page), 1);
    expect(&page, &["&lt;script&gt;alert(1)"], &[evil]);
    let hidden = AuditEntry { target: Some(String::from("a\u{202e}b\u{3164}")), ..entry };
    world.app.store.append(&hidden).await.unwrap();
    let page = olga.get("/admin/audit").await;
    expect(&page, &[">a\\u202eb\\u3164<"], &["a\u{202e}b"]);
    let page = olga.get("/admin?search=%22%3E%3Cscript%3Ealert(1)").await;
    expect(&page, &["No matching operations."], &["<script>alert(1)"]);
}
