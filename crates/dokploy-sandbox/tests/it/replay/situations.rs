//! The situations in which the recordings were made.

use serde_json::json;

use super::super::world::{Stack, World};
use super::changes::{
    deployed_at_zero, eleven, one_revision, stopped_with_one_domain, taken_back, two_revisions,
    updated_three_times,
};
use super::{Ids, Situation, ids};

/// Recordings, and the situation in which each was made.
pub(super) const ALL: &[(&[u32], Situation)] = &[
    (&[1, 2, 3, 4, 10, 11, 14, 20, 99, 162], nothing),
    (&[21, 22, 23, 24, 27, 30, 96, 201, 202, 203, 204, 237], nothing),
    (&[43, 44, 58, 68, 79, 80, 81, 92, 93, 97, 98, 236, 243], nothing),
    (&[86, 94, 95, 100], fresh),
    (&[25, 28], two_projects),
    (&[26, 29, 31, 33, 34, 35, 36, 37, 38, 39, 205, 206, 218], project),
    (&[32, 222], removed_project),
    (&[40], environment_with_four_applications),
    (&[42, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 126], fresh),
    (&[207, 208, 209, 224, 225, 239, 240, 241, 1065], fresh),
    (&[59, 60, 61, 62, 63, 64, 65, 66, 210], fresh),
    (&[67], three_domains),
    (&[69, 70, 72, 134, 215, 216], one_domain),
    (&[71, 220], deleted_domain),
    (&[74, 87, 88, 89, 101, 105, 108, 110, 112, 114, 116, 118, 120, 211], fresh),
    (&[75, 82, 83, 84, 85], live_with_two_domains),
    (&[76, 78, 130, 213, 214, 217, 244, 245], live),
    (&[138], live),
    (&[90, 132, 171, 172, 177, 178], deploying),
    (&[102, 103, 104], missing_image),
    (&[106, 107], unresolvable_registry),
    (&[109], no_provider),
    (&[111, 124], crash_loop),
    (&[113], too_little_memory),
    (&[115], too_long_a_name),
    (&[117], unknown_reference),
    (&[119], with_login),
    (&[121], deployed_twice),
    (&[131, 136, 137, 219, 221], deleted),
    (&[133], deleted_while_deploying),
    (&[153], throttled),
    (&[175, 176], one_active_one_waiting),
    (&[181, 182], restarted_while_deploying),
    (&[183], restarted_while_waiting),
    (&[212], live_with_one_domain),
    (&[226], project_one_call),
    (&[227, 228, 229, 230], database_down),
    (&[231], crash_loop),
    (&[238], dangling_domain),
    (&[123, 242, 1046, 1047, 1190], live),
    (&[1045], five_with_one_beginning),
    (&[1049], one_container),
    (&[1050], live),
    (&[1361], live_without_a_service),
    (&[1386], crash_loop),
    (&[1062], live),
    (&[1063], missing_image),
    (&[1153, 1154, 1460, 1462, 1463, 1464, 1467, 1540], nothing),
    (&[1465], fresh),
    (&[1478], one_domain),
    (&[1480], one_domain_with_a_middleware),
    (&[1152, 1461], stale_file),
    (&[246, 247, 248], docker_down),
    (&[129, 1101, 1110, 1395], to_be_mounted),
    (&[1102, 1106, 1108, 1396, 1397, 1422], mounted),
    (&[1109], mounted_no_more),
    (&[1122], mounted_twice_and_badly),
    (&[1195, 1398, 1399, 1401, 1425], live_with_a_volume),
    (&[1196], volume_without_an_application),
    (&[1402, 1403, 1404], nothing),
    (&[1407], scaled_to_nothing),
    (&[1410], just_stopped),
    (&[1002, 1007], live_with_one_domain),
    (&[1004, 1005], stopped_with_one_domain),
    (&[1008, 1010, 1012, 1014, 1016, 1019, 1021, 1024, 1025, 1028, 1029, 1032], live),
    (&[1341, 1342, 1345, 1351], live),
    (&[1347], deployed_at_zero),
    (&[1044, 1048], updated_three_times),
    (&[1370], one_revision),
    (&[1371], live),
    (&[1374], two_revisions),
    (&[1376], taken_back),
    (&[1385], eleven),
];

fn live_without_a_service(world: &mut World) -> Ids {
    let ids = live(world);
    let name = ids.get("appName").unwrap();
    assert!(world.core.remove_service(world.now, name));
    ids
}

fn nothing(_: &mut World) -> Ids {
    Ids::new()
}

fn project(world: &mut World) -> Ids {
    let (project, environment) = world.project("demo");
    Ids::from([("projectId", project), ("environmentId", environment)])
}

fn project_one_call(world: &mut World) -> Ids {
    world.project("one_call");
    Ids::new()
}

fn two_projects(world: &mut World) -> Ids {
    world.project("demo");
    project(world)
}

fn removed_project(world: &mut World) -> Ids {
    let ids = project(world);
    world.post("/api/project.remove", json!({ "projectId": ids["projectId"] }));
    ids
}

fn environment_with_four_applications(world: &mut World) -> Ids {
    let ids = project(world);
    for name in ["demo", "demo", "demo3", "demo"] {
        world.application(&ids["environmentId"], name);
    }
    ids
}

fn fresh(world: &mut World) -> Ids {
    ids(&world.stack("demo", "sandbox/hello"))
}

fn with_domains(world: &mut World, hosts: &[&str]) -> Ids {
    let stack = world.stack("demo", "sandbox/hello");
    let mut ids = ids(&stack);
    for host in hosts {
        ids.insert("domainId", world.domain(&stack, host));
    }
    ids
}

fn one_domain(world: &mut World) -> Ids {
    with_domains(world, &["demo.stacks.test"])
}

fn one_domain_with_a_middleware(world: &mut World) -> Ids {
    let ids = one_domain(world);
    let middlewares = ["portal-door@file"];
    let update = json!({
        "domainId": ids["domainId"], "host": "demo.stacks.test", "middlewares": middlewares,
    });
    world.post("/api/domain.update", update);
    ids
}

fn three_domains(world: &mut World) -> Ids {
    with_domains(world, &["nocert.stacks.test", "demo.stacks.test", "demo.stacks.test"])
}

fn deleted_domain(world: &mut World) -> Ids {
    let ids = one_domain(world);
    world.post("/api/domain.delete", json!({ "domainId": ids["domainId"] }));
    ids
}

fn dangling_domain(world: &mut World) -> Ids {
    let made = world.post("/api/domain.create", json!({ "host": "dangling.stacks.test" }));
    Ids::from([("domainId", made["domainId"].as_str().unwrap().to_owned())])
}

fn live_with_domains(world: &mut World, hosts: &[&str]) -> Ids {
    let stack = world.deployed("demo", "sandbox/hello");
    for host in hosts {
        world.domain(&stack, host);
    }
    ids(&stack)
}

pub(super) fn live_with_one_domain(world: &mut World) -> Ids {
    live_with_domains(world, &["golden.stacks.test"])
}

fn live_with_two_domains(world: &mut World) -> Ids {
    live_with_domains(world, &["nocert.stacks.test", "demo.stacks.test"])
}

/// Deploys a stack with these columns to the end of its job.
fn deployed(world: &mut World, name: &str, image: &str, columns: serde_json::Value) -> Ids {
    let stack = world.stack(name, image);
    world.update(&stack, columns);
    world.deploy(&stack, "portal:t");
    world.advance(100);
    let mut ids = ids(&stack);
    let row = world.deployments(&stack)[0]["deploymentId"].clone();
    ids.insert("deploymentId", row.as_str().unwrap().to_owned());
    ids
}

fn live(world: &mut World) -> Ids {
    deployed(world, "demo", "sandbox/hello", json!({ "replicas": 1 }))
}

/// The look-up by name matches the beginning of names.
fn five_with_one_beginning(world: &mut World) -> Ids {
    for number in 1..=5 {
        world.deployed(&format!("rec-{number}"), "sandbox/hello");
    }
    Ids::from([("appName", String::from("rec-"))])
}

fn one_container(world: &mut World) -> Ids {
    let mut ids = deployed(world, "demo", "sandbox/hello", json!({ "env": "VERSION=1" }));
    let call = format!("/api/docker.getContainersByAppLabel?appName={}&type=swarm", ids["appName"]);
    let container = world.get(&call)[0]["containerId"].clone();
    ids.insert("containerId", container.as_str().unwrap().to_owned());
    ids
}

/// The route file of a service without a row.
fn stale_file(world: &mut World) -> Ids {
    let stack = world.deployed("demo", "sandbox/hello");
    world.domain(&stack, "demo.stacks.test");
    world.post("/api/project.remove", json!({ "projectId": stack.project }));
    let path = format!("%2Fetc%2Fdokploy%2Ftraefik%2Fdynamic%2F{}.yml", stack.app_name);
    Ids::from([("path", path)])
}

fn missing_image(world: &mut World) -> Ids {
    deployed(world, "badimage", "sandbox/missing", json!({ "replicas": 1 }))
}

fn unresolvable_registry(world: &mut World) -> Ids {
    deployed(world, "noreg", "no-such-registry.invalid/x/y:1", json!({ "replicas": 1 }))
}

fn no_provider(world: &mut World) -> Ids {
    deployed(world, "noprov", "sandbox/hello", json!({ "sourceType": "github" }))
}

fn crash_loop(world: &mut World) -> Ids {
    deployed(world, "crash", "sandbox/crashloop", json!({ "replicas": 1 }))
}

fn too_little_memory(world: &mut World) -> Ids {
    deployed(world, "badlimit", "sandbox/hello", json!({ "memoryLimit": "64m" }))
}

fn too_long_a_name(world: &mut World) -> Ids {
    deployed(world, &"a".repeat(63), "sandbox/hello", json!({ "replicas": 1 }))
}

fn unknown_reference(world: &mut World) -> Ids {
    deployed(world, "badref", "sandbox/hello", json!({ "env": "A=${{project.NOPE}}" }))
}

fn with_login(world: &mut World) -> Ids {
    deployed(world, "auth", "sandbox/hello", json!({ "username": "u", "password": "p" }))
}

fn deployed_twice(world: &mut World) -> Ids {
    let stack = world.deployed("upd", "sandbox/hello");
    world.deploy(&stack, "u2");
    world.advance(100);
    ids(&stack)
}

fn deleted(world: &mut World) -> Ids {
    let ids = live(world);
    world.post("/api/application.delete", json!({ "applicationId": ids["applicationId"] }));
    ids
}

fn deploying(world: &mut World) -> Ids {
    let stack = world.stack("slowdel", "sandbox/slow");
    world.deploy(&stack, "s1");
    let mut ids = ids(&stack);
    let row = world.deployments(&stack)[0]["deploymentId"].clone();
    ids.insert("deploymentId", row.as_str().unwrap().to_owned());
    ids
}

fn deleted_while_deploying(world: &mut World) -> Ids {
    let ids = deploying(world);
    world.post("/api/application.delete", json!({ "applicationId": ids["applicationId"] }));
    ids
}

fn one_active_one_waiting(world: &mut World) -> Ids {
    deploying(world);
    let stack = world.stack("b", "sandbox/hello");
    world.deploy(&stack, "b1");
    ids(&stack)
}

fn restarted_while_deploying(world: &mut World) -> Ids {
    let ids = deploying(world);
    world.core.restart(world.now);
    ids
}

fn restarted_while_waiting(world: &mut World) -> Ids {
    let ids = one_active_one_waiting(world);
    world.core.restart(world.now);
    ids
}

fn throttled(world: &mut World) -> Ids {
    world.fault("settings.getDokployVersion:unauthorized");
    Ids::new()
}

fn database_down(world: &mut World) -> Ids {
    let ids = project(world);
    world.core.stop_database(world.now);
    ids
}

fn docker_down(world: &mut World) -> Ids {
    let ids = live(world);
    world.core.stop_docker(world.now);
    ids
}

/// The volume of most recordings.
const VOLUME: &str = "d2vol-stk1-data";

fn to_be_mounted(world: &mut World) -> Ids {
    let stack = world.stack("d2vol", "sandbox/hello");
    let mut ids = ids(&stack);
    ids.insert("serviceId", stack.application);
    ids
}

fn mounted(world: &mut World) -> Ids {
    let stack = world.stack("d2vol", "sandbox/hello");
    let mut ids = ids(&stack);
    ids.insert("mountId", world.mount(&stack, VOLUME, "/data"));
    ids.insert("serviceId", stack.application);
    ids
}

fn mounted_no_more(world: &mut World) -> Ids {
    let ids = mounted(world);
    world.post("/api/mounts.remove", json!({ "mountId": ids["mountId"] }));
    ids
}

fn with_a_volume(world: &mut World, volume: &str) -> Stack {
    let stack = world.stack("d2vol", "sandbox/hello");
    world.mount(&stack, volume, "/data");
    world.deploy(&stack, "t");
    world.advance(100);
    stack
}

fn live_with_a_volume(world: &mut World) -> Ids {
    ids(&with_a_volume(world, VOLUME))
}

fn mounted_twice_and_badly(world: &mut World) -> Ids {
    let stack = with_a_volume(world, "rec-vol-data");
    world.domain(&stack, "rec-vol.stacks.test");
    let again = world.mount(&stack, "rec-vol-data", "/data");
    for title in ["re", "dup"] {
        world.deploy(&stack, title);
        world.advance(100);
    }
    world.post("/api/mounts.remove", json!({ "mountId": again }));
    world.mount(&stack, "bad name;rm", "/x");
    ids(&stack)
}

fn volume_without_an_application(world: &mut World) -> Ids {
    let stack = with_a_volume(world, "rec-vol-data");
    world.post("/api/application.delete", json!({ "applicationId": stack.application }));
    world.advance(6);
    Ids::new()
}

fn scaled_to_nothing(world: &mut World) -> Ids {
    let stack = with_a_volume(world, VOLUME);
    world.update(&stack, json!({ "replicas": 0 }));
    world.reload(&stack);
    world.advance(6);
    ids(&stack)
}

fn just_stopped(world: &mut World) -> Ids {
    let stack = with_a_volume(world, VOLUME);
    world.post("/api/application.stop", json!({ "applicationId": stack.application }));
    world.advance(5);
    ids(&stack)
}
