//! A portal that is open to all has no way in, and needs none.

use axum::http::StatusCode;

use super::portal;

#[tokio::test]
async fn where_everybody_may_in_there_is_nothing_to_sign_in_to() {
    let (app, _site) = portal(&[]);
    for path in ["/sign-in", "/account", "/auth/sign-in", "/auth/callback?code=c&state=s"] {
        assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let home = app.get("/").await;
    assert_eq!(home.status, StatusCode::OK);
    assert!(!home.body.contains("Sign in") && !home.body.contains("/account"), "{home:?}");
}
