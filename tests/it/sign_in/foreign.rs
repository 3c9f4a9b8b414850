//! Credentials that are not the portal's: they are none.

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};

use super::world::World;
use crate::support::app::{Reply, TestApp};
use crate::support::browser::Browser;

async fn ask(app: &TestApp, path: &str, headers: &[(&'static str, &[u8])]) -> Reply {
    let mut request = Request::get(path).header(header::ACCEPT, "text/html");
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn credentials_for_a_proxy_in_front_do_not_disturb_a_session() {
    let world = World::new().await;
    let mut browser = Browser::new(&world.app);
    world.sign_in(&mut browser, "1234").await;
    let session = browser.cookie("__Host-session").unwrap();
    let cookies = format!("__Host-session={session}").into_bytes();
    let before = [&b"theme=d\xfcnn; "[..], &cookies].concat();
    let after = [&cookies[..], b"; theme=\xff"].concat();
    for cookie in [&cookies, &before, &after] {
        for authorization in [
            &b"Basic YTpi"[..],
            b"Bearer eyJhbGciOiJub25lIn0.e30.",
            b"Negotiate x",
            b"\xff",
            b"Bearer",
        ] {
            let headers = [("authorization", authorization), ("cookie", &cookie[..])];
            let reply = ask(&world.app, "/account", &headers).await;
            assert_eq!(reply.status, StatusCode::OK, "{headers:?}");
        }
        let reply = ask(&world.app, "/account", &[("cookie", &cookie[..])]).await;
        assert_eq!(reply.status, StatusCode::OK, "{cookie:?}");
    }
    // What claims to be ours is checked, whatever stands beside it.
    for authorization in [&b"Bearer asd_wrong"[..], b"bearer asd_\xff"] {
        let headers = [("authorization", authorization), ("cookie", &cookies[..])];
        let reply = ask(&world.app, "/account", &headers).await;
        assert_eq!(reply.error(), "401 TOKEN_INVALID");
    }
    let both = [("authorization", &b"Basic YTpi"[..]), ("authorization", &b"Bearer asd_wrong"[..])];
    assert_eq!(ask(&world.app, "/api/stacks", &both).await.error(), "401 TOKEN_INVALID");
}

#[tokio::test]
async fn without_a_session_foreign_credentials_lead_to_the_sign_in() {
    let world = World::new().await;
    for authorization in [&b"Basic YTpi"[..], b"Bearer eyJ", b"\xff"] {
        let reply = ask(&world.app, "/account", &[("authorization", authorization)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn a_byte_that_cannot_be_read_does_not_make_a_client_its_proxy() {
    let app = TestApp::with(&[
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("CHECK_RATE_LIMIT", "1"),
        ("HOST", "0.0.0.0"),
        ("AUTH", "open"),
    ]);
    let cases: [(&[u8], StatusCode); 4] = [
        (b"\xff, 192.0.2.1", StatusCode::OK),
        (b"\xfc\xfe, 192.0.2.2", StatusCode::OK),
        (b"192.0.2.1", StatusCode::TOO_MANY_REQUESTS),
        (b"\xff,192.0.2.2", StatusCode::TOO_MANY_REQUESTS),
    ];
    for (client, expected) in cases {
        let reply = ask(&app, "/api/check/alice", &[("x-forwarded-for", client)]).await;
        assert_eq!(reply.status, expected, "{client:?}");
    }
}
