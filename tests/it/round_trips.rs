//! Round trips to PostgreSQL: one for each query, and a few for each page.

use std::time::Duration;

use ai_stack_deployer::server::auth::access::Role;
use ai_stack_deployer::server::store::Operations as _;
use ai_stack_deployer::server::store::postgres::PostgresStore;
use clock::{Clock as _, SystemClock};
use domain::event::{Event, EventBody, FailureCode};
use domain::phase::Phase;
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::remedy::Remedy;
use secrecy::SecretString;
use tokio::task::block_in_place;
use tokio::time::sleep;

use crate::support::app::{failure, line};
use crate::support::people;
use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, exchange, request};
use crate::support::relay::{Asked, Relay};

/// The maximum number of statements of an operators' page.
const HANDFUL: usize = 12;

/// Returns the address of a database behind a relay that counts statements.
async fn before(url: &str) -> (Relay, String) {
    let relay = Relay::before(Cluster::shared().port(), Duration::ZERO).await;
    let through = format!("{}?sslmode=disable", Cluster::through(relay.port(), url));
    (relay, through)
}

async fn open(url: &str) -> PostgresStore {
    PostgresStore::open_for_cli(&SecretString::from(url)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_costs_one_round_trip_on_a_recently_used_connection() {
    let url = Cluster::shared().database();
    let (relay, through) = before(&url).await;
    let store = open(&through).await;
    store.stuck().await.unwrap();
    let before = relay.asked();
    for _ in 0..20 {
        store.stuck().await.unwrap();
    }
    let after = relay.asked();
    let asked = Asked {
        statements: after.statements - before.statements,
        round_trips: after.round_trips - before.round_trips,
    };
    assert_eq!(asked, Asked { statements: 20, round_trips: 20 });
    // After this pause the connection is tested first, which is the subject of this test.
    sleep(Duration::from_millis(1_200)).await;
    store.stuck().await.unwrap();
    let last = relay.asked();
    let asked = (last.statements - after.statements, last.round_trips - after.round_trips);
    assert_eq!(asked, (1, 2));
}

/// Signs fifty people in, one of whom is an operator, and leaves twenty operations stuck.
async fn fill(url: &str) {
    let (store, now) = (open(url).await, SystemClock.now());
    for number in 0..50 {
        let name = format!("person{number}");
        let role = if number == 0 { Role::Operator } else { Role::Member };
        people::sign_in(&store, &name, role, now).await;
    }
    let line = line(ResourceKind::Service, "stack-left", Outcome::Left, now);
    let line = Line { remedy: Some(Remedy::RemoveService { service: line.name.clone() }), ..line };
    let (phase, code) = (Phase::DEPLOYING, FailureCode::DeployFailed);
    let body = EventBody::Error(failure(phase, code, "The container did not start.", line));
    let (started, end) = (now.as_millisecond(), Event { seq: 1, body });
    Cluster::ask(
        url,
        &format!(
            "INSERT INTO stacks (stack, name, host, url, owner, counted_as, created_ms)
             SELECT 'stk_' || lpad(to_hex(number), 32, '0'), 'stack-' || number, 'h', 'u',
                    'person:person' || number, 'person:person' || number, {started}
             FROM generate_series(1, 20) AS number;
             INSERT INTO operations (id, stack, to_revision, state, seq, started_ms, completed_ms,
                                     due_ms, lease_owner, lease_until_ms)
             SELECT 'dep_' || substr(stack, 5), stack, 1, 'stuck', 1, {started}, {started},
                    9000000000000, 'elsewhere', 9000000000000
             FROM stacks;
             INSERT INTO events (deployment_id, seq, name, data)
             SELECT id, 1, '{}', $event${}$event$ FROM operations",
            end.name(),
            end.data()
        ),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_page_takes_a_handful_of_statements_however_much_it_shows() {
    let url = Cluster::shared().database();
    let (relay, through) = before(&url).await;
    let portal_dir = PortalDir::new();
    let platform = block_in_place(|| Platform::start(&portal_dir));
    let variables = [
        ("DATABASE_URL", &*through),
        ("AUTH", "oidc"),
        ("OIDC_ISSUER", "http://127.0.0.1:9"),
        ("OIDC_CLIENT_ID", "portal"),
    ];
    let _portal = block_in_place(|| platform.portal(&portal_dir, &variables));
    fill(&url).await;
    for (path, shown) in [("/admin", "docker service rm stack-left"), ("/admin/audit", "person0")] {
        let request = request(&format!("GET {path}"), "Cookie: __Host-session=person0\r\n", "");
        let mut fewest = usize::MAX;
        // Meanwhile the portal queries for work every second.
        for _ in 0..5 {
            let before = relay.asked().statements;
            let answer = block_in_place(|| exchange(portal_dir.port, &request));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert!(answer.contains(shown), "{path}: {answer}");
            fewest = fewest.min(relay.asked().statements - before);
        }
        println!("{path} takes {fewest} statements");
        assert!(fewest <= HANDFUL, "{path}: {fewest} statements");
    }
}
