//! Every route has a rule: those of the API, the pages, the server functions and the files.

use std::{fs, path::Path};

use ai_stack_deployer::{app::App, server::http::ruled_routes};
use axum::http::Method;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;

use super::world::{Who, World};

/// Finds what stands in `.route("...")` in the sources of a folder.
fn routes_in(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes_in(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let after = text.split(".route(\"").skip(1);
            found.extend(after.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
}

#[test]
fn every_route_has_a_rule() {
    let mut routes = Vec::new();
    routes_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/http"), &mut routes);
    assert!(routes.len() > 15, "{routes:?}");
    let pages = generate_route_list(App);
    assert!(pages.len() > 2);
    routes.extend(pages.iter().map(|page| page.path().to_owned()));
    let functions: Vec<_> = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    assert!(functions.len() > 4, "{functions:?}");
    routes.extend(functions);
    let ruled: Vec<_> = ruled_routes().map(|(route, _)| route).collect();
    for route in routes {
        assert!(ruled.contains(&route.as_str()), "{route} has no rule in http/door/rules.rs");
    }
}

#[tokio::test]
async fn a_method_without_a_rule_is_not_there() {
    let world = World::start().await;
    for (route, _) in ruled_routes() {
        if route.contains("rest") || matches!(route, "/api" | "/api/" | "/health/") {
            continue;
        }
        let path = route
            .replace("{id}", world.active.as_str())
            .replace("{name}", "livey")
            .replace("{*path}", "site.js");
        for method in [Method::PUT, Method::PATCH] {
            let reply = world.send(Who::Operator, method.clone(), &path, "").await;
            let is_there = reply.status.is_success() || reply.status.is_redirection();
            assert!(!is_there, "{method} {path}: {reply:?}");
        }
    }
}
