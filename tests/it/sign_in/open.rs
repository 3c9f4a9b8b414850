//! A portal that is open to all has no sign-in.

use axum::http::StatusCode;

use super::portal;

#[tokio::test]
async fn an_open_portal_has_no_sign_in_page() {
    let (app, _site) = portal(&[]);
    for path in ["/sign-in", "/account", "/auth/sign-in", "/auth/callback?code=c&state=s"] {
        assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let home = app.get("/").await;
    assert_eq!(home.status, StatusCode::OK);
    assert!(!home.body.contains("Sign in") && !home.body.contains("/account"), "{home:?}");
}
