//! The remedies for leftovers do no harm in the state of the platform in which they are given.

use std::time::Duration;

use ai_stack_deployer::server::store::{State, StepId};
use domain::receipt::{Line, ResourceKind};
use serde_json::{Value, json};

use super::wedged::hang;
use super::world::{World, remedy};
use crate::support::claim_one::CLEAN_UP;
use crate::support::core_platform::Moment;

/// Returns the remedy of each leftover.
async fn advice(world: &World) -> Vec<(ResourceKind, String)> {
    assert_eq!(world.record().await.state, State::Stuck);
    let receipt = world.record().await.metadata.receipt;
    let receipt = match receipt {
        Some(receipt) => receipt,
        None => world.failure().await.receipt,
    };
    let advised = |line: &Line| (line.resource, remedy(line));
    receipt.leftovers().map(advised).collect()
}

/// Checks that the remedy of every leftover is to wait for `what`.
async fn assert_only_waits(world: &World, what: &str) {
    let advice = advice(world).await;
    assert!(!advice.is_empty());
    for (resource, remedy) in advice {
        assert!(remedy.starts_with(&format!("Waiting for {what}")), "{resource:?}: {remedy}");
    }
}

#[tokio::test]
async fn during_a_deploy_job_the_remedy_is_to_wait() {
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
async fn with_docker_down_the_remedy_is_to_wait() {
    let world = World::driven("sandbox/crashloop", &["domain.delete:docker-down=1h"]).await;
    assert_only_waits(&world, "Docker on the Dokploy server").await;
    world.clock.advance(Duration::from_hours(1));
    world.clean_up(1).await;
}

#[tokio::test]
async fn with_an_unreachable_platform_the_remedy_is_to_wait() {
    let world = World::driven("sandbox/crashloop", &["domain.delete:database-down=5h"]).await;
    assert_only_waits(&world, "Dokploy to answer").await;
}

#[tokio::test]
async fn remedies_delete_in_an_order_that_leaves_nothing_behind() {
    let world = World::driven("sandbox/crashloop", &["domain.delete:error-before:always"]).await;
    let [domain, service, application, project] = &advice(&world).await[..] else {
        panic!("another receipt")
    };
    assert!(domain.1.starts_with("Delete the domain alice.localhost ("), "{domain:?}");
    assert!(service.1.starts_with("It is removed with its application. Delete the"), "{service:?}");
    assert!(application.1.starts_with("Delete the application alice ("), "{application:?}");
    for (_, remedy) in [service, application] {
        assert!(remedy.contains("while no deployment of it is running or queued"), "{remedy}");
    }
    assert!(project.1.starts_with("Delete what is in the project "), "{project:?}");
}

#[tokio::test]
async fn a_name_that_somebody_gives_in_dokploy_is_shown_without_what_is_not_visible() {
    let world = World::begin("sandbox/crashloop", &[STUCK]).await;
    world.drive_until(StepId::DEPLOY).await;
    let application = world.first("applications", "applicationId").await;
    let change = json!({ "applicationId": application, "name": "al\u{202e}ice\u{200b}" });
    world.platform.as_another_user("application.update", &change);
    world.drive().await;
    let [_, service, application, _] = &advice(&world).await[..] else { panic!("another receipt") };
    for (_, remedy) in [service, application] {
        assert!(remedy.contains("Delete the application alice ("), "{remedy:?}");
    }
}

/// The last call of a look around, which nothing else makes.
const LOOK: &str = "overview.domains";
/// A fault that prevents every removal.
const STUCK: &str = "domain.delete:error-before:always";

#[tokio::test]
async fn a_platform_that_hangs_is_not_queried_for_remedies() {
    let world = World::begin("sandbox/hello", &[]).await;
    hang(&world, 4, None);
    world.drive().await;
    assert_only_waits(&world, "Dokploy to work for the portal again: Dokploy hangs").await;
    let calls = world.platform.all_calls();
    assert_eq!(calls.last().unwrap().0, "trpc/settings.health", "{calls:?}");
}

#[tokio::test]
async fn a_query_for_remedies_has_a_time_limit() {
    let fault = format!("{LOOK}:latency=6s");
    let world = World::driven("sandbox/crashloop", &[STUCK, &fault]).await;
    assert_only_waits(&world, "Dokploy to answer").await;
    let calls = world.platform.all_calls();
    assert_eq!(calls.last().unwrap().0, LOOK, "nothing is asked once the time is up: {calls:?}");
}

#[tokio::test]
async fn a_single_401_is_not_reported_as_a_refused_key() {
    let fault = format!("{LOOK}:unauthorized");
    let world = World::driven("sandbox/crashloop", &[STUCK, &fault]).await;
    assert_only_waits(&world, "Dokploy to answer").await;
}

#[tokio::test]
async fn with_a_refused_key_the_remedy_is_to_wait_for_another() {
    let world = World::driven("sandbox/crashloop", &["domain.delete:key-limited=10h"]).await;
    assert_only_waits(&world, "Dokploy to work for the portal again: Dokploy rejects the key")
        .await;
}

#[tokio::test]
async fn a_copy_of_another_user_is_neither_waited_for_nor_deleted() {
    let world = World::begin("sandbox/hello", &[]).await;
    let marker = format!("ai-stack-deployer/test/{}", world.id);
    let environment = world.make_project("alice for testing", &*marker);
    let copy = world.make_application(["alice", "alice"], &marker, environment);
    let copy = copy["applicationId"].clone();
    let update = json!({ "applicationId": copy, "dockerImage": "sandbox/slow" });
    world.platform.as_another_user("application.update", &update);
    let domain = json!({ "host": "alice.localhost", "applicationId": copy });
    world.platform.as_another_user("domain.create", &domain);

    world.inject("domain.create:error-before:always");
    world.inject("domain.byApplicationId:error-before:always");
    world.drive().await;
    world.clock.advance(Duration::from_secs(20));
    world.platform.as_another_user("application.deploy", &json!({ "applicationId": copy }));
    world.drive_once(CLEAN_UP).await.unwrap();
    let [domain, _, application, project] = &advice(&world).await[..] else {
        panic!("another receipt")
    };
    assert_eq!(domain.1, "Nothing to do: it no longer exists", "theirs leads there");
    assert!(application.1.starts_with("Delete the application alice ("), "{application:?}");
    assert!(!application.1.contains(copy.as_str().unwrap()), "{application:?}");
    assert!(project.1.contains("the project ai-stack-alice ("), "{project:?}");
}

#[tokio::test]
async fn an_application_that_was_moved_is_moved_back_and_nothing_else() {
    for keeps_its_address in [true, false] {
        let mut world = World::driven("sandbox/hello", &[]).await;
        let inventory = world.platform.inventory().await;
        let id = |kind: &str, id: &str| inventory[kind][0][id].as_str().unwrap().to_owned();
        let application = id("applications", "applicationId");
        let ours = world.environment_of(&id("projects", "projectId")).await;
        let move_to = |world: &World, environment: &Value| {
            let body = json!({ "applicationId": application, "targetEnvironmentId": environment });
            world.platform.as_another_user("application.move", &body);
        };
        move_to(&world, &world.make_project("theirs", ""));
        if !keeps_its_address {
            let domain = json!({ "domainId": id("domains", "domainId") });
            world.platform.as_another_user("domain.delete", &domain);
        }
        world.run_removal().await;
        let advice = advice(&world).await;
        assert_eq!(advice.len(), if keeps_its_address { 4 } else { 3 }, "{advice:?}");
        for (_, remedy) in advice {
            assert!(remedy.contains("was moved out of the project ai-stack-alice"), "{remedy}");
        }
        move_to(&world, &Value::from(ours));
        world.clean_up(1).await;
        assert_eq!(world.count().await, (1, 0, 0, 0), "theirs is left");
    }
}

/// Drives a deployment to its end whose duplicate cannot be removed. At its `call`-th call,
/// somebody removes the marker of the stack's application.
async fn with_a_duplicate(call: Option<usize>) -> World {
    let faults = ["application.deploy:reset", "project.remove:ignored:always"];
    let world = World::begin("sandbox/hello", &faults).await;
    world.drive_until(StepId::DEPLOY).await;
    let marker = format!("ai-stack-deployer/test/{}", world.id);
    world.make_project("ai-stack-alice", marker);
    let application = world.first("applications", "applicationId").await;
    if let Some(call) = call {
        let platform = world.platform.clone();
        let change = json!({ "applicationId": application, "description": "theirs" });
        world.platform.at_call(call, Moment::Before, async move {
            platform.as_another_user("application.update", &change);
        });
    }
    world.drive().await;
    world
}

#[tokio::test]
async fn a_leftover_duplicate_has_a_remedy_even_if_the_stack_itself_is_not_found() {
    let world = with_a_duplicate(None).await;
    let calls = world.platform.all_calls();
    let look = calls.iter().position(|(call, _)| *call == "project.all").unwrap() + 1;
    let world = with_a_duplicate(Some(look)).await;
    let log = world.log().await;
    let advised =
        "Could not remove the project ai-stack-alice: Delete the project ai-stack-alice (";
    assert!(log.iter().any(|entry| entry.contains(advised)), "{log:?}");
}
