//! A project that somebody deletes manually: its service and its route remain.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::platform::{AppName, Platform, PlatformError, RouteFile};
use ai_stack_deployer::server::probe::{Health, Probe};
use ai_stack_deployer::server::store::State;
use async_trait::async_trait;
use clock::Clock;
use dokploy_sandbox::EdgeResponse;
use domain::event::FailureCode;
use domain::progress::End;
use domain::receipt::{Line, Outcome, Receipt, ResourceKind};
use domain::remedy::Remedy;
use serde_json::json;

use super::world::{World, remedy};
use crate::support::claim_one::CLEAN_UP;

const HOST: &str = "alice.localhost";

/// Deploys a stack and deletes its project manually; returns the name of its service.
async fn deleted_by_hand() -> (World, String) {
    let world = World::driven("sandbox/hello", &[]).await;
    let service = world.first("services", "appName").await;
    let project = world.first("projects", "projectId").await;
    world.platform.as_another_user("project.remove", &json!({ "projectId": project }));
    assert_eq!(visit(&world), EdgeResponse::Healthy, "it lives on");
    (world, service)
}

fn visit(world: &World) -> EdgeResponse {
    let now = world.clock.now();
    world.platform.core().visit(now, HOST)
}

async fn receipt(world: &World) -> Receipt {
    match (world.record().await.metadata.receipt, world.end().await) {
        (Some(receipt), _) => receipt,
        (None, End::Removed(removal)) => removal.receipt,
        (None, End::Failed(failure)) => failure.receipt,
        (None, other @ End::Live(_)) => panic!("it was not removed: {other:?}"),
    }
}

fn of(receipt: &Receipt, kind: ResourceKind) -> Line {
    receipt.lines.iter().find(|line| line.resource == kind).unwrap().clone()
}

#[tokio::test]
async fn its_route_is_removed_before_the_address_is_reported_as_gone() {
    let (mut world, service) = deleted_by_hand().await;
    world.run_removal().await;
    assert_eq!(world.record().await.state, State::Stuck, "no call removes the service");
    assert_eq!(visit(&world), EdgeResponse::UnknownHost);
    let told = receipt(&world).await;
    assert_eq!(of(&told, ResourceKind::Domain).outcome, Outcome::VerifiedGone);
    let remedy = |kind| of(&told, kind).remedy;
    assert_eq!(
        remedy(ResourceKind::Service),
        Some(Remedy::RemoveService { service: service.clone() })
    );
    assert_eq!(of(&told, ResourceKind::Application).outcome, Outcome::VerifiedGone);
    assert_eq!(remedy(ResourceKind::Project), Some(Remedy::AlreadyGone));

    // Other stacks are not affected: the proxy still applies changes.
    let environment = world.make_project("theirs", "");
    let made = world.make_application(["theirs", "theirs"], "", environment);
    let domain = json!({ "host": "new.localhost", "applicationId": made["applicationId"] });
    world.platform.as_another_user("domain.create", &domain);
    let now = world.clock.now();
    assert_eq!(world.platform.core().visit(now, "new.localhost"), EdgeResponse::Down);

    assert!(world.platform.core().remove_service(now, &service));
    world.clean_up(1).await;
    assert!(receipt(&world).await.clean);
}

#[tokio::test]
async fn a_write_that_only_reports_success_is_detected() {
    let (mut world, _) = deleted_by_hand().await;
    world.inject("settings.updateTraefikFile:ignored");
    world.run_removal().await;
    assert_eq!(visit(&world), EdgeResponse::Healthy);
    let told = receipt(&world).await;
    let of_it = |line: &&Line| line.resource == ResourceKind::Domain;
    let [line] = &told.lines.iter().filter(of_it).collect::<Vec<_>>()[..] else {
        panic!("one line tells of the address: {told:?}")
    };
    assert_eq!(line.outcome, Outcome::Left);
    let remedy = remedy(line);
    assert!(remedy.contains("still routes alice.localhost"), "{remedy}");
    world.clock.advance(Duration::from_mins(31));
    world.drive_once(CLEAN_UP).await.unwrap();
    assert_eq!(visit(&world), EdgeResponse::UnknownHost, "the next try writes it");
}

#[tokio::test]
async fn a_file_without_our_host_is_not_changed() {
    let (mut world, service) = deleted_by_hand().await;
    let text = "http:\n  routers:\n    x:\n      rule: Host(`theirs.localhost`)\n  services:\n    \
                s:\n      url: http://other:8080\n";
    let path = format!("/etc/dokploy/traefik/dynamic/{service}.yml");
    let body = json!({ "path": path, "traefikConfig": text });
    world.platform.as_another_user("settings.updateTraefikFile", &body);
    world.run_removal().await;
    assert_eq!(world.platform.count("settings.updateTraefikFile"), 0);
}

#[tokio::test]
async fn a_proxy_that_applies_no_changes_is_reported_and_the_address_is_not_gone() {
    let (mut world, service) = deleted_by_hand().await;
    let path = "/etc/dokploy/traefik/dynamic/theirs.yml";
    let write = |text: &str| {
        let body = json!({ "path": path, "traefikConfig": text });
        world.platform.as_another_user("settings.updateTraefikFile", &body);
    };
    write("http: {}\n");
    world.run_removal().await;
    assert_eq!(visit(&world), EdgeResponse::Healthy, "the proxy is frozen");
    let line = of(&receipt(&world).await, ResourceKind::Domain);
    assert_eq!(line.outcome, Outcome::Left);
    assert!(remedy(&line).contains("a file that it cannot read"));

    let mended =
        json!({ "path": path, "traefikConfig": "http: {routers: {x: {rule: Host(`x`)}}}" });
    world.platform.as_another_user("settings.updateTraefikFile", &mended);
    assert_eq!(visit(&world), EdgeResponse::UnknownHost);
    let now = world.clock.now();
    assert!(world.platform.core().remove_service(now, &service));
    world.clean_up(1).await;
    assert!(receipt(&world).await.clean);
}

/// Lets the platform refuse once to show the route file.
fn refuse_to_show_the_file(world: &World) {
    let call = "settings.readTraefikFile";
    let refused = PlatformError::Refused { call, status: 403, detail: String::new() };
    world.platform.plan(call, Some(refused));
}

/// Checks that the address is a leftover, and that its remedy names the file that may still route
/// it.
async fn assert_left_with_its_file_named(world: &World) {
    let line = of(&receipt(world).await, ResourceKind::Domain);
    assert_eq!(line.outcome, Outcome::Left);
    assert!(remedy(&line).contains("/etc/dokploy/traefik/dynamic/stack-alice-"));
}

#[tokio::test]
async fn a_file_that_the_platform_does_not_show_proves_nothing() {
    let (mut world, _) = deleted_by_hand().await;
    refuse_to_show_the_file(&world);
    world.run_removal().await;
    assert_left_with_its_file_named(&world).await;
}

#[tokio::test]
async fn the_silence_of_a_stack_without_a_container_proves_nothing() {
    let (mut world, service) = deleted_by_hand().await;
    refuse_to_show_the_file(&world);
    assert!(world.platform.core().scale_service(world.clock.now(), &service, 0));
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(visit(&world), EdgeResponse::Down, "its route is there still");
    world.run_removal().await;
    assert_left_with_its_file_named(&world).await;
}

#[tokio::test]
async fn a_file_that_the_platform_never_shows_is_removed_with_its_service_but_not_proved_gone() {
    let (mut world, service) = deleted_by_hand().await;
    world.inject("settings.readTraefikFile:unauthorized:always");
    assert!(world.platform.core().remove_service(world.clock.now(), &service));
    world.clock.advance(Duration::from_mins(1));
    world.run_removal().await;
    let told = receipt(&world).await;
    assert_eq!(of(&told, ResourceKind::Domain).outcome, Outcome::Removed);
    assert!(told.clean, "the name is free: {told:?}");
}

#[tokio::test]
async fn a_key_that_may_not_read_the_file_does_not_block_a_removal() {
    let (mut world, _) = deleted_by_hand().await;
    world.inject("settings.readTraefikFile:unauthorized:always");
    let began = world.clock.now();
    world.run_removal().await;
    let took = world.clock.now().duration_since(began).unsigned_abs();
    assert!(took < Duration::from_mins(1), "{took:?}");
    let line = of(&receipt(&world).await, ResourceKind::Domain);
    assert!(remedy(&line).contains("/etc/dokploy/traefik/dynamic/stack-alice-"));
    assert_eq!(world.failure().await.code, FailureCode::PlatformRefused, "not for its key");
}

#[tokio::test]
async fn a_key_that_may_not_write_the_file_does_not_block_a_removal() {
    for refused in ["unauthorized", "unauthorized-within"] {
        let (mut world, _) = deleted_by_hand().await;
        world.inject(&format!("settings.updateTraefikFile:{refused}:always"));
        let began = world.clock.now();
        world.run_removal().await;
        let took = world.clock.now().duration_since(began).unsigned_abs();
        assert!(took < Duration::from_mins(1), "{took:?}");
        let line = of(&receipt(&world).await, ResourceKind::Domain);
        assert!(remedy(&line).contains("still routes alice.localhost"));
    }
}

#[tokio::test]
async fn a_key_that_is_refused_once_may_read_the_file() {
    for cause in ["unauthorized", "key-limited=50s", "database-lost=50s"] {
        let (mut world, _) = deleted_by_hand().await;
        world.inject(&format!("settings.readTraefikFile:{cause}"));
        world.run_removal().await;
        let line = of(&receipt(&world).await, ResourceKind::Domain);
        assert_eq!(line.outcome, Outcome::VerifiedGone, "{cause}");
        assert_eq!(visit(&world), EdgeResponse::UnknownHost, "{cause}");
    }
}

/// Leaves a removal stuck like an older version: its address is recorded as gone, its application
/// does not exist, and the file still routes to its service.
async fn stuck_beside_its_open_file() -> (World, String) {
    let mut world = World::driven("sandbox/hello", &[]).await;
    let service = world.first("services", "appName").await;
    let project = world.first("projects", "projectId").await;
    let file = RouteFile::of(&AppName(service.clone())).unwrap();
    let text = world.platform.client().route_file(&file).await.unwrap().unwrap();
    world.inject("application.delete:error-before:always");
    world.run_removal().await;
    assert_eq!(of(&receipt(&world).await, ResourceKind::Domain).outcome, Outcome::VerifiedGone);
    world.platform.core().clear_faults();
    world.platform.as_another_user("project.remove", &json!({ "projectId": project }));
    let open = json!({ "path": file.path(), "traefikConfig": text });
    world.platform.as_another_user("settings.updateTraefikFile", &open);
    assert_eq!(visit(&world), EdgeResponse::Healthy, "it answers beside its receipt");
    (world, service)
}

#[tokio::test]
async fn a_file_that_an_older_version_left_is_cleared_before_its_service_is_checked() {
    let (world, service) = stuck_beside_its_open_file().await;
    world.clock.advance(Duration::from_mins(31));
    world.drive_once(CLEAN_UP).await.unwrap();
    assert_eq!(visit(&world), EdgeResponse::UnknownHost);
    assert!(world.platform.core().remove_service(world.clock.now(), &service));
    world.clean_up(1).await;
    assert!(receipt(&world).await.clean);
}

#[tokio::test]
async fn no_name_becomes_free_whose_route_file_could_not_be_cleared() {
    let (world, service) = stuck_beside_its_open_file().await;
    world.inject("settings.updateTraefikFile:ignored");
    assert!(world.platform.core().remove_service(world.clock.now(), &service));
    world.clock.advance(Duration::from_mins(31));
    world.drive_once(CLEAN_UP).await.unwrap();
    assert_eq!(world.record().await.state, State::Stuck);
    let told = receipt(&world).await;
    let remedies: Vec<_> = told.leftovers().map(remedy).collect();
    assert!(remedies[0].contains("still routes alice.localhost"), "{remedies:?}");
    world.clean_up(1).await;
    assert!(receipt(&world).await.clean);
}

/// Something that answers at every address.
struct Everywhere;

#[async_trait]
impl Probe for Everywhere {
    async fn check(&self, _: &str, _: Duration) -> Health {
        Health::Answering(200)
    }
}

#[tokio::test]
async fn an_address_at_which_something_else_answers_is_removed_but_not_verified_as_gone() {
    let mut world = World::driven("sandbox/hello", &[]).await;
    world.ports.probe = Arc::new(Everywhere);
    world.run_removal().await;
    let told = receipt(&world).await;
    assert_eq!(of(&told, ResourceKind::Domain).outcome, Outcome::Removed);
    assert!(told.clean, "it keeps nothing from being removed: {told:?}");
}

#[tokio::test]
async fn an_ordinary_removal_writes_no_file() {
    let mut world = World::driven("sandbox/hello", &[]).await;
    world.run_removal().await;
    assert_eq!(world.platform.count("settings.updateTraefikFile"), 0);
    world.assert_all_or_nothing("an ordinary removal").await;
}

#[tokio::test]
async fn the_comparison_reports_its_service_beside_the_lost_stack() {
    let (world, service) = deleted_by_hand().await;
    let found = world.reconciler().survey().await.unwrap();
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|text| text.contains(&service)), "{found:?}");
    assert!(found.iter().any(|text| text.contains("remove the stack in the portal")), "{found:?}");
}
