//! A portal with a slow database, and the requests of people.

use std::time::Duration;

use ai_stack_deployer::server::auth::access::{Role, Scope};
use ai_stack_deployer::server::auth::accounts::{Accounts as _, Digest, SignIn};
use ai_stack_deployer::server::store::postgres::PostgresStore;
use clock::{Clock as _, SystemClock};
use domain::deployment::DeploymentId;
use domain::kind::DEPLOY;
use domain::owner::OwnerId;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::{sleep, timeout};

use crate::support::fake_provider::FakeProvider;
use crate::support::people;
use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, Running, request};
use crate::support::relay::Relay;

/// The network delay to the database, each way. The starts wait for each other's locks on what the
/// quotas count, each time for three round trips.
const FAR: Duration = Duration::from_millis(30);
const DAY: Duration = Duration::from_hours(24);
/// The nonce of every sign-in in progress.
const NONCE: &str = "nonce";
/// The number of requests of each kind.
const EACH: usize = 5;

/// A portal with a slow database.
pub(super) struct World {
    portal_dir: PortalDir,
    url: String,
    relay: Relay,
    /// The address of the same database without the delay.
    store: PostgresStore,
    now: Timestamp,
    provider: FakeProvider,
    _portal: Running,
    _platform: Platform,
}

/// A request, and how to find out whether it was carried out.
#[derive(Clone, Debug)]
pub(super) struct Action {
    pub(super) name: &'static str,
    pub(super) request: String,
    /// The query that returns whether it was carried out.
    fact: String,
    /// The query that returns whether the audit log has it.
    entry: String,
}

impl World {
    pub(super) async fn start() -> Self {
        let cluster = Cluster::shared();
        let url = cluster.database();
        let relay = Relay::before(cluster.port(), FAR).await;
        let (portal_dir, provider) = (PortalDir::new(), FakeProvider::start().await);
        let far = Cluster::through(relay.port(), &url);
        let mut command = portal_dir.command(&[]);
        let platform = tokio::task::block_in_place(|| Platform::start(&portal_dir));
        command.envs(provider.variables()).envs(platform.variables()).envs([
            ("DATABASE_URL", &*far),
            ("STACKS_PER_PERSON", "none"),
            ("DEPLOYMENTS_PER_PERSON", "none"),
            ("CHECK_RATE_LIMIT", "none"),
            ("LEASE_DURATION", "10s"),
        ]);
        let mut portal = Running::spawn(&mut command);
        tokio::task::block_in_place(|| portal.wait_until_ready());
        let store = PostgresStore::open_for_cli(&SecretString::from(url.as_str())).await.unwrap();
        let now = SystemClock.now();
        Self { portal_dir, url, relay, store, now, provider, _platform: platform, _portal: portal }
    }

    pub(super) fn port(&self) -> u16 {
        self.portal_dir.port
    }

    pub(super) fn ask(&self, question: &str) -> String {
        Cluster::ask(&self.url, question)
    }

    /// Removes the delay of the database.
    pub(super) fn come_closer(&self) {
        self.relay.set_delay(Duration::ZERO);
    }

    pub(super) fn is_done(&self, action: &Action) -> bool {
        self.ask(&action.fact) == "1" && self.ask(&action.entry) == "1"
    }

    /// Returns whether `action` has no effect and no audit entry.
    pub(super) fn is_undone(&self, action: &Action) -> bool {
        self.ask(&action.fact) == "0" && self.ask(&action.entry) == "0"
    }

    /// Describes the effect and the audit entry of `action`.
    pub(super) fn describe(&self, action: &Action) -> String {
        format!("fact: {:?}, entry: {:?}", self.ask(&action.fact), self.ask(&action.entry))
    }

    /// Waits until the deployment that `action` started is live.
    pub(super) async fn becomes_live(&self, action: &Action, patience: Duration) {
        let state = action.fact.replace("count(*)", "state");
        let waiting = async {
            while self.ask(&state) != "live" {
                sleep(Duration::from_millis(100)).await;
            }
        };
        let live = timeout(patience, waiting).await;
        assert!(live.is_ok(), "{action:?}: {}", self.ask(&state));
    }

    pub(super) fn get(path: &str, cookies: &str) -> String {
        request(&format!("GET {path}"), &format!("Cookie: {cookies}\r\n"), "")
    }

    fn send(method: &str, path: &str, person: &str, body: &str) -> String {
        let headers = format!(
            "Cookie: __Host-session={person}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n"
        );
        request(&format!("{method} {path}"), &headers, body)
    }

    /// Signs people in, and returns their names, which are also the secrets of their sessions.
    pub(super) async fn people(&self, called: &str, count: usize) -> Vec<String> {
        let mut people = Vec::new();
        for number in 0..count {
            let name = format!("{called}{number}");
            self.person(&name).await;
            people.push(name);
        }
        people
    }

    async fn person(&self, name: &str) {
        people::sign_in(&self.store, name, Role::Member, self.now).await;
    }

    pub(super) fn sign_out(person: &str) -> Action {
        let fact =
            format!("SELECT 1 - count(*) FROM sessions WHERE digest = '{}'", Digest::of(person).0);
        let request = Self::send("POST", "/auth/sign-out", person, "");
        Action { name: "sign-out", request, fact, entry: entry(person, "sign_out") }
    }

    /// Creates several requests of each kind, by different people.
    pub(super) async fn actions(&self, called: &str) -> Vec<Action> {
        let claims = self.provider.claims(NONCE, self.now.as_second());
        self.provider.give(&self.provider.key.sign(&claims));
        let mut actions = Vec::new();
        for number in 0..EACH {
            let name = |kind: &str| format!("{called}-{kind}-{number}").replace('-', "");
            let of = |kind: &str| (name(kind), kind.to_owned());
            for (person, kind) in
                ["out", "everywhere", "make", "revoke", "start", "cancel", "remove"].map(of)
            {
                self.person(&person).await;
                actions.push(self.action(&kind, &person).await);
            }
            actions.push(self.redirect_back(&name("back")).await);
        }
        actions
    }

    async fn action(&self, kind: &str, person: &str) -> Action {
        match kind {
            "out" => Self::sign_out(person),
            "everywhere" => Action {
                name: "sign-out everywhere",
                request: Self::send("POST", "/account/sign-out-everywhere", person, ""),
                ..Self::sign_out(person)
            },
            "make" => Action {
                name: "make token",
                request: Self::send(
                    "POST",
                    "/account/tokens",
                    person,
                    "name=ci&scope=read&days=30",
                ),
                fact: format!(
                    "SELECT count(*) FROM tokens WHERE person = '{}'",
                    OwnerId::person(person)
                ),
                entry: entry(person, "make_token"),
            },
            "revoke" => self.revoke(person).await,
            "start" => {
                let body = format!("{{\"name\":\"{person}\"}}");
                Action {
                    name: "start",
                    request: Self::send("POST", "/api/deploy", person, &body),
                    fact: format!(
                        "SELECT count(*) FROM operations JOIN stacks USING (stack) WHERE name = '{person}'"
                    ),
                    entry: entry(person, "start"),
                }
            }
            "cancel" => self.cancel(person),
            _ => self.remove(person),
        }
    }

    /// Returns the request of a person who comes back from the provider.
    async fn redirect_back(&self, browser: &str) -> Action {
        let state = format!("{browser:x<43}");
        let sign_in = SignIn {
            browser: Digest::of(&format!("begun {browser} {state}")),
            state: state.clone(),
            nonce: String::from(NONCE),
            verifier: String::from("verifier"),
            return_to: String::from("/"),
            expires: self.now + DAY,
        };
        self.store.begin_sign_in(&sign_in, self.now).await.unwrap();
        // The session that it replaces shows who it was.
        self.person(browser).await;
        let cookies =
            format!("__Host-sign-in-{}={browser}; __Host-session={browser}", &state[..12]);
        let request = Self::get(&format!("/auth/callback?code=c&state={state}"), &cookies);
        let gone =
            format!("SELECT 1 - count(*) FROM sign_ins WHERE browser = '{}'", sign_in.browser.0);
        let entry =
            format!("SELECT 1 - count(*) FROM sessions WHERE digest = '{}'", Digest::of(browser).0);
        Action { name: "sign-in", request, fact: gone, entry }
    }

    async fn revoke(&self, person: &str) -> Action {
        let owner = OwnerId::person(person);
        people::add_token(&self.store, owner, person, Scope::Read, self.now).await;
        Action {
            name: "revoke token",
            request: Self::send("POST", "/account/tokens/revoke", person, &format!("id={person}")),
            fact: format!(
                "SELECT count(*) FROM tokens WHERE id = '{person}' AND revoked_ms IS NOT NULL"
            ),
            entry: entry(person, "revoke_token"),
        }
    }

    fn cancel(&self, person: &str) -> Action {
        let id = self.begin(person);
        Action {
            name: "cancel",
            request: Self::send("POST", &format!("/api/deployment/{id}/cancel"), person, ""),
            fact: format!(
                "SELECT count(*) FROM operations WHERE id = '{id}' AND cancel_ms IS NOT NULL"
            ),
            entry: entry(person, "cancel"),
        }
    }

    fn remove(&self, person: &str) -> Action {
        let id = self.begin(person);
        let lease = format!(
            "UPDATE operations SET state = 'live', completed_ms = started_ms, lease_owner = NULL
             WHERE id = '{id}';
             UPDATE stacks SET live_ms = created_ms WHERE name = '{person}'"
        );
        self.ask(&lease);
        Action {
            name: "remove",
            request: Self::send("DELETE", &format!("/api/stacks/{person}"), person, ""),
            fact: format!("SELECT count(*) FROM operations WHERE removes = '{id}'"),
            entry: entry(person, "remove"),
        }
    }

    /// Inserts a deployment of a person that another portal drives.
    fn begin(&self, person: &str) -> DeploymentId {
        let digits = &Digest::of(person).0[..32];
        let id = DEPLOY.operation_id(u128::from_str_radix(digits, 16).unwrap());
        let statement = format!(
            "INSERT INTO stacks (stack, name, host, url, owner, created_ms)
             VALUES ('stk_{digits}', '{person}', '{person}.localhost', 'http://{person}.localhost',
                     '{owner}', {now});
             INSERT INTO operations
                 (id, stack, to_revision, seq, started_ms, lease_owner, lease_until_ms)
             VALUES ('{id}', 'stk_{digits}', 1, 1, {now}, 'elsewhere', 9000000000000)",
            now = self.now.as_millisecond(),
            owner = OwnerId::person(person)
        );
        self.ask(&statement);
        id
    }
}

/// Returns the query that counts the audit entries of a person with an action.
fn entry(person: &str, action: &str) -> String {
    let who = OwnerId::person(person);
    format!(
        "SELECT count(*) FROM audit WHERE who = '{who}' AND act = '{action}' AND outcome = 'done'"
    )
}
