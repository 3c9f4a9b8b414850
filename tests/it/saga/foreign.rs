//! What is not ours: never touched, and never called gone (promise P9).

use ai_stack_deployer::server::store::{Operations, State, StepId};
use domain::receipt::{Outcome, ResourceKind};
use serde_json::{Value, json};

use super::world::{World, remedy};

/// Makes a project as somebody else, with an application in it.
fn make_theirs(world: &World, description: &Value) {
    let project = json!({ "name": "ai-stack-alice", "description": description, "env": "" });
    let made = world.platform.as_somebody_else("project.create", &project);
    add_application(world, &made["environment"]["environmentId"]);
}

fn add_application(world: &World, environment: &Value) {
    add_application_called("alice", "theirs", world, environment);
}

fn add_application_called(name: &str, description: &str, world: &World, environment: &Value) {
    let application = json!({
        "name": name,
        "appName": "stack-alice",
        "description": description,
        "environmentId": environment,
        "sourceType": "docker",
    });
    world.platform.as_somebody_else("application.create", &application);
}

/// Drives to a rollback through a lost answer, and checks that what was there still is.
async fn assert_untouched_by(world: &World) {
    let before = world.platform.inventory().await;
    world.inject("project.create:error-before");
    world.drive().await;
    assert_eq!(world.record().await.state, State::RolledBack);
    assert!(world.platform.count("project.all") > 1, "it looked, and saw theirs");
    assert_eq!(world.platform.inventory().await, before);
}

#[tokio::test]
async fn a_foreign_project_of_the_same_name_is_neither_adopted_nor_removed() {
    let world = World::begin("sandbox/crashloop", &[]).await;
    make_theirs(&world, &Value::Null);
    assert_untouched_by(&world).await;
}

#[tokio::test]
async fn a_project_with_the_marker_of_another_deployment_is_neither_adopted_nor_removed() {
    let world = World::begin("sandbox/crashloop", &[]).await;
    let other = format!("ai-stack-deployer/test/dep_{}", "0".repeat(32));
    make_theirs(&world, &Value::from(other));
    let ours = format!("ai-stack-deployer/another-portal/{}", world.id);
    make_theirs(&world, &Value::from(ours));
    assert_untouched_by(&world).await;
}

#[tokio::test]
async fn a_foreign_application_in_our_project_stays_and_so_does_the_project() {
    let world = World::begin("sandbox/crashloop", &[]).await;
    world.drive_until(StepId::APPLICATION).await;
    let project = &world.platform.inventory().await["projects"][0]["projectId"];
    let environment = world.environment_of(project.as_str().unwrap()).await;
    add_application(&world, &Value::from(environment));
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
async fn a_copy_keeps_our_marker_under_another_name_and_is_theirs() {
    let world = World::begin("sandbox/hello", &["application.deploy:reset"]).await;
    world.drive_until(StepId::DEPLOY).await;
    let marker = format!("ai-stack-deployer/test/{}", world.id);
    let project = &world.platform.inventory().await["projects"][0]["projectId"];
    let environment = world.environment_of(project.as_str().unwrap()).await;
    add_application_called("alice (copy)", &marker, &world, &Value::from(environment));
    let copy = json!({ "name": "alice for testing", "description": marker, "env": "" });
    world.platform.as_somebody_else("project.create", &copy);
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert!(world.platform.count("project.all") > 0, "it looked for doubles");
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
    let application = world.platform.inventory().await["applications"][0]["applicationId"].clone();
    let domain = json!({
        "host": "chat.example.com",
        "port": 8080,
        "https": false,
        "certificateType": "none",
        "applicationId": application,
        "domainType": "application",
    });
    world.platform.as_somebody_else("domain.create", &domain);
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert!(world.platform.count("project.all") > 0, "it looked for doubles");
    assert_eq!(world.count().await.2, 2);
}

#[tokio::test]
async fn what_lost_our_marker_is_left_and_not_called_gone() {
    let mut world = World::begin("sandbox/crashloop", &[]).await;
    world.drive_until(StepId::HEALTH).await;
    world.configure(|settings| settings.portal_name = String::from("renamed"));
    world.drive().await;
    assert_eq!(world.count().await, (1, 1, 1, 1), "it no longer looks like ours");
    assert_eq!(world.record().await.state, State::Stuck);
    // Deleting the project by hand would leave its container behind.
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
