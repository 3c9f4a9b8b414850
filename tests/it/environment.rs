//! What is handed to a container arrives byte for byte, or the start says which variable cannot:
//! through the text of the platform's row, its references, and the swarm's templates.

use std::{fs, path::Path};

use ai_stack_deployer::server::{dokploy::encode_environment, sandbox::Request};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{
    sandbox::world::{Stack, World, text},
    support::process::{PortalDir, Running, exchange, free_port},
};

const KEY: &str = "key-of-the-sandbox";

/// Values at the edge of every rule: names, what is handed over and what is quoted how.
const VALUES: [(&str, &str); 21] = [
    ("FIELD", "{{.Node.Hostname}} {{.Service.Name}}"),
    ("OPEN", "a {{ b"),
    ("OPEN_ALONE", "{{"),
    ("CLOSED", "a }} b"),
    ("MANY", "{{a}}{{{b}}}{{{{c"),
    ("TRIM", "a {{- \"b\" -}} c"),
    ("COMMENT", "{{/* a */}}"),
    ("CONSTANT", "{{\"a\"}}{{`b`}}"),
    ("ESCAPED", "{{`{{`}}"),
    ("ESCAPED_TOO", "{{\"{{\"}}"),
    ("JSON", "{\"a\":{\"b\":{}}}"),
    ("TEMPLATE", "{% raw %}{{ user | default('x') }}{# c #}"),
    ("SINGLE", "it's {{x}}"),
    ("DOUBLE", "it's \"{{x}}\""),
    ("BACKTICK", "`{{x}}` \"y\""),
    ("ESCAPES", "it's\\n{{x}}"),
    ("LINES", "{{\na\n}}\n'"),
    ("OUTER", " {{x}} "),
    ("HASH", "#{{x}}#"),
    ("DOLLAR", "$HOME $ {{x}} ${x}"),
    ("UMLAUT", "grün {{ü}}"),
];

/// Starts a sandbox whose API is on the port.
fn sandbox(portal_dir: &PortalDir, api: u16) -> Running {
    let mut command = portal_dir.command(&[]);
    command
        .args(["sandbox", "--api-key", KEY, "--latency", "1"])
        .args(["--listen", &format!("127.0.0.1:{api}")])
        .args(["--edge", &format!("127.0.0.1:{}", portal_dir.edge)]);
    let mut sandbox = Running::spawn(&mut command);
    sandbox.wait_for("API listens on");
    sandbox
}

fn ask(api: u16, call: &str) -> Value {
    let request = format!(
        "GET /api/{call} HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\nConnection: close\r\n\r\n"
    );
    let answer = exchange(api, &request);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

#[test]
fn a_containers_variables_are_what_the_portal_was_given() {
    let (portal_dir, api) = (PortalDir::new(), free_port());
    let _sandbox = sandbox(&portal_dir, api);
    let (url, edge) = (format!("http://127.0.0.1:{api}"), portal_dir.edge.to_string());
    let mut variables = vec![
        ("DOKPLOY_URL", url.as_str()),
        ("DOKPLOY_API_TOKEN", KEY),
        ("STACK_IMAGE", "sandbox/hello"),
        ("STACK_DOMAIN_SUFFIX", "localhost"),
        ("STACK_SCHEME", "http"),
        ("STACK_PUBLIC_PORT", &edge),
        ("STACK_ALLOW_PRIVATE", "true"),
    ];
    let names: Vec<_> = VALUES.iter().map(|(name, _)| format!("STACK_ENV_{name}")).collect();
    variables.extend(names.iter().map(String::as_str).zip(VALUES.iter().map(|(_, v)| *v)));
    let _portal = portal_dir.start(&variables);
    let id = portal_dir.deploy("alice");
    let stream = portal_dir.get(&format!("/api/status/{id}"));
    assert!(stream.contains("event: complete"), "{stream}");

    let service = text(&ask(api, "swarm.getNodeApps")[0]["Name"]);
    let call = format!("docker.getContainersByAppLabel?appName={service}&type=swarm");
    let container = text(&ask(api, &call)[0]["containerId"]);
    let config = ask(api, &format!("docker.getConfig?containerId={container}"));
    let arrived: Vec<_> = config["Config"]["Env"].as_array().unwrap().iter().map(text).collect();
    for (name, value) in VALUES {
        let expected = format!("{name}={value}");
        assert!(arrived.contains(&expected), "{expected:?} is not among {arrived:#?}");
    }
}

#[test]
fn the_start_names_the_variable_that_would_not_arrive_and_not_its_value() {
    for (command, value) in [
        (&[][..], "canary ${{project.X}}"),
        (&[][..], "it's `canary` \"{{x}}\""),
        (&["check"][..], "canary {{\\"),
        (&[][..], "canary\r"),
    ] {
        let portal_dir = PortalDir::new();
        let variables = [("STACK_ENV_OTHER", "{{x}}"), ("STACK_ENV_SECRET", value)];
        let output = portal_dir.command(&variables).args(command).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(1), "{value:?}: {said}");
        assert!(said.contains("STACK_ENV_SECRET"), "{value:?}: {said}");
        assert!(!said.contains("canary") && !said.contains("STACK_ENV_OTHER"), "{said}");
    }
}

/// Deploys a stack with this text in its row and returns the variables of its container, or the
/// log where the deploy failed.
fn deploy(world: &mut World, stack: &Stack, env: &str) -> Result<Vec<String>, String> {
    world.update(stack, json!({ "env": env }));
    world.deploy(stack, "t");
    world.advance(100);
    let row = world.deployments(stack)[0].clone();
    if row["status"] != "done" {
        let id = text(&row["deploymentId"]);
        return Err(text(&world.get(&format!("/api/deployment.readLogs?deploymentId={id}"))));
    }
    let call = format!("/api/docker.getContainersByAppLabel?appName={}&type=swarm", stack.app_name);
    let container = text(&world.get(&call)[0]["containerId"]);
    let config = world.get(&format!("/api/docker.getConfig?containerId={container}"));
    Ok(config["Config"]["Env"].as_array().unwrap().iter().map(text).collect())
}

#[test]
fn the_sandbox_makes_of_templates_what_the_real_swarm_did() {
    let path = "tests/fixtures/dokploy/observed/490-env-swarm-templates.json";
    let recorded = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    let mut played = 0;
    for case in recorded["observed"].as_array().unwrap() {
        let env = text(&case["env"]);
        // Those refer to variables of a project that the sandbox has no call for.
        if env.contains("${{") {
            continue;
        }
        let (mut world, deployed);
        world = World::new();
        let stack = world.stack("demo", "sandbox/hello");
        deployed = deploy(&mut world, &stack, &env);
        played += 1;
        match (deployed, case["container Env"].as_array()) {
            // What the swarm is called differs; that it is filled in does not.
            (Ok(arrived), Some(_)) if env.contains("{{.") => {
                assert_eq!(arrived[1], "H=sandbox");
                assert_eq!(arrived[4], "L=map[]");
                assert!(!arrived.concat().contains("{{"), "{arrived:?}");
            }
            (Ok(arrived), Some(expected)) => {
                assert_eq!(arrived, expected.iter().map(text).collect::<Vec<_>>(), "{env}");
            }
            (Err(log), None) => {
                assert!(log.contains(&text(&case["log"][0])), "{env}: {log}");
            }
            (deployed, _) => panic!("{env}: {deployed:?}"),
        }
    }
    assert_eq!(played, 12);
}

#[test]
fn a_container_that_is_gone_or_unknown_has_no_configuration() {
    let mut world = World::new();
    let stack = world.deployed("demo", "sandbox/hello");
    world.update(&stack, json!({ "env": "A={{.Task.Name}}" }));
    let call = format!("/api/docker.getContainersByAppLabel?appName={}&type=swarm", stack.app_name);
    let container = text(&world.get(&call)[0]["containerId"]);
    let inspect = |id: &str| Request::get(&format!("/api/docker.getConfig?containerId={id}"));
    assert_eq!(world.send(inspect(&container)).value()["State"]["Running"], true);
    assert_eq!(world.send(inspect("doesnotexist")).text(), "");
    world.core.stop_docker(world.now);
    assert_eq!(world.send(inspect(&container)).text(), "");
}

proptest! {
    #![proptest_config(crate::support::seed::properties())]

    /// The judge is the sandbox, which parses, fills in and expands on its own account.
    #[test]
    fn every_value_arrives_byte_for_byte_or_is_refused_by_name(
        values in proptest::collection::vec(
            "([ab \n#'\"`\\\\=$ü.:-]|\\{|\\{\\{|\\}\\}|\\{\\{-|/\\*){0,10}|\\PC{0,12}", 1..4
        )
    ) {
        let names: Vec<_> = (0..values.len()).map(|number| format!("V{number}")).collect();
        let pairs = names.iter().zip(&values);
        let variables: Vec<_> =
            pairs.clone().map(|(n, v)| (n.clone(), SecretString::from(v.as_str()))).collect();
        match encode_environment(&variables) {
            Ok(block) => {
                let mut world = World::new();
                let stack = world.stack("demo", "sandbox/hello");
                let arrived = deploy(&mut world, &stack, &block);
                let expected: Vec<_> = pairs.map(|(n, v)| format!("{n}={v}")).collect();
                prop_assert_eq!(arrived, Ok(expected), "{}", block);
            }
            Err(error) => {
                prop_assert!(names.iter().any(|name| error.to_string().contains(name.as_str())));
            }
        }
    }
}
