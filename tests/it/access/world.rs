//! A portal where people sign in, with every kind of caller and an operation of Alice's in every
//! state.

use std::path::Path;

use ai_stack_deployer::server::auth::access::{Role, Scope};
use ai_stack_deployer::server::auth::accounts::Accounts as _;
use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{Method, Request, header};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use serde_json::json;
use tempfile::TempDir;

use crate::support::app::{Reply, TestApp};
use crate::support::people;

/// Every kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// A client that has not signed in.
    Anonymous,
    /// Alice, who owns all operations.
    Owner,
    /// Bob.
    Other,
    /// A program with a token of Alice's that allows reading.
    Read,
    /// A program with a token of Alice's that allows deploying.
    Deploy,
    /// Olga, an operator.
    Operator,
    /// A program with a revoked token of Alice's.
    Revoked,
}

impl Who {
    /// All callers, in the order of the matrix's columns.
    pub(super) const ALL: [Self; 7] = [
        Self::Anonymous,
        Self::Owner,
        Self::Other,
        Self::Read,
        Self::Deploy,
        Self::Operator,
        Self::Revoked,
    ];

    /// Adds the credentials of this caller to `request`.
    pub(super) fn shown(self, request: Builder) -> Builder {
        match self {
            Self::Anonymous => request,
            Self::Owner => request.header(header::COOKIE, "__Host-session=alice"),
            Self::Other => request.header(header::COOKIE, "__Host-session=bob"),
            Self::Operator => request.header(header::COOKIE, "__Host-session=olga"),
            Self::Read => request.header(header::AUTHORIZATION, "Bearer asd_read"),
            Self::Deploy => request.header(header::AUTHORIZATION, "Bearer asd_deploy"),
            Self::Revoked => request.header(header::AUTHORIZATION, "Bearer asd_revoked"),
        }
    }
}

/// The portal, and the ids of the operations in it.
pub(super) struct World {
    pub(super) app: TestApp,
    /// Alice's deployment in progress.
    pub(super) active: DeploymentId,
    /// Alice's failed deployment of which nothing is left.
    pub(super) ended: DeploymentId,
    /// The deployment of Alice's live stack, which is called `livey`.
    pub(super) live: DeploymentId,
    _site: TempDir,
}

impl World {
    pub(super) async fn start() -> Self {
        let site = tempfile::tempdir().unwrap();
        let variables =
            [("AUTH", "oidc"), ("OIDC_ISSUER", "http://127.0.0.1:9"), ("OIDC_CLIENT_ID", "portal")];
        let app = TestApp::with_pages(&variables, Path::new(site.path()));
        let (now, alice) = (app.clock.now(), OwnerId::person("alice"));
        for (name, role) in
            [("alice", Role::Member), ("bob", Role::Member), ("olga", Role::Operator)]
        {
            people::sign_in(&*app.store, name, role, now).await;
        }
        for (id, scope) in
            [("read", Scope::Read), ("deploy", Scope::Deploy), ("revoked", Scope::Deploy)]
        {
            people::add_token(&*app.store, alice.clone(), id, scope, now).await;
        }
        assert!(app.store.revoke_token(&alice, "revoked", now, None).await.unwrap());

        let live = begin(&app, "livey").await;
        let lease = app.claim().await;
        app.record(&lease, vec![TestApp::complete("livey")]).await;
        let ended = begin(&app, "endy").await;
        let lease = app.claim().await;
        app.record(&lease, vec![app.failure()]).await;
        let active = begin(&app, "activey").await;
        Self { app, active, ended, live, _site: site }
    }

    /// Returns `route` as a path to Alice's operations.
    pub(super) fn at(&self, route: &str) -> String {
        route
            .replace("{id}", self.active.as_str())
            .replace("{name}", "livey")
            .replace("{template}", "default")
            .replace("{*path}", "site.js")
    }

    /// Sends a request as `who`.
    pub(super) async fn send(&self, who: Who, method: Method, path: &str, body: &str) -> Reply {
        self.app.send(request(who, method, path, body)).await
    }
}

/// Creates a request of `who`, with the headers that a browser sends for pages and forms.
fn request(who: Who, method: Method, path: &str, body: &str) -> Request<Body> {
    let is_page = !path.starts_with("/api/") && !path.starts_with("/health");
    let accept = if is_page { "text/html" } else { "application/json" };
    let mut request =
        who.shown(Request::builder().method(method).uri(path)).header(header::ACCEPT, accept);
    if body.contains('=') {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

async fn begin(app: &TestApp, name: &str) -> DeploymentId {
    let body = json!({ "name": name }).to_string();
    let reply = app.send(request(Who::Owner, Method::POST, "/api/deploy", &body)).await;
    DeploymentId::parse(reply.json()["deploymentId"].as_str().unwrap()).unwrap()
}
