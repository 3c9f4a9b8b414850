//! The table of routes is complete: it has all pages, server functions and handlers, each with a
//! rule.

use std::fs;
use std::path::Path;

use ai_stack_deployer::app::App;
use ai_stack_deployer::http::routes;
use axum::http::Method;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::generate_route_list;

use super::world::{Who, World};

/// Counts the places in the sources of a folder that add a route to the router.
fn routes_made_in(folder: &Path) -> usize {
    let made = [".route(", ".route_service(", ".nest(", ".merge(", ".leptos_routes"];
    let of = |text: String| {
        let own = text.split("#[cfg(test)]\n").next().unwrap();
        made.iter().map(|make| own.matches(make).count()).sum::<usize>()
    };
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .map(|path| {
            if path.is_dir() {
                routes_made_in(&path)
            } else {
                of(fs::read_to_string(path).unwrap())
            }
        })
        .sum()
}

#[test]
fn the_router_has_only_the_routes_of_the_table() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    assert_eq!(routes_made_in(&source), 1, "only router.rs makes routes, and from the table");
}

#[test]
fn every_page_and_server_function_has_a_rule() {
    let pages = generate_route_list(App);
    assert!(pages.len() > 2);
    let functions: Vec<_> = server_fn_paths().map(|(path, method)| (method, path)).collect();
    assert!(functions.len() > 4, "{functions:?}");
    let pages = pages.iter().map(|page| (Method::GET, page.path()));
    for (method, path) in pages.chain(functions) {
        let is_ruled = routes().any(|route| (route.0, route.1) == (&method, path));
        assert!(is_ruled, "{method} {path} is not in the table");
    }
}

#[tokio::test]
async fn a_method_without_a_rule_does_not_exist() {
    let world = World::start().await;
    for (_, route, _) in routes() {
        let path = world.at(route);
        let is_there = |method: &Method| routes().any(|(own, at, _)| own == method && at == route);
        for method in [Method::PUT, Method::PATCH].into_iter().filter(|method| !is_there(method)) {
            let reply = world.send(Who::Operator, method.clone(), &path, "").await;
            assert_eq!(reply.error_code(), "METHOD_NOT_ALLOWED", "{method} {path}");
        }
    }
}
