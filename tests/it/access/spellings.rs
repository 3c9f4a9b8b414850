//! Every address has one spelling: other spellings of a page redirect to it, and other spellings of
//! anything else do not exist. No page is rendered without the rule of its route.

use std::fs;

use ai_stack_deployer::app::App;
use ai_stack_deployer::http::routes;
use axum::http::{Method, StatusCode};
use leptos_axum::generate_route_list;

use super::world::{Who, World};
use crate::support::app::{Reply, TestApp};

/// Returns other spellings of `path`.
fn spellings(path: &str) -> Vec<String> {
    let mut spellings = vec![format!("/{path}"), format!("{path}/"), path.replace('/', "//")];
    let parts = path.strip_prefix('/').unwrap();
    let (first, rest) = parts.split_at(parts.find('/').unwrap_or(parts.len()));
    if let Some(byte) = first.bytes().next() {
        spellings.push(format!("/{}{rest}", first.to_uppercase()));
        spellings.push(format!("/%{byte:02X}{}{rest}", &first[1..]));
        spellings.push(format!("/%{byte:02x}{}{rest}/", &first[1..]));
    }
    spellings
}

/// A portal, and a caller who sends requests to it.
enum Visit<'a> {
    SignIn(&'a World, Who),
    Open(&'a TestApp, Option<&'static str>),
}

impl Visit<'_> {
    async fn send(&self, method: &Method, path: &str) -> Reply {
        match self {
            Self::SignIn(world, who) => world.send(*who, method.clone(), path, "").await,
            Self::Open(app, cookie) => {
                let cookie = cookie.map(|cookie| ("cookie", cookie));
                let headers: Vec<_> = cookie.into_iter().chain([("accept", "text/html")]).collect();
                app.ask(method.as_str(), path, &headers, "").await
            }
        }
    }
}

#[tokio::test]
async fn another_spelling_redirects_to_a_page_and_does_not_exist_for_anything_else() {
    let world = World::start().await;
    let open = TestApp::new();
    let pages = generate_route_list(App);
    let is_page = |route: &str| pages.iter().any(|page| page.path() == route);
    let visits = [
        Visit::SignIn(&world, Who::Anonymous),
        Visit::SignIn(&world, Who::Owner),
        Visit::SignIn(&world, Who::Operator),
        Visit::SignIn(&world, Who::Revoked),
        Visit::Open(&open, None),
        Visit::Open(&open, Some("browser=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")),
    ];
    let mut redirects = 0;
    for (method, route, _) in routes().filter(|(_, route, _)| !route.contains('*')) {
        let path = world.at(route);
        for spelled in spellings(&path) {
            for visit in &visits {
                let reply = visit.send(method, &format!("{spelled}?a=b%20c")).await;
                if is_page(route) && *method == Method::GET {
                    assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "{spelled}");
                    let location = format!("{path}?a=b%20c");
                    assert_eq!(reply.header("location"), Some(location.as_str()), "{spelled}");
                    assert_eq!(visit.send(&Method::HEAD, &spelled).await.status, reply.status);
                    let posted = visit.send(&Method::POST, &spelled).await;
                    assert_eq!(posted.error_code(), "NOT_FOUND", "POST {spelled}");
                    redirects += 1;
                } else {
                    assert_eq!(reply.error(), "404 NOT_FOUND", "{method} {spelled}");
                }
            }
        }
    }
    assert!(redirects > 100, "{redirects}");
}

/// Addresses that one parser takes for a page and another one does not.
const AMBIGUOUS: [&str; 12] = [
    "/./admin",
    "/x/../admin",
    "/x/%2e%2e/admin",
    "/x\\..\\..\\admin",
    "/\\admin",
    "/admin\\",
    "/admin/.",
    "/admin/%2e",
    "/deployments/..",
    "/deployments/%2e%2e",
    "/deployments/..\\admin",
    "/deployments/..%5Cadmin",
];

#[tokio::test]
async fn an_ambiguous_address_shows_no_page() {
    let world = World::start().await;
    let open = TestApp::new();
    let visits = [
        Visit::SignIn(&world, Who::Owner),
        Visit::SignIn(&world, Who::Operator),
        Visit::Open(&open, None),
    ];
    for path in AMBIGUOUS {
        for visit in &visits {
            let reply = visit.send(&Method::GET, path).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
            assert!(reply.body.contains("Page not found"), "{path}: {reply:?}");
        }
        let reply = world.send(Who::Anonymous, Method::GET, path, "").await;
        let is_refused = matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::SEE_OTHER);
        assert!(is_refused, "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn a_file_has_one_spelling_and_no_address_is_an_error_of_the_file_system() {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    let files = ["favicon.svg", "pkg/x.js", "a%20b", "a;b"];
    for file in files {
        fs::write(site.path().join(file), "a file").unwrap();
    }
    fs::write(site.path().join("a b"), "a file").unwrap();
    let app = TestApp::with_pages(&[], site.path());
    let visit = Visit::Open(&app, None);
    let code = app.code_folder().await;
    let x = format!("{code}/x.js");
    for path in ["/favicon.svg", &x] {
        assert_eq!(visit.send(&Method::GET, path).await.body, "a file", "{path}");
    }
    let long = "a".repeat(256);
    let deep = "/a".repeat(3_000);
    let pages = [
        "//favicon.svg",
        "/%66avicon.svg",
        "/./favicon.svg",
        "/favicon.svg/",
        "/pkg%2Fx.js",
        "/%70kg/x.js",
        "//pkg/x.js",
        "/a%20b",
        "/a;b",
        "/x%00",
        "/x;",
        &format!("/{long}"),
        &deep,
    ];
    let programs =
        ["//x.js", "/%78.js", "/./x.js", "/../../favicon.svg", "/x%00", &format!("/{long}")];
    let programs: Vec<_> = ["/pkg", &code]
        .iter()
        .flat_map(|start| programs.map(|end| format!("{start}{end}")))
        .collect();
    let programs: Vec<_> = programs.iter().map(String::as_str).collect();
    for (paths, is_page) in [(&pages[..], true), (&programs[..], false)] {
        for path in paths {
            let reply = visit.send(&Method::GET, path).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(visit.send(&Method::HEAD, path).await.status, reply.status, "{path}");
            if is_page {
                assert!(reply.body.contains("Page not found"), "{path}: {reply:?}");
            } else {
                assert_eq!(reply.error_code(), "NOT_FOUND", "{path}");
            }
        }
    }
}

#[tokio::test]
async fn api_addresses_are_answered_in_json_in_every_spelling() {
    let app = TestApp::new();
    let visit = Visit::Open(&app, None);
    for path in ["/api", "/api/none", "//api/none", "/%61pi/none", "/API/none", "/Health//none"] {
        let reply = visit.send(&Method::GET, path).await;
        assert_eq!(reply.error(), "404 NOT_FOUND", "{path}");
    }
}

#[tokio::test]
async fn options_of_the_whole_server_are_answered_without_a_page() {
    let (world, open) = (World::start().await, TestApp::new());
    for visit in [Visit::SignIn(&world, Who::Anonymous), Visit::Open(&open, None)] {
        let reply = visit.send(&Method::OPTIONS, "*").await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        assert_eq!(reply.header("allow"), Some("GET,POST,DELETE,PATCH,HEAD,OPTIONS"));
        assert_eq!((reply.header("set-cookie"), reply.body.as_str()), (None, ""));
        let other = visit.send(&Method::GET, "*").await;
        assert_eq!(other.error_code(), "NOT_FOUND");
    }
}
