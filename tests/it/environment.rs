//! The variables of a container arrive byte for byte, through the platform's encoding, its
//! references and Docker Swarm's templates; or the start names the variable that cannot.

use serde_json::Value;

use crate::support::platform::Platform;
use crate::support::process::PortalDir;

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

#[test]
fn the_variables_of_a_container_are_those_of_the_settings() {
    let portal_dir = PortalDir::new();
    let platform = Platform::answering_after(&portal_dir, "1");
    let names: Vec<_> = VALUES.iter().map(|(name, _)| format!("STACK_ENV_{name}")).collect();
    let values = VALUES.iter().map(|(_, value)| *value);
    let variables: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
    let _portal = platform.portal(&portal_dir, &variables);
    portal_dir.deploy_until("alice", "complete");

    let ask = |call: &str| platform.call("GET", &format!("/api/{call}"), &Value::Null);
    let service = text(&ask("swarm.getNodeApps")[0]["Name"]);
    let call = format!("docker.getContainersByAppLabel?appName={service}&type=swarm");
    let container = text(&ask(&call)[0]["containerId"]);
    let config = ask(&format!("docker.getConfig?containerId={container}"));
    let arrived: Vec<_> = config["Config"]["Env"].as_array().unwrap().iter().map(text).collect();
    for (name, value) in VALUES {
        let expected = format!("{name}={value}");
        assert!(arrived.contains(&expected), "{expected:?} is not among {arrived:#?}");
    }
}

#[test]
fn the_start_names_a_variable_that_would_not_arrive_without_its_value() {
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
