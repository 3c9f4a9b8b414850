//! A provider that does not answer: nobody can sign in, and everything else works.

use std::time::Duration;

use axum::http::StatusCode;
use wiremock::ResponseTemplate;

use super::portal;
use crate::support::browser::Browser;
use crate::support::fake_provider::{DISCOVERY, FakeProvider};
use crate::support::process::{PortalDir, free_port};

const REFUSED: &str = "/sign-in?refused=PROVIDER_UNREACHABLE&return_to=%2Fdeployments%2Fdep_1";

#[tokio::test]
async fn the_page_says_that_the_provider_does_not_answer_and_the_portal_is_healthy() {
    let fake = FakeProvider::start().await;
    let mut variables = fake.variables();
    variables[1].1 = format!("http://127.0.0.1:{}", free_port());
    let (app, _site) = portal(&variables);
    let mut browser = Browser::new(&app);
    let reply = browser.get("/auth/sign-in?return_to=%2Fdeployments%2Fdep_1").await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.header("location"), Some(REFUSED));
    let page = browser.follow(reply).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Example Ltd does not answer"), "{page:?}");
    assert!(page.body.contains("/auth/sign-in?return_to=%2Fdeployments%2Fdep_1"), "{page:?}");
    assert_eq!(app.get("/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_provider_that_is_back_is_contacted_again_after_a_pause() {
    let fake = FakeProvider::start().await;
    let (app, _site) = portal(&fake.variables());
    let mut browser = Browser::new(&app);
    let address = "/auth/sign-in?return_to=%2Fdeployments%2Fdep_1";
    fake.answer(DISCOVERY, ResponseTemplate::new(503));
    for _ in 0..3 {
        let reply = browser.get(address).await;
        assert_eq!(reply.header("location"), Some(REFUSED));
    }
    assert_eq!(fake.count(DISCOVERY).await, 1, "nobody waits for it within the pause");
    fake.redirect_back();
    app.clock.advance(Duration::from_secs(5));
    let reply = browser.get(address).await;
    let location = reply.header("location").unwrap();
    assert!(location.starts_with(&format!("{}/authorize?", fake.issuer())), "{location}");
    // Its metadata is kept, even if it does not answer again.
    fake.answer(DISCOVERY, ResponseTemplate::new(503));
    app.clock.advance(Duration::from_hours(2));
    let reply = browser.get(address).await;
    assert!(reply.header("location").unwrap().starts_with(&fake.issuer()), "{reply:?}");
    assert_eq!(fake.count(DISCOVERY).await, 3);
}

#[tokio::test]
async fn check_says_whether_people_can_sign_in() {
    let fake = FakeProvider::start().await;
    let portal_dir = PortalDir::new();
    let check = |issuer: &str| {
        let mut variables = fake.variables();
        variables[1].1 = issuer.to_owned();
        let mut command = portal_dir.command(&[]);
        command.envs(variables).arg("check").output().unwrap()
    };
    let well = check(&fake.issuer());
    assert!(well.status.success(), "{well:?}");
    let callback = format!("http://127.0.0.1:{}/auth/callback", portal_dir.port);
    assert!(String::from_utf8_lossy(&well.stdout).contains(&callback), "{well:?}");
    let away = check(&format!("http://127.0.0.1:{}", free_port()));
    assert_eq!(away.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&away.stdout).contains("Nobody can sign in at"), "{away:?}");
}
