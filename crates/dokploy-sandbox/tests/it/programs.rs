//! The programs of the images with a tag: passwords, pages, files, ports and health checks.

use dokploy_sandbox::{EdgeAnswer, EdgeResponse, Visit};
use serde_json::{Value, json};

use super::world::{Stack, World, text};

const VOLUME: &str = "asd-portal-stk_1-data";
/// `user:a secret` for Basic authentication.
const CREDENTIALS: &str = "Basic dXNlcjphIHNlY3JldA==";
const WRONG: &str = "Basic dXNlcjphbm90aGVy";

struct Case {
    image: &'static str,
    port: u16,
    password: &'static str,
    health: &'static str,
    paths: &'static [&'static str],
}

const CASES: [Case; 3] = [
    Case {
        image: "sandbox/notebook:1.0.0",
        port: 8888,
        password: "NOTEBOOK_PASSWORD",
        health: "/health",
        paths: &["/", "/files"],
    },
    Case {
        image: "sandbox/chat:1.0.0",
        port: 8080,
        password: "CHAT_ADMIN_PASSWORD",
        health: "/health",
        paths: &["/"],
    },
    Case {
        image: "sandbox/workflow:1.0.0",
        port: 5678,
        password: "WORKFLOW_OWNER_PASSWORD",
        health: "/healthz",
        paths: &["/"],
    },
];

/// Makes a stack with an address that leads to `port`.
fn stack(world: &mut World, image: &str, port: u16, env: &str) -> Stack {
    let stack = world.stack("demo", image);
    world.update(&stack, json!({ "env": env }));
    let id = &stack.application;
    let domain = json!({ "host": "demo.localhost", "port": port, "applicationId": id });
    world.post("/api/domain.create", domain);
    stack
}

fn deploy(world: &mut World, stack: &Stack) {
    world.deploy(stack, "t");
    world.advance(100);
}

fn deployed(image: &str, port: u16, env: &str) -> (World, Stack) {
    let mut world = World::new();
    let stack = stack(&mut world, image, port, env);
    deploy(&mut world, &stack);
    (world, stack)
}

fn ask(world: &mut World, method: &str, path: &str, credentials: &str, body: &str) -> EdgeAnswer {
    let headers = vec![
        ("Authorization".to_owned(), credentials.to_owned()),
        ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    let visit = Visit {
        method: method.to_owned(),
        headers,
        body: body.into(),
        ..Visit::get("demo.localhost:8081", path)
    };
    world.core.answer_visit(world.now, &visit)
}

fn page(world: &mut World, path: &str) -> String {
    let answer = ask(world, "GET", path, CREDENTIALS, "");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

#[test]
fn only_the_health_path_needs_no_password() {
    for Case { image, port, password, health, paths } in CASES {
        let (mut world, _) = deployed(image, port, &format!("{password}='a secret'"));
        assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
        let open = world.core.answer_visit(world.now, &Visit::get("demo.localhost", health));
        assert_eq!((open.status, open.body.as_str()), (200, "{\"status\":\"ok\"}"), "{image}");
        for path in paths.iter().copied().chain(["/nothing"]) {
            let visit = Visit::get("demo.localhost", path);
            let refused = world.core.answer_visit(world.now, &visit);
            assert_eq!(refused.status, 401, "{image} {path}");
            let challenge = ("www-authenticate", "Basic realm=\"sandbox\"".to_owned());
            assert!(refused.headers.contains(&challenge), "{image} {path}");
            assert_eq!(ask(&mut world, "GET", path, WRONG, "").status, 401, "{image} {path}");
            let expected = if path == "/nothing" { 404 } else { 200 };
            let granted = ask(&mut world, "GET", path, CREDENTIALS, "");
            assert_eq!(granted.status, expected, "{image} {path}");
        }
    }
}

#[test]
fn a_program_without_its_password_shows_nothing() {
    for Case { image, port, password, health, paths } in CASES {
        for env in [String::new(), format!("{password}=")] {
            let (mut world, _) = deployed(image, port, &env);
            for path in paths {
                let answer = ask(&mut world, "GET", path, CREDENTIALS, "");
                assert_eq!(answer.status, 500, "{image} {path}");
            }
            assert_eq!(ask(&mut world, "GET", health, "", "").status, 200, "{image}");
        }
    }
}

#[test]
fn a_domain_of_another_port_reaches_nothing() {
    for Case { image, port, password, health, .. } in CASES {
        let (mut world, _) = deployed(image, port + 1, &format!("{password}=x"));
        assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Down);
        assert_eq!(ask(&mut world, "GET", health, "", "").status, 502, "{image}");
    }
    let (mut world, _) = deployed("sandbox/hello", 1, "");
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
}

#[test]
fn a_tag_that_does_not_exist_is_a_missing_image() {
    let (mut world, stack) = deployed("sandbox/workflow:3.0.0", 5678, "");
    let row = world.deployments(&stack)[0].clone();
    assert_eq!(row["status"], "error");
    let id = text(&row["deploymentId"]);
    let log = text(&world.get(&format!("/api/deployment.readLogs?deploymentId={id}")));
    assert!(log.contains("manifest for sandbox/workflow:3.0.0 not found"), "{log}");
}

#[test]
fn the_next_workflow_runs_and_is_never_well() {
    let env = "WORKFLOW_OWNER_PASSWORD='a secret'\nWORKFLOW_PARALLEL=7";
    let (mut world, stack) = deployed("sandbox/workflow:2.0.0", 5678, env);
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Unhealthy);
    assert_eq!(ask(&mut world, "GET", "/healthz", "", "").status, 503);
    assert!(text(&world.tasks(&stack)[0]["currentState"]).starts_with("Running"));
    assert!(page(&mut world, "/").contains("<dt>Workflows at once</dt><dd>7</dd>"));
}

#[test]
fn the_pages_show_the_variables_escaped_and_no_secret() {
    let env = "CHAT_ADMIN_PASSWORD='a secret'\nCHAT_ADMIN_EMAIL=a@example.org\nCHAT_MODEL=large\n\
               CHAT_SYSTEM_PROMPT='</dd><script>alert(\"1\")</script> & more'\n\
               CHAT_TEMPERATURE=0.7\nCHAT_ALLOWED_DOMAINS=a.example,b.example\n\
               CHAT_API_KEY=canary-key";
    let (mut world, _) = deployed("sandbox/chat:1.0.0", 8080, env);
    let chat = page(&mut world, "/");
    let escaped = "&lt;/dd&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more";
    for part in ["a@example.org", "large", "0.7", "a.example,b.example", escaped] {
        assert!(chat.contains(part), "{part}: {chat}");
    }
    assert!(chat.contains("<dt>API key</dt><dd>set</dd>"), "{chat}");
    for secret in ["canary-key", "a secret", "<script>"] {
        assert!(!chat.contains(secret), "{secret}: {chat}");
    }
    let (mut world, _) = deployed("sandbox/chat:1.0.0", 8080, "CHAT_ADMIN_PASSWORD='a secret'");
    assert!(page(&mut world, "/").contains("<dt>API key</dt><dd><i>not set</i></dd>"));
    let env = "NOTEBOOK_PASSWORD='a secret'\nNOTEBOOK_OWNER=Alice\nNOTEBOOK_LANGUAGE=r\n\
               NOTEBOOK_PACKAGES='numpy pandas'";
    let (mut world, _) = deployed("sandbox/notebook:1.0.0", 8888, env);
    let notebook = page(&mut world, "/");
    for part in ["Alice", "<dd>r</dd>", "<li>numpy</li><li>pandas</li>"] {
        assert!(notebook.contains(part), "{part}: {notebook}");
    }
}

#[test]
fn what_is_written_into_a_volume_survives_every_container() {
    let mut world = World::new();
    let env = "NOTEBOOK_PASSWORD='a secret'";
    let first = stack(&mut world, "sandbox/notebook:1.0.0", 8888, env);
    world.mount(&first, VOLUME, "/home/user/work");
    deploy(&mut world, &first);
    let answer = ask(&mut world, "POST", "/files", CREDENTIALS, "content=1+%3C+2");
    assert_eq!((answer.status, answer.headers[0].1.as_str()), (303, "/files"));
    assert!(page(&mut world, "/files").contains("\n1 &lt; 2</textarea>"));
    world.reload(&first);
    world.advance(100);
    assert!(page(&mut world, "/files").contains("1 &lt; 2"), "a new container");
    for replicas in [0, 1] {
        world.update(&first, json!({ "replicas": replicas }));
        world.reload(&first);
        world.advance(100);
    }
    assert!(page(&mut world, "/files").contains("1 &lt; 2"), "stopped and started");
    world.post("/api/application.delete", json!({ "applicationId": first.application }));
    world.advance(100);
    let second = stack(&mut world, "sandbox/notebook:1.0.0", 8888, env);
    world.mount(&second, VOLUME, "/home/user/work");
    deploy(&mut world, &second);
    assert!(page(&mut world, "/files").contains("1 &lt; 2"), "a new application");
    assert!(world.core.lose_volume(world.now, VOLUME));
    assert_eq!(ask(&mut world, "GET", "/files", CREDENTIALS, "").status, 500);
    world.reload(&second);
    world.advance(100);
    assert!(!page(&mut world, "/files").contains("1 &lt; 2"), "the files are lost");
}

#[test]
fn what_is_written_beside_a_volume_is_lost_with_its_container() {
    let env = "WORKFLOW_OWNER_PASSWORD='a secret'";
    for (volume, expected) in [(true, 2), (false, 0)] {
        let mut world = World::new();
        let stack = stack(&mut world, "sandbox/workflow:1.0.0", 5678, env);
        world.mount(&stack, VOLUME, if volume { "/data" } else { "/elsewhere" });
        deploy(&mut world, &stack);
        for _ in 0..2 {
            assert_eq!(ask(&mut world, "POST", "/count", CREDENTIALS, "").status, 303);
        }
        assert!(page(&mut world, "/").contains("<dt>Runs</dt><dd>2</dd>"));
        deploy(&mut world, &stack);
        let runs = format!("<dt>Runs</dt><dd>{expected}</dd>");
        assert!(page(&mut world, "/").contains(&runs), "in a volume: {volume}");
    }
}

#[test]
fn nothing_is_written_without_the_password_or_beyond_the_limit() {
    let env = "NOTEBOOK_PASSWORD='a secret'";
    let (mut world, _) = deployed("sandbox/notebook:1.0.0", 8888, env);
    assert_eq!(ask(&mut world, "POST", "/files", WRONG, "content=x").status, 401);
    let large = format!("content={}", "x".repeat(64 * 1024 + 1));
    assert_eq!(ask(&mut world, "POST", "/files", CREDENTIALS, &large).status, 413);
    assert_eq!(ask(&mut world, "DELETE", "/files", CREDENTIALS, "").status, 405);
    assert!(page(&mut world, "/files").contains("rows=\"12\">\n</textarea>"));
}

fn check(command: &str) -> Value {
    json!({ "healthCheckSwarm": {
        "Test": ["CMD-SHELL", command], "Interval": 2_000_000_000_u64,
        "Timeout": 2_000_000_000_u64, "StartPeriod": 0, "Retries": 2,
    } })
}

/// Returns state and word of each task, and the number of running containers.
fn shown(world: &mut World, stack: &Stack) -> (Vec<String>, usize) {
    let word = |task: &Value| {
        let current = text(&task["currentState"]);
        format!("{} {}", text(&task["state"]), current.split(' ').next().unwrap())
    };
    let tasks = world.tasks(stack).iter().map(word).collect();
    let label = format!("/api/docker.getContainersByAppLabel?appName={}", stack.app_name);
    let running = world.get(&format!("{label}&type=swarm")).as_array().unwrap().len();
    (tasks, running)
}

#[test]
fn a_container_is_used_once_its_health_check_has_succeeded() {
    let mut world = World::new();
    let stack = stack(&mut world, "sandbox/notebook:1.0.0", 8888, "NOTEBOOK_PASSWORD=x");
    world.update(&stack, check("curl -fs http://127.0.0.1:8888/health"));
    world.deploy(&stack, "t");
    world.advance(2);
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Down);
    assert_eq!(shown(&mut world, &stack), (vec!["running Starting".to_owned()], 1));
    world.advance(1);
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
    assert_eq!(shown(&mut world, &stack), (vec!["running Running".to_owned()], 1));
}

#[test]
fn an_unhealthy_container_is_killed_and_replaced() {
    let mut world = World::new();
    let stack = stack(&mut world, "sandbox/notebook:1.0.0", 8888, "NOTEBOOK_PASSWORD=x");
    world.update(&stack, check("wget http://127.0.0.1:8888/health"));
    world.deploy(&stack, "t");
    world.advance(6);
    assert_eq!(world.deployments(&stack)[0]["status"], "done");
    let tasks = world.tasks(&stack);
    let error = "\"task: non-zero exit (137): dockerexec: unhealthy container\"";
    assert_eq!((tasks.len(), text(&tasks[1]["error"]).as_str()), (2, error));
    let expected = vec!["running Starting".to_owned(), "shutdown Failed".to_owned()];
    assert_eq!(shown(&mut world, &stack), (expected, 1));
    assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Down);
}

#[test]
fn an_update_that_fails_its_health_check_is_taken_back() {
    let env = "WORKFLOW_OWNER_PASSWORD='a secret'";
    for image in ["sandbox/workflow:2.0.0", "sandbox/crashloop"] {
        let (mut world, stack) = deployed("sandbox/workflow:1.0.0", 5678, env);
        world.update(&stack, check("curl -fs http://127.0.0.1:5678/healthz"));
        world.update(&stack, json!({ "dockerImage": image }));
        for _ in 0..2 {
            deploy(&mut world, &stack);
            assert_eq!(world.deployments(&stack)[0]["status"], "done");
            assert_eq!(world.core.visit(world.now, "demo.localhost"), EdgeResponse::Healthy);
            let (tasks, running) = shown(&mut world, &stack);
            assert_eq!(tasks[..2], ["shutdown Shutdown", "shutdown Failed"], "{image}");
            assert_eq!((tasks.last().unwrap().as_str(), running), ("running Running", 1));
            // The row still has what failed, so a reload tries it again (recording day-two 378).
            world.reload(&stack);
            assert_eq!(shown(&mut world, &stack).0[0], "running Starting", "{image}");
            world.advance(100);
        }
        world.update(&stack, json!({ "dockerImage": "sandbox/workflow:1.0.0" }));
        world.update(&stack, json!({ "healthCheckSwarm": null }));
        deploy(&mut world, &stack);
        let (tasks, running) = shown(&mut world, &stack);
        assert_eq!((tasks[0].as_str(), running), ("running Running", 1));
    }
}
