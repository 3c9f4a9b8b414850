//! A portal where people sign in, with some who have.

use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditAction, AuditEntry, AuditFilter, AuditLog};
use ai_stack_deployer::server::auth::access::Role;
use ai_stack_deployer::server::store::{Lease, NewDeployment, Operations, Quota, Stacks};
use axum::http::StatusCode;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::{Failure, FailureCode};
use domain::owner::OwnerId;
use domain::phase::Phase;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::remedy::Remedy;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::support::app::{Reply, TestApp, failure, line};
use crate::support::browser::Browser;
use crate::support::people;
use crate::support::settings::{new_deployment, stack_settings};

/// A provider that is never contacted.
const VARIABLES: [(&str, &str); 4] = [
    ("AUTH", "oidc"),
    ("OIDC_ISSUER", "http://127.0.0.1:9"),
    ("OIDC_CLIENT_ID", "portal"),
    ("OIDC_CLIENT_SECRET", "portal-secret"),
];

/// A portal where people sign in.
pub(super) struct World {
    pub(super) app: TestApp,
    _site: TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(&[])
    }

    /// Does the same with these variables as well.
    pub(super) fn with(variables: &[(&str, &str)]) -> Self {
        let site = tempfile::tempdir().unwrap();
        let variables = [&VARIABLES, variables].concat();
        Self { app: TestApp::with_pages(&variables, site.path()), _site: site }
    }

    /// Signs a person in, and returns their browser and owner id.
    pub(super) async fn sign_in(&self, name: &str, role: Role) -> (Browser, OwnerId) {
        let now = self.app.clock.now();
        let owner = people::sign_in(&*self.app.store, name, role, now).await;
        let mut browser = Browser::new(&self.app);
        browser.plant("__Host-session", &name.replace(' ', ""));
        (browser, owner)
    }

    /// Returns the session cookie of the person called `name`.
    pub(super) fn cookie(name: &str) -> String {
        format!("__Host-session={}", name.replace(' ', ""))
    }

    /// Starts a deployment like the home page.
    pub(super) async fn start(&self, browser: &mut Browser, name: &str) -> DeploymentId {
        self.app.clock.advance(Duration::from_secs(1));
        let reply = browser.post("/api/fn/start_deployment", &format!("name={name}")).await;
        assert_eq!(reply.status, StatusCode::FOUND, "{reply:?}");
        let id = reply.header("location").unwrap().strip_prefix("/deployments/").unwrap();
        DeploymentId::parse(id).unwrap()
    }

    /// Inserts a deployment of `owner` into the store, without limits.
    pub(super) async fn begin(&self, name: &str, owner: &OwnerId) {
        let id = DeploymentId::from_random(rand::random());
        let settings = stack_settings("sandbox/hello");
        let new = NewDeployment {
            owner: Some(owner.clone()),
            quota: Quota { counted_as: Some(owner.to_string()), ..Quota::default() },
            ..new_deployment(&settings, id, name, self.app.clock.now())
        };
        self.app.store.begin(&new, None).await.unwrap();
    }

    /// Ends a deployment as stuck: its container is left, and clean-up is due in 30 seconds.
    pub(super) async fn get_stuck(&self, lease: &Lease) {
        let at = self.app.clock.now();
        let line = line(ResourceKind::Service, "stack-alice", Outcome::Left, at);
        let line =
            Line { remedy: Some(Remedy::RemoveService { service: line.name.clone() }), ..line };
        let (phase, code) = (Phase::DEPLOYING, FailureCode::DeployFailed);
        let failure = failure(phase, code, "The container did not start.", line);
        let reference = lease.id.reference();
        self.app.get_stuck(lease, Failure { reference, ..failure }).await;
    }

    /// Returns the time of the next clean-up of an operation.
    pub(super) async fn due(&self, id: &DeploymentId) -> Option<Timestamp> {
        self.app.store.find(id).await.unwrap().unwrap().clean_up.due
    }

    /// Lists the audit entries with an action, newest first.
    pub(super) async fn entries(&self, act: AuditAction) -> Vec<AuditEntry> {
        let filter = AuditFilter { act: Some(act), limit: 100, ..AuditFilter::default() };
        let entries = self.app.store.entries(&filter).await.unwrap();
        entries.into_iter().map(|(_, entry)| entry).collect()
    }
}

/// Returns the text of a page without the markers that Leptos puts between texts.
pub(super) fn text(reply: &Reply) -> String {
    reply.body.replace("<!>", "")
}

/// Counts how often a page has `words`.
pub(super) fn count(reply: &Reply, words: &str) -> usize {
    text(reply).matches(words).count()
}

/// Returns the link to the next page of a list.
pub(super) fn next_page(reply: &Reply) -> String {
    let text = text(reply);
    let mut addresses = text.split("href=\"").filter_map(|rest| rest.split(['"', '#']).next());
    let address = addresses.find(|address| address.contains("before="));
    address.unwrap_or_else(|| panic!("no next page: {text}")).replace("&amp;", "&")
}
