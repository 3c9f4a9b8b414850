//! Middlewares of the reverse proxy: a host that names a missing one is gone, and `retry` lets
//! visitors wait for a container.

use std::time::Duration;

use serde_json::{Value, json};

use super::world::{Stack, World};

const FOLDER: &str = "/etc/dokploy/traefik/dynamic";
const FILE: &str = "http: {middlewares: {portal-retry: {retry: {attempts: 12, initialInterval: \
                    300ms}}}, routers: {portal-retry: {rule: \"Host(`retry--portal.localhost`)\", \
                    entryPoints: [web], service: \"noop@internal\", middlewares: \
                    [portal-retry]}}}\n";
const HOST: &str = "demo.localhost";

fn write(world: &mut World, name: &str, text: &str) {
    let body = json!({ "path": format!("{FOLDER}/{name}.yml"), "traefikConfig": text });
    assert_eq!(world.post("/api/settings.updateTraefikFile", body), json!(true));
}

fn domain(world: &mut World, stack: &Stack, middlewares: &[&str]) -> Value {
    let body = json!({
        "host": HOST, "port": 8080, "applicationId": stack.application, "middlewares": middlewares,
    });
    world.post("/api/domain.create", body)
}

fn status(world: &mut World, host: &str) -> u16 {
    world.ask(host, "/").status
}

#[test]
fn a_host_whose_middleware_does_not_exist_answers_404_until_it_does() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    world.domain(&stack, "other.localhost");
    domain(&mut world, &stack, &["portal-retry@file"]);
    assert_eq!(status(&mut world, HOST), 404);
    assert_eq!(status(&mut world, "other.localhost"), 200);
    assert_eq!(status(&mut world, "retry--portal.localhost"), 404);
    write(&mut world, "portal-retry", FILE);
    assert_eq!(status(&mut world, HOST), 200);
    assert_eq!(status(&mut world, "retry--portal.localhost"), 418);

    let other = "http: {middlewares: {other: {redirectScheme: {scheme: https}}}}\n";
    write(&mut world, "portal-retry", other);
    assert_eq!(status(&mut world, HOST), 404);
    write(&mut world, "portal-retry", FILE);
    world.core.remove_file(&format!("{FOLDER}/portal-retry.yml"));
    assert_eq!(status(&mut world, HOST), 404);
    assert_eq!(status(&mut world, "other.localhost"), 200);
}

#[test]
fn a_frozen_proxy_takes_up_no_middleware_and_loses_none() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    write(&mut world, "bad", "http:\n  middlewares: {}\n");
    write(&mut world, "portal-retry", FILE);
    assert_eq!(status(&mut world, "retry--portal.localhost"), 404);
    write(&mut world, "bad", "http: {middlewares: {x: {redirectScheme: {scheme: https}}}}\n");
    assert_eq!(status(&mut world, "retry--portal.localhost"), 418);
    domain(&mut world, &stack, &["portal-retry@file"]);
    write(&mut world, "portal-retry", "http: {middlewares: {}}\n");
    assert_eq!(status(&mut world, HOST), 200);
}

#[test]
fn retry_asks_again_for_four_and_a_half_seconds_where_no_container_takes_the_request() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    write(&mut world, "portal-retry", FILE);
    let made = domain(&mut world, &stack, &["portal-retry@file"]);
    assert_eq!(made["middlewares"], json!(["portal-retry@file"]));
    assert_eq!(world.ask(HOST, "/").retries, Vec::<Duration>::new());
    world.post("/api/application.stop", json!({ "applicationId": stack.application }));
    world.advance(100);
    let answer = world.ask(HOST, "/");
    assert_eq!((answer.status, answer.retries.len()), (502, 11));
    let whole: Duration = answer.retries.iter().sum();
    assert!((4_400..5_000).contains(&whole.as_millis()), "{whole:?}");

    let update = json!({ "domainId": made["domainId"], "host": HOST, "middlewares": [] });
    world.post("/api/domain.update", update);
    assert_eq!(world.ask(HOST, "/").retries, Vec::<Duration>::new());
}

#[test]
fn an_update_of_a_domain_changes_what_it_names_and_survives_a_deployment() {
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
    write(&mut world, "portal-retry", FILE);
    let made = world.domain(&stack, HOST);
    let update = |more: Value| {
        let mut body = json!({ "domainId": made, "host": HOST });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let body = update(json!({ "middlewares": ["portal-retry@file"] }));
    let row = world.post("/api/domain.update", body);
    assert_eq!((&row["port"], &row["middlewares"]), (&json!(8080), &json!(["portal-retry@file"])));
    let row = world.post("/api/domain.update", update(json!({})));
    assert_eq!(row["middlewares"], json!(["portal-retry@file"]));
    world.deploy(&stack, "again");
    world.advance(100);
    assert_eq!(status(&mut world, HOST), 200);
    let moved = json!({ "domainId": made, "host": "moved.localhost" });
    world.post("/api/domain.update", moved);
    assert_eq!((status(&mut world, HOST), status(&mut world, "moved.localhost")), (404, 200));
    let unknown = json!({ "domainId": "none", "host": HOST });
    assert_eq!(world.status("/api/domain.update", unknown), 404);
}
