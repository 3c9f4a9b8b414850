//! When a newer version of the portal migrates the database, the older one stops using it.

use std::time::Duration;

use clock::{Clock as _, SystemClock};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, sqlite::SqliteConnectOptions};

use crate::support::{
    platform::Platform,
    postgres::Cluster,
    process::{PortalDir, Running},
};

/// The statement of a newer version's migration that raises the generation.
const RAISE: &str = "UPDATE schema_generation SET generation = generation + 1";
/// The time limit until the older portal has ended.
const SOON: Duration = Duration::from_secs(12);
/// The columns that a portal writes by itself.
const RECORDS: &str = "SELECT id, state, seq, lease_owner, lease_token, lease_until_ms, cancel_ms,
    completed_ms, tries, due_ms FROM operations ORDER BY id";

/// Waits until the portal has ended by itself, and returns its log.
fn ends_by_itself(mut portal: Running) -> String {
    let begun = SystemClock.now();
    let (code, said) = portal.wait_until_it_ends();
    let took = SystemClock.now().duration_since(begun).unsigned_abs();
    println!("it ended after {took:?}");
    assert_eq!(code, Some(0), "{}", said.join("\n"));
    assert!(took < SOON, "{took:?}");
    said.join("\n")
}

fn refuses(mut command: std::process::Command) {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("belongs to another version of the portal"), "{said}");
    assert!(said.contains("generation 5 and this version was built for 4"), "{said}");
}

#[test]
fn in_postgres_an_older_portal_ends_well_and_writes_nothing_more() {
    let url = Cluster::shared().database();
    let portal_dir = PortalDir::new();
    let platform = Platform::start(&portal_dir);
    let mut command = portal_dir.command(&[("DATABASE_URL", &url)]);
    command.envs(platform.variables()).env("STACK_IMAGE", "sandbox/slow");
    let mut portal = Running::spawn(&mut command);
    portal.wait_until_ready();
    for number in 0..5 {
        portal_dir.deploy(&format!("stack-{number}"));
    }
    let under_way =
        "SELECT count(*) >= 5 FROM operations WHERE lease_owner IS NOT NULL AND seq > 2";
    while Cluster::ask(&url, under_way) != "t" {
        assert!(portal.is_ready());
    }
    let rows = "SELECT count(*) FROM events";
    // The rows are read in the transaction that raises the generation.
    let before = Cluster::ask(&url, &format!("BEGIN; {RAISE}; {RECORDS}; {rows}; COMMIT"));
    let said = ends_by_itself(portal);
    assert!(said.contains("another version of the portal takes over"), "{said}");
    let after = Cluster::ask(&url, &format!("BEGIN; {RAISE}; {RECORDS}; {rows}; ROLLBACK"));
    assert_eq!(before.replace("COMMIT", "ROLLBACK"), after);
    refuses({
        let mut command = portal_dir.command(&[("DATABASE_URL", &url)]);
        command.envs(platform.variables());
        command
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn in_sqlite_an_older_portal_ends_well_and_writes_nothing_more() {
    let portal_dir = PortalDir::new();
    let portal = portal_dir.start(&[("STACK_IMAGE", "sandbox/slow")]);
    for number in 0..5 {
        portal_dir.deploy(&format!("stack-{number}"));
    }
    let options = SqliteConnectOptions::new().filename(portal_dir.path().join("portal.db"));
    let mut beside = options.connect().await.unwrap();
    beside.execute(RAISE).await.unwrap();
    let question = "SELECT group_concat(id || state || seq || ifnull(lease_owner, '-') ||
                        lease_token || ifnull(lease_until_ms, '-'), ' ') FROM operations";
    let read = async |beside: &mut sqlx::SqliteConnection| -> String {
        sqlx::query_scalar(question).fetch_one(beside).await.unwrap()
    };
    let before = read(&mut beside).await;
    let said = ends_by_itself(portal);
    assert!(said.contains("another version of the portal takes over"), "{said}");
    assert_eq!(read(&mut beside).await, before);
    beside.close().await.unwrap();
    refuses(portal_dir.command(&[]));
}
