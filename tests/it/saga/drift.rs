//! What a stack runs is compared with its revision, and what differs is reported (promise P21).

use std::time::Duration;

use ai_stack_deployer::server::reconciler::{Drift, Finding};
use ai_stack_deployer::server::store::{Specs as _, Stacks as _};
use domain::kind::{RESTART, STOP};
use serde_json::json;

use super::world::World;

/// Changes the application of the only stack in Dokploy, as somebody else would, and reloads it.
fn change(world: &World, field: &str, value: &str) {
    let rows = world.platform.read("/sandbox/state");
    let row = &rows["applications"][0];
    let mut body = json!({ "applicationId": row["applicationId"] });
    body[field] = value.into();
    world.platform.as_another_user("application.update", &body);
    let reload = json!({ "applicationId": row["applicationId"], "appName": row["appName"] });
    world.platform.as_another_user("application.reload", &reload);
    // Until the swarm has replaced the container, nothing is said.
    world.clock.advance(Duration::from_mins(1));
}

async fn drifts(world: &World) -> Vec<Drift> {
    let found = world.reconciler().survey().await.unwrap().into_iter();
    let drift = |finding| match finding {
        Finding::Drift { drift, .. } => drift,
        other => panic!("{other}"),
    };
    found.map(drift).collect()
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
    assert_eq!(drifts(&world).await, []);
}
