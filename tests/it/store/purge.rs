//! Retention deletes in batches, so that other writers never wait for long.

use std::path::Path;
use std::sync::Arc;

use ai_stack_deployer::server::store::sqlite::SqliteStore;
use ai_stack_deployer::server::store::{Operations, Store};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row, SqliteConnection, raw_sql};

use super::contract::at;
use super::{in_postgres, in_sqlite};
use crate::support::postgres::Cluster;

/// The maximum number of rows that one transaction deletes, including dependent rows.
const ROWS: i64 = 1_000;
/// The number of purged deployments with 20 events each. One more has many events.
const MANY: i64 = 2_000;
const EVENTS: i64 = 5_000;
/// The number of secrets that each deployment has.
const SECRETS: i64 = 30;

/// Returns statements that insert deployments that ended long ago, and one that ended recently.
/// `series` returns a query of numbers.
fn fill(series: impl Fn(i64) -> String) -> String {
    let id = "'dep_' || substr('00000000000000000000000000000000' || i, -32)";
    let postgres = "'dep_' || lpad(i::text, 32, '0')";
    let is_postgres = series(1).contains("generate_series");
    let (id, blob) = if is_postgres { (postgres, "'x'::bytea") } else { (id, "x'00'") };
    let stack = id.replace("dep", "stk");
    let last = MANY + 2;
    format!(
        "INSERT INTO stacks (stack, name, host, url, created_ms, gone_ms)
         SELECT {stack}, 'alice', 'a', 'a', i, i FROM {operations} AS n;
         INSERT INTO operations (id, stack, state, seq, started_ms, completed_ms, released_ms)
         SELECT {id}, {stack}, 'rolled_back', 20, i, i,
                CASE WHEN i = {last} THEN 9000000000000 ELSE i END FROM {operations} AS n;
         INSERT INTO events (deployment_id, seq, name, data)
         SELECT operations.id, e.i, 'log', 'x' FROM operations, {events} AS e;
         INSERT INTO revisions (stack, revision, origin, spec)
         SELECT stack, 1, 'begun', 'x' FROM operations;
         INSERT INTO sealed_secrets
             (stack, revision, name, key_id, wrapped_key, ciphertext, fingerprint)
         SELECT stack, 1, CAST(s.i AS text), 'x', {blob}, {blob}, 'x'
         FROM operations, {secrets} AS s;
         INSERT INTO events (deployment_id, seq, name, data)
         SELECT {id}, 100 + e.j, 'log', 'x'
         FROM (SELECT 7 AS i) AS d, (SELECT i AS j FROM {many} AS m) AS e;",
        operations = series(last),
        events = series(20),
        secrets = series(SECRETS),
        many = series(EVENTS),
    )
}

fn recursive(most: i64) -> String {
    format!(
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})
          SELECT i FROM n)"
    )
}

fn generated(most: i64) -> String {
    format!("(SELECT i FROM generate_series(1, {most}) AS i)")
}

async fn second_connection(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("portal.db"));
    options.foreign_keys(true).connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_writers_get_a_turn_after_each_batch_of_a_purge_in_sqlite() {
    let (folder, store): (_, Arc<SqliteStore>) = in_sqlite().await;
    let mut connection = second_connection(folder.path()).await;
    raw_sql(AssertSqlSafe(fill(recursive))).execute(&mut connection).await.unwrap();
    let purging = {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.purge(at(5_000)).await })
    };
    let mut writes = 0;
    while !purging.is_finished() {
        store.check().await.unwrap();
        writes += 1;
    }
    assert_eq!(purging.await.unwrap().unwrap(), (MANY + 1).cast_unsigned());
    // Other writers get a turn after each batch.
    assert!(writes > 20, "{writes} writes");
    let left = connection.fetch_one("SELECT count(*) FROM events").await.unwrap();
    assert_eq!(left.get::<i64, _>(0), 20);
    let left = connection.fetch_one("SELECT count(*) FROM stacks").await.unwrap();
    assert_eq!(left.get::<i64, _>(0), 1);
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_transaction_in_postgres_purges_a_bounded_number_of_rows() {
    let url = Cluster::shared().database();
    let store = in_postgres(&url).await;
    Cluster::ask(&url, &fill(generated));
    Cluster::ask(
        &url,
        "CREATE TABLE purged (transaction bigint);
         CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO purged VALUES (txid_current()); RETURN NULL; END; $$;
         CREATE TRIGGER note AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER note AFTER DELETE ON revisions FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER note AFTER DELETE ON sealed_secrets FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER note AFTER DELETE ON operations FOR EACH ROW EXECUTE FUNCTION note();
         CREATE TRIGGER note AFTER DELETE ON stacks FOR EACH ROW EXECUTE FUNCTION note();",
    );
    assert_eq!(store.purge(at(5_000)).await.unwrap(), (MANY + 1).cast_unsigned());
    let most = "SELECT max(rows) FROM
                (SELECT count(*) AS rows FROM purged GROUP BY transaction) AS counted";
    let most: i64 = Cluster::ask(&url, most).parse().unwrap();
    assert!(most <= ROWS, "{most} rows in one transaction");
    assert_eq!(Cluster::ask(&url, "SELECT count(*) FROM events"), "20");
    assert_eq!(Cluster::ask(&url, "SELECT count(*) FROM stacks"), "1");
}
