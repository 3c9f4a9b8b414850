//! Variables from the text of an application's row to the container, with references and the
//! swarm's templates.

use std::fs;
use std::path::Path;

use dokploy::encode_environment;
use dokploy_sandbox::Request;
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::world::{Stack, World, text};

/// Deploys a stack with this text in its row, and returns the variables of its container, or the
/// log if the deployment failed.
fn deploy(world: &mut World, stack: &Stack, env: &str) -> Result<Vec<String>, String> {
    let config = config(world, stack, json!({ "env": env }))?;
    Ok(config["Env"].as_array().unwrap().iter().map(text).collect())
}

/// Deploys a stack with these columns, and returns the configuration of its container, or the log
/// if the deployment failed.
fn config(world: &mut World, stack: &Stack, columns: Value) -> Result<Value, String> {
    world.update(stack, columns);
    world.deploy(stack, "t");
    world.advance(100);
    let row = world.deployments(stack)[0].clone();
    if row["status"] != "done" {
        let id = text(&row["deploymentId"]);
        return Err(text(&world.get(&format!("/api/deployment.readLogs?deploymentId={id}"))));
    }
    let call = format!("/api/docker.getContainersByAppLabel?appName={}&type=swarm", stack.app_name);
    let container = text(&world.get(&call)[0]["containerId"]);
    Ok(world.get(&format!("/api/docker.getConfig?containerId={container}"))["Config"].clone())
}

#[test]
fn a_container_has_the_labels_of_its_row_beside_the_swarms() {
    let (mut world, stack) = World::with_stack("demo", "sandbox/hello");
    let bare = config(&mut world, &stack, json!({ "labelsSwarm": null })).unwrap();
    let labels = json!({ "STACK_REVISION": "1", "com.docker.swarm.service.name": "another" });
    let labelled = config(&mut world, &stack, json!({ "labelsSwarm": labels })).unwrap();
    assert_eq!(bare["Labels"]["STACK_REVISION"], Value::Null);
    assert_eq!(labelled["Labels"]["STACK_REVISION"], "1");
    for config in [&bare, &labelled] {
        assert_eq!(config["Labels"]["com.docker.swarm.service.name"], *stack.app_name);
    }
}

#[test]
fn the_sandbox_makes_of_templates_what_the_real_swarm_did() {
    let path = "../dokploy/recordings/observed/490-env-swarm-templates.json";
    let recorded = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    let mut played = 0;
    for case in recorded["observed"].as_array().unwrap() {
        let env = text(&case["env"]);
        // These refer to variables of a project, which the sandbox does not support.
        if env.contains("${{") {
            continue;
        }
        let (mut world, deployed);
        world = World::new();
        let stack = world.stack("demo", "sandbox/hello");
        deployed = deploy(&mut world, &stack, &env);
        played += 1;
        match (deployed, case["container Env"].as_array()) {
            // The values of the swarm's fields differ, but they are expanded as well.
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
    let (mut world, stack) = World::with_deployed("demo", "sandbox/hello");
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
    #![proptest_config(test_support::properties())]

    /// The sandbox verifies the result, with its own parser and its own expansion.
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
                let (mut world, stack) = World::with_stack("demo", "sandbox/hello");
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
