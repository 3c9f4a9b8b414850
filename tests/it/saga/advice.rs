//! What is advised about what is left does no harm in the state in which it is advised.

use std::time::Duration;

use ai_stack_deployer::{
    domain::receipt::{Line, ResourceKind},
    server::ports::store::State,
};

use super::world::World;

/// Returns what is advised about each thing that is left.
async fn advice(world: &World) -> Vec<(ResourceKind, String)> {
    assert_eq!(world.record().await.state, State::Stuck);
    let receipt = world.record().await.standing.receipt;
    let receipt = match receipt {
        Some(receipt) => receipt,
        None => world.failure().await.receipt,
    };
    let advised = |line: &Line| (line.resource, line.remedy.clone().unwrap());
    receipt.left().map(advised).collect()
}

/// Checks that the only advice is to wait for this.
async fn assert_only_waits(world: &World, what: &str) {
    let advice = advice(world).await;
    assert!(!advice.is_empty());
    for (resource, remedy) in advice {
        assert!(remedy.starts_with(&format!("Waiting for {what}")), "{resource:?}: {remedy}");
    }
}

#[tokio::test]
async fn while_a_job_still_pulls_nothing_is_to_be_deleted() {
    let mut world = World::begin("sandbox/slow", &[]).await;
    world.configure(|settings| {
        settings.deadlines.deploy = Duration::from_secs(10);
        settings.deadlines.drain = Duration::from_secs(30);
    });
    world.drive().await;
    assert_only_waits(&world, "Dokploy's deploy job").await;
    world.clean_up(1).await;
    world.assert_all_or_nothing("once the job has ended").await;
}

#[tokio::test]
async fn while_docker_is_down_nothing_is_to_be_deleted() {
    let world = World::begin("sandbox/crashloop", &["domain.delete:docker-down=1h"]).await;
    world.drive().await;
    assert_only_waits(&world, "Docker on the Dokploy server").await;
    world.clock.advance(Duration::from_hours(1));
    world.clean_up(1).await;
}

#[tokio::test]
async fn while_the_platform_is_out_of_reach_there_is_nothing_but_to_wait() {
    let world = World::begin("sandbox/crashloop", &["domain.delete:database-down=5h"]).await;
    world.drive().await;
    assert_only_waits(&world, "Dokploy to answer").await;
}

#[tokio::test]
async fn what_is_there_is_deleted_in_an_order_that_leaves_nothing_behind() {
    let world = World::begin("sandbox/crashloop", &["domain.delete:error-before:always"]).await;
    world.drive().await;
    let [domain, service, application, project] = &advice(&world).await[..] else {
        panic!("another receipt")
    };
    assert!(domain.1.starts_with("Delete the domain alice.localhost ("), "{domain:?}");
    assert!(service.1.starts_with("It goes with its application. Delete the"), "{service:?}");
    assert!(application.1.starts_with("Delete the application alice ("), "{application:?}");
    for (_, remedy) in [service, application] {
        assert!(remedy.contains("while no deployment of it runs or waits"), "{remedy}");
    }
    assert!(project.1.starts_with("Delete what is in the project "), "{project:?}");
}
