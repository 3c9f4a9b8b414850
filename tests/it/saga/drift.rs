//! What a stack runs is compared with its revision, and what differs is reported (promise P21).

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::reconciler::{Drift, Finding, RowDrift};
use ai_stack_deployer::server::store::{Specs as _, Stacks as _};
use domain::kind::{RESTART, STOP};
use serde_json::{Value, json};

use super::world::World;
use crate::support::memory_store::MemoryStore;

/// Changes the row of the only application in Dokploy, as somebody else would.
fn change_row(world: &World, field: &str, value: impl Into<Value>) {
    let rows = world.platform.read("/sandbox/state");
    let row = &rows["applications"][0];
    let mut body = json!({ "applicationId": row["applicationId"] });
    body[field] = value.into();
    world.platform.as_another_user("application.update", &body);
}

/// Changes it, and reloads it.
fn change(world: &World, field: &str, value: &str) {
    change_row(world, field, value);
    let rows = world.platform.read("/sandbox/state");
    let row = &rows["applications"][0];
    let reload = json!({ "applicationId": row["applicationId"], "appName": row["appName"] });
    world.platform.as_another_user("application.reload", &reload);
    // Until the swarm has replaced the container, nothing is said.
    world.clock.advance(Duration::from_mins(1));
}

/// Returns what the stack runs, and what its row holds, instead of its revision.
async fn all_drifts(world: &World) -> (Vec<Drift>, Vec<RowDrift>) {
    let (mut runs, mut holds) = (Vec::new(), Vec::new());
    for finding in world.reconciler().survey().await.unwrap() {
        match finding {
            Finding::Drift { drift, .. } => runs.push(drift),
            Finding::RowDrift { drift, .. } => holds.push(drift),
            other => panic!("{other}"),
        }
    }
    (runs, holds)
}

async fn drifts(world: &World) -> Vec<Drift> {
    all_drifts(world).await.0
}

async fn row_drifts(world: &World) -> Vec<RowDrift> {
    let (runs, holds) = all_drifts(world).await;
    assert_eq!(runs, [], "nothing runs otherwise");
    holds
}

fn other_image(holds: &str, expected: &str) -> RowDrift {
    RowDrift::Image { holds: holds.to_owned(), expected: expected.to_owned() }
}

#[tokio::test]
async fn another_image_and_another_revision_are_reported_until_they_are_gone() {
    let mut world = World::driven("sandbox/revisions:1", &[]).await;
    assert_eq!(drifts(&world).await, []);
    change(&world, "dockerImage", "sandbox/revisions:3");
    let image = Drift::Image {
        runs: String::from("sandbox/revisions:3"),
        expected: String::from("sandbox/revisions:1"),
    };
    assert_eq!(drifts(&world).await, [image]);
    let found = world.reconciler().survey().await.unwrap();
    assert!(
        found[0].to_string().contains("the image sandbox/revisions:3 instead of"),
        "{}",
        found[0]
    );
    change(&world, "dockerImage", "sandbox/revisions:1");
    assert_eq!(drifts(&world).await, []);

    change(&world, "env", "STACK_REVISION=7");
    let revision = Drift::Revision { runs: String::from("7"), expected: 1 };
    assert_eq!(drifts(&world).await, [revision]);
    // A container of an older version has no number.
    change(&world, "env", "");
    assert_eq!(drifts(&world).await, []);
    world.run_on_stack(&RESTART, 50).await;
}

#[tokio::test]
async fn a_change_is_no_drift_and_of_a_stopped_stack_nothing_is_said() {
    let mut world = World::driven("sandbox/revisions:1", &[]).await;
    world.ask_to_change(50, |spec| "sandbox/revisions:2".clone_into(&mut spec.image)).await;
    world.drive().await;
    assert_eq!(drifts(&world).await, []);
    let stack = world.store.stacks(None).await.unwrap()[0].revision;
    assert_eq!(world.store.spec(stack).await.unwrap().unwrap().spec.image, "sandbox/revisions:2");
    world.run_on_stack(&STOP, 51).await;
    change(&world, "dockerImage", "sandbox/revisions:3");
    let row = other_image("sandbox/revisions:3", "sandbox/revisions:2");
    assert_eq!(row_drifts(&world).await, [row], "nothing runs, but its row is another one");
}

#[tokio::test]
async fn a_row_that_somebody_changed_is_reported_before_it_takes_effect() {
    let mut world = World::driven("sandbox/revisions:1", &[]).await;
    change_row(&world, "dockerImage", "sandbox/revisions:3");
    let image = other_image("sandbox/revisions:3", "sandbox/revisions:1");
    assert_eq!(row_drifts(&world).await, [image]);
    let text = world.reconciler().survey().await.unwrap()[0].to_string();
    for part in ["sandbox/revisions:3 instead of", "next reload", "alice", world.id.as_str()] {
        assert!(text.contains(part), "no {part}: {text}");
    }
    change_row(&world, "dockerImage", "sandbox/revisions:1");
    change_row(&world, "replicas", 0);
    assert_eq!(row_drifts(&world).await, [RowDrift::Replicas { holds: 0, expected: 1 }]);
    change_row(&world, "replicas", 1);
    change_row(&world, "env", "STACK_REVISION='7' # by hand\nTOKEN=${{project.TOKEN}}");
    let revision = RowDrift::Revision { holds: String::from("7"), expected: 1 };
    assert_eq!(row_drifts(&world).await, [revision]);
    // The portal writes the row anew with each change.
    world.ask_to_change(50, |spec| "sandbox/revisions:2".clone_into(&mut spec.image)).await;
    assert_eq!(row_drifts(&world).await, [], "an operation is under way");
    world.drive().await;
    assert_eq!(row_drifts(&world).await, []);
    change_row(&world, "dockerImage", "sandbox/revisions:3");
    world.platform.core().inject("application.one:error-before".parse().unwrap());
    assert_eq!(row_drifts(&world).await, [], "a row that is not shown");
}

#[tokio::test]
async fn of_a_row_whose_revision_is_unknown_nothing_is_said() {
    for is_assumed in [false, true] {
        let store = Arc::new(MemoryStore::default());
        let world = World::begin_in(Arc::clone(&store) as _, "sandbox/revisions:1", &[]).await;
        // An older version kept no spec. The first worker assumes one for what is under way.
        if is_assumed {
            store.forget_specs();
        }
        world.drive().await;
        if !is_assumed {
            store.forget_specs();
        }
        change(&world, "dockerImage", "sandbox/revisions:3");
        assert_eq!(all_drifts(&world).await, (vec![], vec![]));
    }
}
