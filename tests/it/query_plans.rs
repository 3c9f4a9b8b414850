//! The recurring queries of the portal use an index on both databases: every query that a running
//! portal logs is explained, on tables with many rows.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, raw_sql};

use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::{PortalDir, Running, exchange, free_port, request};

/// The number of operations that have ended.
const ENDED: u32 = 20_000;

/// Tables that grow; the others have a few rows.
const LARGE: [&str; 10] = [
    "stacks", "operations", "events", "steps", "services", "answers", "sessions", "sign_ins",
    "tokens", "audit",
];

/// Statements that intentionally read a whole table, or its end in order up to a limit.
const WHOLE: [&str; 4] = [
    // The reconciler compares all services.
    "SELECT app_name, deployment_id FROM services",
    // The last successful deployments.
    "ORDER BY live_ms DESC LIMIT",
    // Lists, newest first.
    "ORDER BY started_ms DESC, id DESC LIMIT",
    "ORDER BY number DESC LIMIT",
];

/// Indexes that stay small even if many operations have ended: those of operations in progress,
/// stuck, live or due.
const SMALL: [&str; 6] = [
    "stacks_name", "operations_claimable", "operations_stuck", "operations_live",
    "operations_tidy", "operations_leased",
];

/// What operators ask for on their page and by a command.
const STUCK: &str = "SELECT id FROM operations JOIN stacks USING (stack)
    WHERE state = 'stuck' ORDER BY started_ms, id";

/// Rows of every kind, in SQL of both databases. `{id}` is computed from `i`.
const FILL: &str = "
    INSERT INTO stacks (stack, name, host, url, owner, counted_as, created_ms, live_ms, gone_ms)
    SELECT 'ended-' || i, 'ended-' || i, 'h', 'u', 'owner-' || (i % 100), 'owner-' || (i % 100),
           {now} - i * 60000, {now} - i * 60000 + 5000, {now} - i * 60000 + 6000
    FROM {series};
    INSERT INTO operations (id, stack, state, seq, started_ms, completed_ms, released_ms, removes)
    SELECT {id}, 'ended-' || i, 'rolled_back', 3, {now} - i * 60000,
           {now} - i * 60000 + 5000, {now} - i * 60000 + 6000,
           CASE WHEN i % 2 = 0 THEN 'dep_' || i END
    FROM {series};
    INSERT INTO stacks (stack, name, host, url, created_ms, live_ms)
    SELECT 'live-' || i, 'live-' || i, 'h', 'u', {now} - i * 60000, {now}
    FROM {series} WHERE i < 200;
    INSERT INTO operations (id, stack, state, seq, started_ms, completed_ms)
    SELECT 'x' || {id}, 'live-' || i, 'live', 3, {now} - i * 60000, {now}
    FROM {series} WHERE i < 200;
    INSERT INTO events (deployment_id, seq, name, data)
    SELECT operations.id, e.i, 'log', 'x' FROM operations, {few} AS e;
    INSERT INTO services (deployment_id, app_name) SELECT id, id FROM operations;
    INSERT INTO steps (deployment_id, step, record) SELECT id, 'project', '{}' FROM operations;
    INSERT INTO answers (caller, key, fingerprint, status, body, expires_ms)
    SELECT 'c' || i, 'k', 'f', 201, 'b', {now} + 80000000 FROM {series};
    INSERT INTO people (owner, issuer, subject, name, role, seen_ms)
    SELECT 'p' || i, 'i', 's' || i, 'n', 'member', i FROM {series};
    INSERT INTO sessions (digest, person, idle_ms, ends_ms)
    SELECT 'd' || i, 'p' || i, {now} + 80000000, {now} + 90000000 FROM {series};
    INSERT INTO sign_ins (browser, state, nonce, verifier, return_to, expires_ms)
    SELECT 'b' || i, 's', 'n', 'v', '/', {now} + 80000000 FROM {series};
    INSERT INTO tokens (id, digest, person, name, scope, made_ms, expires_ms)
    SELECT 't' || i, 'd' || i, 'p' || i, 'n', 'read', 1, {now} + 80000000 FROM {series};
    INSERT INTO audit (at_ms, who, act, outcome)
    SELECT {now} - i, 'guest', 'start', 'done' FROM {series};
";

/// A portal and the platform that it drives.
struct World {
    portal_dir: PortalDir,
    platform: Platform,
    database: String,
    /// The port of the metrics.
    metrics: u16,
}

impl World {
    fn start(database: String) -> Self {
        let portal_dir = PortalDir::new();
        let platform = Platform::answering_after(&portal_dir, "1");
        Self { portal_dir, platform, database, metrics: free_port() }
    }

    fn portal(&self) -> Running {
        let port = self.metrics.to_string();
        let variables = [
            ("DATABASE_URL", &*self.database),
            ("METRICS_PORT", &port),
            ("STACKS_PER_PERSON", "100"),
            ("DEPLOYMENTS_PER_HOUR", "100"),
            ("DEPLOYMENTS_IN_ALL", "100"),
            ("RUST_LOG", "info,sqlx::query=debug"),
        ];
        self.platform.portal(&self.portal_dir, &variables)
    }

    /// Lets a portal do everything that it does regularly, and returns its queries.
    fn asked(&self) -> BTreeSet<String> {
        let portal = self.portal();
        self.portal_dir.deploy_until("alice", "complete");
        for path in ["/", "/health", "/api/check/bobby", "/api/stacks", "/api/deployment/dep_x"] {
            self.portal_dir.get(path);
        }
        assert!(
            exchange(self.metrics, &request("GET /metrics", "", "")).contains("portal_store_ok 1")
        );
        let (code, log) = portal.end_with_output();
        assert_eq!(code, Some(0));
        log.iter().filter_map(|line| statement(line)).collect()
    }
}

/// Returns the statement in a line of the log.
fn statement(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let whole = line.get("db.statement")?.as_str()?;
    let text = if whole.is_empty() { line.get("summary")?.as_str()? } else { whole };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_asked = ["SELECT", "UPDATE", "DELETE", "WITH"].iter().any(|verb| text.starts_with(verb));
    let is_ours = !text.contains("_sqlx_migrations") && !text.contains("pg_catalog");
    (is_asked && is_ours).then_some(text)
}

fn fill(series: impl Fn(u32) -> String, id: &str, now: &str) -> String {
    let few = series(3);
    let fill = FILL.replace("{series}", &format!("{} AS n", series(ENDED))).replace("{few}", &few);
    fill.replace("{id}", id).replace("{now}", now)
}

/// Checks that all recurring statements were logged, so that none is overlooked.
fn assert_all_recurring(asked: &BTreeSet<String>) {
    for needed in [
        "lease_token = lease_token + 1",
        "state = 'stuck' AND (due_ms <=",
        "released_ms <",
        "SELECT name FROM stacks WHERE gone_ms IS NULL",
        "AS leased",
        "counted_as ",
        "write_probe",
        "FROM services",
        "DELETE FROM answers",
        "took_ms",
        "lease_until_ms =",
    ] {
        assert!(
            asked.iter().any(|text| text.contains(needed)),
            "{needed} was not asked: {asked:#?}"
        );
    }
}

fn is_whole(statement: &str) -> bool {
    WHOLE.iter().any(|part| statement.contains(part))
}

/// Returns whether a step of a plan of SQLite reads all that has ever been, or all of one caller.
fn reads_much(step: &str) -> bool {
    let is_scan = step.starts_with("SCAN ") && !step.contains("CONSTANT ROW");
    let of_large = LARGE.iter().any(|table| step.starts_with(&format!("SCAN {table}")))
        || step.starts_with("SCAN live")
        || step.starts_with("SCAN removal");
    let by_small = SMALL.iter().any(|index| step.contains(index));
    let of_caller = step.contains("(counted_as=?)") && !step.contains("stacks_counted");
    is_scan && of_large && !by_small || of_caller
}

#[tokio::test(flavor = "multi_thread")]
async fn recurring_queries_use_an_index_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.db");
    let world = World::start(format!("sqlite://{}", path.display()));
    world.portal().end();
    let mut database = open(&path).await;
    let series = |most| {
        format!(
            "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})
              SELECT i FROM n)"
        )
    };
    let id = "'dep_' || substr('00000000000000000000000000000000' || i, -32)";
    raw_sql(AssertSqlSafe(fill(series, id, "(unixepoch() * 1000)")))
        .execute(&mut database)
        .await
        .unwrap();
    let mut asked = world.asked();
    assert_all_recurring(&asked);
    asked.insert(STUCK.into());
    // The portal never analyzes a database, but an operator may.
    for analyze in ["", "ANALYZE"] {
        raw_sql(analyze).execute(&mut database).await.unwrap();
        for statement in asked.iter().filter(|statement| !is_whole(statement)) {
            let explain = format!("EXPLAIN QUERY PLAN {statement}");
            let plan = raw_sql(AssertSqlSafe(explain)).fetch_all(&mut database).await.unwrap();
            for step in plan {
                let step: String = step.get("detail");
                assert!(!reads_much(&step), "{step}:\n{statement}");
            }
        }
    }
    database.close().await.unwrap();
}

async fn open(path: &Path) -> sqlx::SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

#[test]
fn recurring_queries_use_an_index_in_postgres() {
    let url = Cluster::shared().database();
    let world = World::start(url.clone());
    world.portal().end();
    let series = |most| format!("(SELECT i FROM generate_series(1, {most}) AS i)");
    let now = "(extract(epoch FROM now()) * 1000)::bigint";
    Cluster::ask(&url, &fill(series, "'dep_' || lpad(i::text, 32, '0')", now));
    Cluster::ask(&url, "ANALYZE");
    let asked = world.asked();
    assert_all_recurring(&asked);
    for statement in asked.iter().filter(|statement| !is_whole(statement)) {
        let count = (1..20).take_while(|n| statement.contains(&format!("${n}"))).count();
        let nulls = vec!["NULL"; count].join(", ");
        let values = if count == 0 { String::new() } else { format!("({nulls})") };
        // Without values, as for a statement that is prepared once and used for ever.
        let explain = format!(
            "SET plan_cache_mode = force_generic_plan; PREPARE asked AS {statement};
             EXPLAIN EXECUTE asked{values}"
        );
        let plan = Cluster::ask(&url, &explain);
        for table in LARGE {
            assert!(!plan.contains(&format!("Seq Scan on {table}")), "{statement}:\n{plan}");
        }
    }
}
