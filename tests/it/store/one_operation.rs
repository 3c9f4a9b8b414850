//! At most one operation holds a stack, whichever replica gets the request (promise P20).

use std::collections::BTreeSet;
use std::sync::Arc;

use ai_stack_deployer::server::store::{RemovalOutcome, Stacks as _, State, Store};
use domain::stack_name::StackName;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection};
use tokio::task::JoinSet;

use super::contract::new;
use super::contract::removals::{live, removal};
use super::{in_postgres, in_sqlite};
use crate::support::postgres::Cluster;

/// The number of stacks that are removed, and of concurrent removals of each.
const STACKS: u128 = 8;
const AT_ONCE: u128 = 6;

/// Inserts another operation on the existing stack.
const ANOTHER: &str = "INSERT INTO operations (id, stack, state, seq, started_ms)
    SELECT 'rem_00000000000000000000000000000009', stack, 'active', 1, 1 FROM stacks";
/// Makes the existing operation stuck.
const STUCK: &str = "UPDATE operations SET state = 'stuck', completed_ms = 1";
/// Ends the existing operation successfully.
const ENDED: &str = "UPDATE operations SET state = 'live', completed_ms = 1";

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_removals_in_sqlite_one_begins() {
    let (_folder, store) = in_sqlite().await;
    one_begins(&[store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_removals_on_two_replicas_one_begins() {
    let url = Cluster::shared().database();
    one_begins(&[in_postgres(&url).await, in_postgres(&url).await]).await;
}

async fn one_begins<S: Store + 'static>(stores: &[Arc<S>]) {
    for stack in 0..STACKS {
        let name = StackName::parse(&format!("stack-{stack}")).unwrap();
        live(&*stores[0], 1 + stack, name.as_str()).await;
        let mut begun = JoinSet::new();
        for (number, store) in (0..AT_ONCE).zip(stores.iter().cycle()) {
            let (store, name) = (Arc::clone(store), name.clone());
            let new = removal(100 + stack * AT_ONCE + number, None);
            begun.spawn(async move { store.begin_removal(&name, &new).await.unwrap() });
        }
        let begun = begun.join_all().await.into_iter().map(|outcome| match outcome {
            RemovalOutcome::Accepted(id) => id.to_string(),
            other => panic!("{other:?}"),
        });
        let begun: BTreeSet<_> = begun.collect();
        assert_eq!(begun.len(), 1, "{begun:?}");
        let stacks = stores[0].stacks(Some(&name)).await.unwrap();
        let (id, state) = stacks[0].removal.clone().unwrap();
        assert_eq!((id.as_str(), state), (begun.first().unwrap().as_str(), State::Active));
    }
}

#[tokio::test]
async fn sqlite_refuses_a_second_operation_on_a_stack() {
    let (folder, store) = in_sqlite().await;
    store.begin(&new(1, "alice"), None).await.unwrap();
    let options = SqliteConnectOptions::new().filename(folder.path().join("portal.db"));
    let mut connection = options.connect().await.unwrap();
    assert!(connection.execute(ANOTHER).await.is_err());
    connection.execute(STUCK).await.unwrap();
    assert!(connection.execute(ANOTHER).await.is_err());
    connection.execute(ENDED).await.unwrap();
    connection.execute(ANOTHER).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn postgres_refuses_a_second_operation_on_a_stack() {
    let url = Cluster::shared().database();
    in_postgres(&url).await.begin(&new(1, "alice"), None).await.unwrap();
    let mut connection = PgConnection::connect(&url).await.unwrap();
    assert!(connection.execute(ANOTHER).await.is_err());
    connection.execute(STUCK).await.unwrap();
    assert!(connection.execute(ANOTHER).await.is_err());
    connection.execute(ENDED).await.unwrap();
    connection.execute(ANOTHER).await.unwrap();
}
