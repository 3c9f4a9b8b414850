//! What somebody else wrote stays a text: in the title of a page, and wherever else it is shown.

use std::collections::BTreeSet;
use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditAction, AuditEntry, AuditLog};
use ai_stack_deployer::server::auth::access::Role;
use ai_stack_deployer::server::auth::accounts::{Accounts, Digest, NewSession, Profile};
use clock::Clock;
use domain::owner::OwnerId;

use super::world::World;
use crate::support::app::Reply;
use crate::support::browser::Browser;

/// Texts that would end a title, or begin something else.
const HOSTILE: [&str; 5] = [
    "x</title><meta http-equiv=\"refresh\" content=\"0;url=//evil.example.org\">",
    "</TITLE ><script>alert(1)</script>",
    "x</title/><img src=x onerror=alert(1)>",
    "&lt;/title&gt;<base href=//evil.example.org>",
    "<!--</title><h1 id=evil>",
];

/// Returns the title of a page, which must be the only one and have no element in it, and checks
/// that nothing hostile has become an element.
fn title(page: &Reply) -> String {
    let body = &page.body;
    let (before, rest) = body.split_once("<title>").unwrap_or_else(|| panic!("{page:?}"));
    let (title, after) = rest.split_once("</title>").unwrap();
    assert!(!title.contains('<'), "{title}");
    for part in [before, after] {
        for word in ["<meta http-equiv=\"refresh\"", "<h1 id=evil", "<script>al", "<img", "<base"] {
            assert!(!part.to_lowercase().contains(word), "{word} in {part}");
        }
    }
    title.to_owned()
}

#[tokio::test]
async fn a_hostile_name_stays_a_text_on_every_page() {
    let world = World::new();
    for hostile in HOSTILE {
        let now = world.app.clock.now();
        let profile = Profile {
            issuer: String::from("http://127.0.0.1:9"),
            subject: String::from("x"),
            name: hostile.to_owned(),
            role: Role::Operator,
            email: None,
            groups: BTreeSet::new(),
        };
        let session = NewSession {
            person: OwnerId::person("x"),
            secret: Digest::of(&format!("cookie-{}", hostile.len())),
            begun: now,
            idle_until: now + Duration::from_hours(1),
            ends: now + Duration::from_hours(1),
            audit_entry: None,
        };
        world.app.store.sign_in(&profile, &session).await.unwrap();
        let mut browser = Browser::new(&world.app);
        browser.plant("__Host-session", &format!("cookie-{}", hostile.len()));
        let entry = AuditEntry {
            at: now,
            who: String::from("guest"),
            act: AuditAction::Enter,
            target: Some(hostile.to_owned()),
            from: None,
            outcome: String::from("CROSS_SITE"),
        };
        world.app.store.append(&entry).await.unwrap();
        let name = hostile.replace('&', "&amp;").replace('<', "&lt;");
        let expected = format!("{name} · Account");
        assert_eq!(title(&browser.get("/account").await), expected);
        for path in ["/", "/admin", "/admin/audit", "/deployments/x", "/nothing", "/sign-in"] {
            let page = browser.get(path).await;
            assert!(page.status.is_redirection() || !title(&page).is_empty(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_hostile_query_stays_a_text_on_every_page() {
    let world = World::new();
    let (mut browser, _) = world.sign_in("Olga Ost", Role::Operator).await;
    for hostile in HOSTILE {
        let bytes: Vec<_> = hostile.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let text = bytes.concat();
        for name in ["name", "refused", "return_to", "who", "act", "target", "since", "search"] {
            for path in ["/", "/account", "/admin", "/admin/audit", "/deployments/x", "/sign-in"] {
                let page = browser.get(&format!("{path}?{name}={text}")).await;
                assert!(page.status.is_redirection() || !title(&page).is_empty(), "{path} {name}");
            }
        }
        let page = browser.get(&format!("/deployments/{text}")).await;
        assert!(!title(&page).is_empty(), "{page:?}");
    }
}
