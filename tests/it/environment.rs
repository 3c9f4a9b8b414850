//! The variables of a container arrive byte for byte, through the platform's encoding, its
//! references and Docker Swarm's templates; or the start names the variable that cannot.

use serde_json::Value;

use crate::support::process::{PortalDir, Running, exchange, free_port};

const KEY: &str = "key-of-the-sandbox";

/// Values at the limits of every rule of quoting and references, with the names of their variables.
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

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Starts a sandbox with its API on port `api`.
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
