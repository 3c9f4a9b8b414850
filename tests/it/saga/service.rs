//! What a template says about the service: its command, and the runtime's own health check.

use std::sync::Arc;

use ai_stack_deployer::server::store::State;
use domain::event::FailureCode;
use domain::stack_spec::StackSpec;
use serde_json::{Value, json};

use super::volumes::volume;
use super::world::World;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::stack_settings;

/// Deploys a stack whose spec `change` changed.
async fn driven(image: &str, change: impl FnOnce(&mut StackSpec)) -> World {
    let store = Arc::new(MemoryStore::default());
    let world = World::begin_with(store, stack_settings(image), change, &[]).await;
    world.drive().await;
    world
}

/// Returns the application's row.
async fn row(world: &World) -> Value {
    let id = world.first("applications", "applicationId").await;
    world.platform.read(&format!("/api/application.one?applicationId={id}"))
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

#[tokio::test]
async fn the_command_replaces_the_arguments_of_the_image() {
    let command = ["serve", "--name", "two words"];
    let world = driven("sandbox/hello", |spec| spec.command = texts(&command)).await;
    assert_eq!(world.record().await.state, State::Live);
    let row = row(&world).await;
    assert_eq!((&row["args"], &row["command"]), (&json!(command), &Value::Null));
    assert_eq!(row["healthCheckSwarm"], Value::Null);
    assert_eq!(row["placementSwarm"], Value::Null);
}

#[tokio::test]
async fn the_health_check_starts_when_the_container_has_had_its_time() {
    let test = texts(&["CMD-SHELL", "exit 0"]);
    let change = |spec: &mut StackSpec| {
        spec.healthcheck = Some(test.clone());
        spec.volumes.push(volume());
    };
    let world = driven("sandbox/hello", change).await;
    assert_eq!(world.record().await.state, State::Live);
    let row = row(&world).await;
    let second = 1_000_000_000_u64;
    assert_eq!(
        row["healthCheckSwarm"],
        json!({
            "Test": test,
            "Interval": 5 * second,
            "Timeout": 5 * second,
            "StartPeriod": 60 * second,
            "Retries": 3,
        })
    );
    assert_eq!(row["placementSwarm"], json!({ "Constraints": ["node.hostname==sandbox"] }));
}

#[tokio::test]
async fn a_stack_whose_own_check_fails_is_undone() {
    let change = |spec: &mut StackSpec| spec.healthcheck = Some(texts(&["CMD", "false"]));
    let world = driven("sandbox/hello", change).await;
    let failure = world.failure().await;
    assert!(
        matches!(failure.code, FailureCode::HealthTimeout | FailureCode::CrashLoop),
        "{failure:?}"
    );
    world.assert_all_or_nothing("undone").await;
}
