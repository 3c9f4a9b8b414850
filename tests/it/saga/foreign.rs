//! Resources of others: never changed, and never reported as removed (promise P9).

use ai_stack_deployer::server::store::{Operations, State, StepId};
use domain::receipt::{Outcome, ResourceKind};
use serde_json::{Value, json};

use super::world::{World, remedy};

/// Creates a project with an application as another user.
fn make_theirs(world: &World, description: impl Into<Value>) {
    let environment = world.make_project("ai-stack-alice", description);
    world.make_application(["alice", "stack-alice"], "theirs", environment);
}

/// Drives a deployment with a lost response to a rollback, and checks that the resources of others
/// still exist.
async fn assert_untouched_by(world: &World) {
    let before = world.platform.inventory().await;
    world.inject("project.create:error-before");
    world.drive().await;
    assert_eq!(world.record().await.state, State::RolledBack);
    assert!(world.platform.count("project.all") > 1, "it searched, and found that of others");
    assert_eq!(world.platform.inventory().await, before);
}

#[tokio::test]
async fn a_foreign_project_of_the_same_name_is_neither_adopted_nor_removed() {
    let world = World::begin("sandbox/crashloop", &[]).await;
    make_theirs(&world, Value::Null);
    assert_untouched_by(&world).await;
}

#[tokio::test]
async fn a_project_with_the_marker_of_another_deployment_is_neither_adopted_nor_removed() {
    let world = World::begin("sandbox/crashloop", &[]).await;
    let other = format!("ai-stack-deployer/test/dep_{}", "0".repeat(32));
    make_theirs(&world, other);
    let ours = format!("ai-stack-deployer/another-portal/{}", world.id);
    make_theirs(&world, ours);
    assert_untouched_by(&world).await;
}

#[tokio::test]
async fn a_foreign_application_in_our_project_stays_and_so_does_the_project() {
    let world = World::begin("sandbox/crashloop", &[]).await;
    world.drive_until(StepId::APPLICATION).await;
    let project = world.first("projects", "projectId").await;
    let environment = world.environment_of(&project).await;
    world.make_application(["alice", "stack-alice"], "theirs", environment);
    world.inject("application.create:error-before");
    world.drive().await;

    assert_eq!(world.record().await.state, State::Stuck);
    let inventory = world.platform.inventory().await;
    let applications = inventory["applications"].as_array().unwrap();
    assert_eq!(applications.len(), 1);
    assert_eq!(applications[0]["description"], "theirs");
    let left: Vec<_> =
        world.failure().await.receipt.leftovers().map(|line| line.resource).collect();
    assert_eq!(left, [ResourceKind::Project]);
}

#[tokio::test]
async fn a_copy_with_our_marker_and_another_name_is_not_ours() {
    let world = World::begin("sandbox/hello", &["application.deploy:reset"]).await;
    world.drive_until(StepId::DEPLOY).await;
    let marker = format!("ai-stack-deployer/test/{}", world.id);
    let project = world.first("projects", "projectId").await;
    let environment = world.environment_of(&project).await;
    world.make_application(["alice (copy)", "stack-alice"], &marker, environment);
    world.make_project("alice for testing", marker);
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert!(world.platform.count("project.all") > 0, "it searched for duplicates");
    let (projects, applications, ..) = world.count().await;
    assert_eq!((projects, applications), (2, 2));

    let removal = world.begin_removal().await;
    world.drive().await;
    let inventory = world.platform.inventory().await;
    let names = |kind: &str| {
        let rows = inventory[kind].as_array().unwrap().iter();
        rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("applications"), ["alice (copy)"]);
    assert!(names("projects").contains(&String::from("alice for testing")), "{inventory}");
    let removal = world.store.find(&removal).await.unwrap().unwrap();
    assert_eq!(removal.state, State::Stuck, "the project still holds something that is not ours");
}

#[tokio::test]
async fn an_address_that_a_person_added_to_the_stack_is_no_duplicate() {
    let world = World::begin("sandbox/hello", &["application.deploy:reset"]).await;
    world.drive_until(StepId::DEPLOY).await;
    let application = world.first("applications", "applicationId").await;
    let domain = json!({
        "host": "chat.example.com",
        "port": 8080,
        "https": false,
        "certificateType": "none",
        "applicationId": application,
        "domainType": "application",
    });
    world.platform.as_another_user("domain.create", &domain);
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert!(world.platform.count("project.all") > 0, "it searched for duplicates");
    assert_eq!(world.count().await.2, 2);
}

#[tokio::test]
async fn a_resource_without_our_marker_is_left_and_not_reported_as_gone() {
    let mut world = World::begin("sandbox/crashloop", &[]).await;
    world.drive_until(StepId::HEALTH).await;
    world.configure(|settings| settings.portal_name = String::from("renamed"));
    world.drive().await;
    assert_eq!(world.count().await, (1, 1, 1, 1), "it no longer looks like ours");
    assert_eq!(world.record().await.state, State::Stuck);
    // Deleting the project manually would leave its container behind.
    for line in world.failure().await.receipt.leftovers() {
        let remedy = remedy(line);
        assert!(!remedy.contains("not there any more"), "{remedy}");
        assert!(!remedy.contains("Delete the project"), "{remedy}");
    }
    let lines = world.failure().await.receipt.lines;
    assert_eq!(lines.len(), 4);
    for line in lines {
        assert_eq!(line.outcome, Outcome::Left, "{line:?}");
        assert!(line.remedy.is_some());
    }
}
