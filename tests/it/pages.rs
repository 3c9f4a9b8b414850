//! The pages as the server sends them: status, headers and forms.

use std::collections::BTreeSet;
use std::fs;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use tempfile::TempDir;

use crate::support::app::{Reply, TestApp};

/// The path of the form on the home page.
const START: &str = "/api/fn/start_deployment";

/// Returns the portal with a built site of one file.
fn portal(variables: &[(&str, &str)]) -> (TestApp, TempDir) {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    fs::write(site.path().join("pkg/ai-stack-deployer.css"), "body{}").unwrap();
    fs::write(site.path().join("pkg/ai-stack-deployer.css.br"), "compressed").unwrap();
    fs::write(site.path().join("favicon.svg"), "<svg/>").unwrap();
    (TestApp::with_pages(variables, site.path()), site)
}

/// Returns the names of the scripts and the WebAssembly that the page at `path` loads.
async fn modules(app: &TestApp, path: &str) -> BTreeSet<String> {
    let page = app.get(path).await.body;
    let is_module = |name: &&str| matches!(name.rsplit_once('.'), Some((_, "js" | "wasm")));
    let names = page.split(['"', '/']).filter(is_module);
    names.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn only_the_page_of_a_deployment_loads_more_than_the_small_form_of_the_code() {
    let (app, site) = portal(&[]);
    let deployment = "/deployments/dep_7f3a22c1000000000000000000000000";
    let whole = ["ai-stack-deployer.js", "ai-stack-deployer.wasm"].map(String::from).into();
    for path in ["/", "/nowhere", deployment] {
        assert_eq!(modules(&app, path).await, whole, "{path}, of a site without the small form");
    }
    let small = ["ai-stack-deployer-controls.js", "ai-stack-deployer-controls.wasm"];
    for name in small {
        fs::write(site.path().join("pkg").join(name), "code").unwrap();
    }
    let small = small.map(String::from).into();
    let app = TestApp::with_pages(&[], site.path());
    for path in ["/", "/nowhere", "/?name=alice"] {
        assert_eq!(modules(&app, path).await, small, "{path}");
        let page = app.get(path).await.body;
        assert!(
            page.contains(r#""ai-stack-deployer-controls", "ai-stack-deployer-controls", "#),
            "{page}"
        );
        assert!(page.contains("/ai-stack-deployer.css\""), "one style for all: {page}");
    }
    assert_eq!(modules(&app, deployment).await, whole);
}

async fn post_form(app: &TestApp, form: &'static str) -> Reply {
    app.post_form(START, form).await
}

/// Calls the server function like the page's script.
async fn call(app: &TestApp, form: impl Into<Body>) -> Reply {
    let headers =
        [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
    app.ask("POST", START, &headers, form).await
}

#[tokio::test]
async fn the_code_of_a_page_has_addresses_of_its_own_in_each_build() {
    let (app, site) = portal(&[]);
    let style = async |app: &TestApp| format!("{}/ai-stack-deployer.css", app.code_folder().await);
    let path = style(&app).await;
    let plain = app.get(&path).await;
    assert_eq!((plain.status, plain.body.as_str()), (StatusCode::OK, "body{}"));
    let for_ever = Some("public, max-age=31536000, immutable");
    assert_eq!(plain.header("cache-control"), for_ever);
    let compressed = app.ask("GET", &path, &[("accept-encoding", "gzip, br")], "").await;
    assert_eq!(compressed.header("content-encoding"), Some("br"));
    assert_eq!(compressed.body, "compressed");
    for reply in [&plain, &compressed] {
        assert_eq!(reply.header("vary"), Some("accept-encoding"));
    }

    // Another build has the same names, and on some systems the same dates.
    fs::write(site.path().join("pkg/ai-stack-deployer.css"), "body{ }").unwrap();
    let newer = TestApp::with_pages(&[], site.path());
    let newer_path = style(&newer).await;
    assert_eq!(newer.get(&newer_path).await.body, "body{ }");
    for (app, path) in [(&newer, &path), (&app, &newer_path)] {
        let reply = app.get(path).await;
        assert_eq!(reply.error_code(), "NOT_FOUND", "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn the_code_stays_what_its_address_says_and_is_not_sent_twice() {
    let (app, site) = portal(&[]);
    let path = format!("{}/ai-stack-deployer.css", app.code_folder().await);
    // New files arrive while the older portal still runs.
    fs::write(site.path().join("pkg/ai-stack-deployer.css"), "newer").unwrap();
    fs::write(site.path().join("pkg/ai-stack-deployer.css.br"), "newer").unwrap();
    let plain = app.get(&path).await;
    assert_eq!(plain.body, "body{}");
    assert_eq!(plain.header("content-type"), Some("text/css"));
    let accepted = ("accept-encoding", "br");
    let compressed = app.ask("GET", &path, &[accepted], "").await;
    assert_eq!(compressed.body, "compressed");
    let tags = [plain.header("etag").unwrap(), compressed.header("etag").unwrap()];
    assert!(tags[0] != tags[1] && tags.iter().all(|tag| tag.starts_with('"')), "{tags:?}");

    for known in [String::from(tags[1]), format!("W/{}, \"other\"", tags[1]), String::from("*")] {
        let headers = [accepted, ("if-none-match", known.as_str())];
        let reply = app.ask("GET", &path, &headers, "").await;
        assert_eq!((reply.status, reply.body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{known}");
        for name in ["etag", "vary", "cache-control"] {
            assert_eq!(reply.header(name), compressed.header(name), "{name}");
        }
    }
    let other_form = [accepted, ("if-none-match", tags[0])];
    assert_eq!(app.ask("GET", &path, &other_form, "").await.status, StatusCode::OK);
    let part = app.ask("GET", &path, &[("range", "bytes=0-1")], "").await;
    assert_eq!((part.status, part.body.as_str()), (StatusCode::OK, "body{}"));
    let head = app.ask("HEAD", &path, &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.header("content-length"), Some("6"));
    assert_eq!(head.header("etag"), plain.header("etag"));
    for form in ["ai-stack-deployer.css.br", "ai-stack-deployer.css/", "", "%61"] {
        let path = path.replace("ai-stack-deployer.css", form);
        assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_refuses_what_is_not_compressed_gets_it_all_the_same() {
    let (app, _site) = portal(&[]);
    let style = format!("{}/ai-stack-deployer.css", app.code_folder().await);
    let all = ["*;q=0", "identity;q=0", "gzip;q=0, identity ; Q=0.0", "x, *;q=0.000"];
    for (number, accepted) in all.into_iter().enumerate() {
        let body = format!("{{\"name\":\"stack-{number}\"}}");
        let headers = [("accept-encoding", accepted)];
        let started = app.ask("POST", "/api/deploy", &headers, body).await;
        assert_eq!(started.status, StatusCode::CREATED, "{accepted}: {started:?}");
        let id = started.json()["deploymentId"].as_str().unwrap().to_owned();
        let events = app.ask("GET", &format!("/api/status/{id}?follow=false"), &headers, "").await;
        assert_eq!(events.status, StatusCode::OK, "{accepted}");
        for path in [style.as_str(), "/", "/favicon.svg", "/health"] {
            let reply = app.ask("GET", path, &headers, "").await;
            assert_eq!(reply.status, StatusCode::OK, "{accepted} {path}");
        }
    }
    let request = Request::get("/").header("accept-encoding", "identity;q=0, br");
    let compressed = app.open(request.body(Body::empty()).unwrap()).await;
    assert_eq!(compressed.headers()["content-encoding"], "br");
}

#[tokio::test]
async fn a_page_is_compressed_and_an_answer_of_the_api_is_not() {
    let (app, _site) = portal(&[]);
    let id = app.live("alice").await;
    let answer = async |path: &str| {
        let request = Request::get(path).header("accept-encoding", "gzip, br");
        app.open(request.body(Body::empty()).unwrap()).await.headers().clone()
    };
    for path in ["/", &format!("/deployments/{id}"), "/nothing"] {
        let headers = answer(path).await;
        assert!(
            headers.get("content-encoding").is_some_and(|how| how == "br"),
            "{path}: {headers:?}"
        );
        assert_eq!(app.get(path).await.header("vary"), Some("accept-encoding"), "{path}");
    }
    for path in [format!("/api/status/{id}"), format!("/api/deployment/{id}")] {
        assert_eq!(answer(&path).await.get("content-encoding"), None, "{path}");
    }
}

#[tokio::test]
async fn the_files_of_the_site_are_served() {
    let (app, _site) = portal(&[]);
    let icon = app.get("/favicon.svg").await;
    assert_eq!(icon.body, "<svg/>");
    for date in ["last-modified", "etag"] {
        assert_eq!(icon.header(date), None, "an older version has an older one");
    }
    for condition in
        [("if-none-match", "*"), ("if-modified-since", "Fri, 31 Dec 2100 23:59:59 GMT")]
    {
        let icon = app.ask("GET", "/favicon.svg", &[condition], "").await;
        assert_eq!(icon.body, "<svg/>", "{condition:?}");
    }
    assert_eq!(app.get("/pkg/nothing.js").await.status, StatusCode::NOT_FOUND);
    for path in ["/pkg/..%2f..%2fetc%2fpasswd", "/..%2f..%2fetc%2fpasswd", "/pkg", "/pkg/"] {
        assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let posted = app.ask("POST", "/favicon.svg", &[], "").await;
    assert_eq!(posted.status, StatusCode::NOT_FOUND, "a file is only read");
}

#[tokio::test]
async fn a_page_has_a_policy_with_a_new_nonce_and_is_not_cached() {
    let (app, _site) = portal(&[]);
    let (first, second) = (app.get("/").await, app.get("/").await);
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let policy = first.header("content-security-policy").unwrap();
    assert!(policy.contains("'nonce-") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_ne!(Some(policy), second.header("content-security-policy"));
    assert!(!first.body.contains(" style="), "a nonce policy blocks it");
}

#[tokio::test]
async fn a_missing_page_has_the_status_404() {
    let (app, _site) = portal(&[]);
    let unknown = "/deployments/dep_00000000000000000000000000000000";
    for path in ["/nothing", "/%ff", "/deployments/%ff", "/deployments/x", unknown] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"), "{path}");
    }
    assert_eq!(app.get("/api/fn/nothing").await.error_code(), "NOT_FOUND");
}

#[tokio::test]
async fn a_form_of_a_function_leads_to_no_foreign_page() {
    let (app, _site) = portal(&[]);
    let functions =
        ["start_deployment", "cancel_deployment", "retry_deployment", "remove_stack", "x"];
    let referers = [
        "",
        "https://evil.example.org/",
        "//evil.example.org/",
        "/\\evil.example.org/",
        "\\\\evil.example.org\\",
        "https:evil.example.org",
        "evil.example.org",
        "javascript:alert(1)",
        "/deployments/dep_1",
        "http://127.0.0.1:3000@evil.example.org/",
        "http://127.0.0.1:3000/",
    ];
    for (function, referer) in functions.iter().flat_map(|one| referers.map(|to| (one, to))) {
        for form in ["name=alice", "name=", "x=1", "%", "id=dep_1", "name=%2F%2Fevil.example.org"] {
            let headers = [
                ("accept", "text/html"),
                ("content-type", "application/x-www-form-urlencoded"),
                ("origin", "http://127.0.0.1:3000"),
                ("referer", referer),
            ];
            let headers = if referer.is_empty() { &headers[..3] } else { &headers };
            let reply = app.ask("POST", &format!("/api/fn/{function}"), headers, form).await;
            let location = reply.header("location").unwrap_or("/");
            let is_ours = location.starts_with('/') && !location.contains("//");
            assert!(is_ours && !location.contains('\\'), "{function} {referer} {form}: {reply:?}");
        }
    }
}

#[tokio::test]
async fn the_form_works_without_scripts_and_redirects_to_the_deployments_page() {
    let (app, _site) = portal(&[]);
    let reply = post_form(&app, "name=alice").await;
    assert_eq!(reply.status, StatusCode::FOUND);
    let page = reply.header("location").unwrap().to_owned();
    assert!(page.starts_with("/deployments/dep_"), "{page}");
    let reply = app.get(&page).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.body.contains("alice"));
    let taken = post_form(&app, "name=alice").await;
    assert_eq!(taken.header("location"), Some("/?name=alice&refused=NAME_TAKEN"));
}

#[tokio::test]
async fn the_form_counts_towards_the_callers_limit_and_has_the_same_longest_body() {
    let (app, _site) = portal(&[("DEPLOY_RATE_LIMIT", "1")]);
    post_form(&app, "name=alice").await;
    let refused = post_form(&app, "name=b%C3%B6b").await;
    assert_eq!(refused.status, StatusCode::FOUND);
    assert_eq!(refused.header("location"), Some("/?name=b%C3%B6b&refused=TOO_MANY_REQUESTS"));
    let reply = call(&app, "name=bobby").await;
    assert_eq!(reply.error_code(), "TOO_MANY_REQUESTS");
    assert_eq!(reply.header("retry-after"), Some("60"));
    let (app, _site) = portal(&[]);
    let reply = app.ask("POST", START, &[("content-length", "65537")], vec![b'a'; 65_537]).await;
    assert_eq!(reply.error(), "413 BODY_TOO_LARGE");
    assert!(app.store.records().is_empty());
}

#[tokio::test]
async fn every_invalid_form_is_answered_with_the_apis_error_or_the_home_page() {
    let (app, _site) = portal(&[]);
    let long = "a".repeat(65_537);
    let cases: [(&'static [u8], u16, &str); 6] = [
        (b"name=al", 400, "INVALID_NAME"),
        (b"", 400, "INVALID_NAME"),
        (b"name=alice&name=bobby", 400, "INVALID_REQUEST"),
        (b"name[x]=alice", 400, "INVALID_REQUEST"),
        (b"name=\xff", 400, "INVALID_REQUEST"),
        (long.leak().as_bytes(), 413, "BODY_TOO_LARGE"),
    ];
    for (form, status, code) in cases {
        let shown = String::from_utf8_lossy(&form[..form.len().min(20)]);
        // In chunks, so that the request has no length.
        let pieces = form.chunks(1_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec()));
        let pieces: Vec<_> = pieces.collect();
        let reply = call(&app, Body::from_stream(futures::stream::iter(pieces))).await;
        assert_eq!((reply.status.as_u16(), reply.error_code().as_str()), (status, code), "{shown}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{shown}");
        let headers = [
            ("accept", "text/html,application/xhtml+xml"),
            ("referer", "https://elsewhere.example.org/page?a=b"),
        ];
        let reply = app.ask("POST", START, &headers, form).await;
        let location = reply.header("location").unwrap_or_default();
        assert_eq!(reply.status, StatusCode::FOUND, "{shown}");
        assert!(location.starts_with("/?name="), "{shown} {location}");
        assert!(location.ends_with(&format!("&refused={code}")), "{shown} {location}");
    }
    assert!(app.store.records().is_empty());
}

#[tokio::test]
async fn a_page_or_file_that_does_not_take_the_method_says_so_in_words() {
    let (app, _site) = portal(&[]);
    for (method, path, allowed) in [
        ("PUT", "/", Some("GET,HEAD")),
        ("DELETE", "/deployments/x", Some("GET,HEAD")),
        ("POST", "/pkg/x", Some("GET,HEAD")),
        ("GET", "/api/fn/start_deployment", Some("POST")),
        ("CONNECT", "localhost:22", None),
    ] {
        let reply = app.ask(method, path, &[], "").await;
        assert_eq!(reply.error(), "405 METHOD_NOT_ALLOWED", "{method} {path}");
        assert_eq!(reply.header("allow"), allowed, "{method} {path}");
    }
    assert_eq!(app.get("/pkg/nothing.js").await.error_code(), "NOT_FOUND");
}

#[tokio::test]
async fn the_home_page_warns_of_a_platform_that_is_too_old() {
    let (app, _site) = portal(&[]);
    let words = "The platform is too old for this portal";
    let page = app.get("/").await;
    assert!(!page.body.contains(words) && page.body.contains("Sandbox ready"), "{page:?}");
    app.platform.set_old(true);
    app.clock.advance(std::time::Duration::from_mins(10));
    let page = app.get("/").await;
    assert!(page.body.contains(words) && page.body.contains("Platform too old"), "{page:?}");
    let refused = post_form(&app, "name=alice").await;
    assert_eq!(refused.header("location"), Some("/?name=alice&refused=PLATFORM_TOO_OLD"));
    let page = app.get("/?name=alice&refused=PLATFORM_TOO_OLD").await;
    assert!(page.body.contains("so nothing was started"), "{page:?}");
}
