//! When a newer version of the portal migrates the database, the older one stops using it.

use std::time::Duration;

use clock::{Clock as _, SystemClock};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, Running, exchange, free_port};

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
    assert!(said.contains("generation 10 and this version was built for 9"), "{said}");
}

#[test]
fn in_postgres_an_older_portal_ends_well_and_writes_nothing_more() {
    let url = Cluster::shared().database();
    let portal_dir = PortalDir::new();
    let platform = Platform::start(&portal_dir);
    let variables = [("DATABASE_URL", &*url), ("STACK_IMAGE", "sandbox/slow")];
    let mut portal = platform.portal(&portal_dir, &variables);
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
    refuses(platform.command(&portal_dir, &variables));
}

/// Returns the lines of the events in a response, without those of the chunks that they came in.
fn events(response: &str) -> String {
    let is_of_event =
        |line: &&str| ["id: ", "event: ", "data: "].iter().any(|field| line.starts_with(field));
    response.lines().filter(is_of_event).collect::<Vec<_>>().join("\n")
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

/// Lets a portal believe that the schema has another generation than the others read: it sees the
/// same tables, and a generation of its own.
const OLDER: &str = "CREATE SCHEMA older;
    CREATE TABLE older.schema_generation AS TABLE public.schema_generation;
    CREATE VIEW older._sqlx_migrations AS TABLE public._sqlx_migrations";
const RAISE_OLDER: &str = "UPDATE older.schema_generation SET generation = generation + 1";
/// All events, as they are stored.
const EVENTS: &str = "SELECT deployment_id, seq, name, data FROM events ORDER BY 1, 2";

/// Sends a request to the portal at `port`, and returns its answer without the time of it.
fn ask(port: u16, method: &str, path: &str, body: &str) -> String {
    let key: String = body.chars().filter(char::is_ascii_alphabetic).collect();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nIdempotency-Key: of-{key}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(port, &request);
    answer.lines().filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_newer_portal_beside_the_older_one_goes_on_with_all_that_is_under_way() {
    let url = Cluster::shared().database();
    let (portal_dir, newer) = (PortalDir::new(), free_port());
    let platform = Platform::start(&portal_dir);
    let start = |url: &str, port: u16| {
        let mut command = portal_dir.command(&[("DATABASE_URL", url), ("LEASE_DURATION", "3s")]);
        command.envs(platform.variables()).env("PORT", port.to_string());
        let mut portal = Running::spawn(command.env("STACK_IMAGE", "sandbox/slow"));
        portal.wait_until_ready();
        portal
    };
    let portal = start(&url, newer);
    assert_eq!(portal.end().0, Some(0), "it has made the tables");
    Cluster::ask(&url, OLDER);
    let older = start(&format!("{url}?options=-csearch_path%3Dolder,public"), portal_dir.port);
    let deploy =
        |port, name: &str| ask(port, "POST", "/api/deploy", &format!("{{\"name\":\"{name}\"}}"));
    let id = |answer: &str, prefix| answer[answer.find(prefix).unwrap()..][..36].to_owned();
    let status = |port, id: &str| events(&ask(port, "GET", &format!("/api/status/{id}"), ""));

    let alice = deploy(portal_dir.port, "alice");
    let live = status(portal_dir.port, &id(&alice, "dep_"));
    assert!(live.contains("event: complete"), "{live}");
    platform.inject("domain.delete:latency=2s");
    let bobby = deploy(portal_dir.port, "bobby");
    let of_alice = format!("/api/stacks/alice?id={}", id(&alice, "dep_"));
    let removal = id(&ask(portal_dir.port, "DELETE", &of_alice, ""), "rem_");
    let under_way = "SELECT count(*) FROM operations
                     WHERE state = 'active' AND lease_owner IS NOT NULL AND seq > 2";
    let is_so = (0..500).any(|_| Cluster::ask(&url, under_way) == "2");
    assert!(is_so, "nothing to hand over");
    let before = Cluster::ask(&url, &format!("BEGIN; {RAISE_OLDER}; {EVENTS}; COMMIT"));
    let portal = start(&url, newer);
    let said = ends_by_itself(older);
    assert!(said.contains("another version of the portal takes over"), "{said}");

    assert!(status(newer, &id(&bobby, "dep_")).contains("event: complete"));
    assert!(status(newer, &removal).contains("event: complete"));
    assert_eq!(status(newer, &id(&alice, "dep_")), live);
    assert_eq!((deploy(newer, "alice"), deploy(newer, "bobby")), (alice, bobby));
    let after = Cluster::ask(&url, EVENTS);
    let kept =
        |event: &&str| *event != "BEGIN" && !event.starts_with("UPDATE") && *event != "COMMIT";
    let before: Vec<_> = before.lines().filter(kept).collect();
    println!("{} events of before the change are as they were", before.len());
    assert!(before.iter().all(|event| after.lines().any(|other| other == *event)), "{after}");
    assert_eq!(portal.end().0, Some(0));
}
