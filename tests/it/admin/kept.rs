//! What operators see of kept data.

use std::time::Duration;

use ai_stack_deployer::server::auth::access::Role;
use ai_stack_deployer::server::store::{
    Disposal, Kept as _, KeptVolume, NewDeployment, NewKept, NewRemoval, Stacks as _,
};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::{EventBody, Gone, RemovalCompletion};
use domain::receipt::Receipt;
use domain::stack_id::StackId;
use domain::stack_name::StackName;
use domain::template::Volume;

use super::expect;
use super::world::World;
use crate::support::app::TestApp;
use crate::support::claim_one::{CLEAN_UP, ClaimOne as _};
use crate::support::settings::{new_deployment, new_removal, stack_settings};

/// Begins the removal of the live stack `name`, which keeps its data.
async fn begin_removal(world: &World, name: &str, number: u128) {
    let now = world.app.clock.now();
    let volume = KeptVolume { key: String::from("data"), name: format!("asd-default-{name}-data") };
    let until = now + Duration::from_hours(7 * 24);
    let kept = Some(NewKept { volumes: vec![volume], until, most: None });
    let new = NewRemoval { disposal: Disposal::Keep, kept, ..new_removal(number, now) };
    let name = StackName::parse(name).unwrap();
    world.app.store.begin_removal(&name, &new).await.unwrap();
}

async fn end_removal(world: &World) {
    let (now, ttl) = (world.app.clock.now(), Duration::from_mins(1));
    let lease = world.app.store.claim_one(CLEAN_UP, "test", now, ttl).await.unwrap().unwrap();
    let (status, receipt) = (Gone::Removed, Receipt::of(Vec::new()));
    let end = EventBody::Removed(RemovalCompletion { status, receipt });
    world.app.record(&lease, vec![end]).await;
}

#[tokio::test]
async fn operators_see_all_kept_data_also_what_nobody_owns() {
    let world = World::new();
    let (mut ann, _) = world.sign_in("Ann Bell", Role::Member).await;
    let (mut olga, _) = world.sign_in("Olga Ost", Role::Operator).await;
    expect(&olga.get("/admin").await, &["No data of removed stacks is kept."], &[]);
    let alice = world.start(&mut ann, "alice").await;
    world.app.record(&world.app.claim().await, vec![TestApp::complete("alice")]).await;
    begin_removal(&world, "alice", 501).await;
    expect(&olga.get("/admin").await, &["its stack is being removed"], &[]);
    end_removal(&world).await;
    let settings = stack_settings("sandbox/hello");
    let id = DeploymentId::from_random(502);
    let new = new_deployment(&settings, id.clone(), "bobby", world.app.clock.now());
    assert_eq!(new.owner, None);
    world.app.store.begin(&new, None).await.unwrap();
    world.app.record(&world.app.claim().await, vec![TestApp::complete("bobby")]).await;
    begin_removal(&world, "bobby", 503).await;
    end_removal(&world).await;
    let words = [
        "The data of 2 removed stacks is kept.",
        "asd-default-alice-data",
        "asd-default-bobby-data",
        "Ann Bell",
        "no owner",
    ];
    expect(&olga.get("/admin").await, &words, &["its stack is being removed"]);

    let now = world.app.clock.now();
    world.app.store.mark_lost(StackId::of(&alice), Some(now)).await.unwrap();
    let id = DeploymentId::from_random(504);
    let new = new_deployment(&settings, id, "carol", now);
    let data = Some(StackId::of(&DeploymentId::from_random(502)));
    let new = NewDeployment { data, ..new };
    world.app.store.begin(&new, None).await.unwrap();
    let words = ["its volumes are gone from the platform", "used by", "carol</a>"];
    expect(&olga.get("/admin").await, &words, &[]);
    expect(&ann.get("/data").await, &["Data of alice"], &["Data of bobby"]);
    expect(&ann.get("/account").await, &["Kept data of your removed stacks"], &[]);
}

#[tokio::test]
async fn the_page_of_somebody_elses_stack_says_that_its_owner_keeps_data() {
    let world = World::with(&[("KEPT_PER_PERSON", "1")]);
    let (mut ann, _) = world.sign_in("Ann Bell", Role::Member).await;
    let (mut olga, _) = world.sign_in("Olga Ost", Role::Operator).await;
    for name in ["alice", "bobby"] {
        world.start(&mut ann, name).await;
        world.app.record(&world.app.claim().await, vec![TestApp::complete(name)]).await;
    }
    world.app.store.change_specs(|spec| {
        let (key, path) = (String::from("data"), String::from("/data"));
        spec.volumes = vec![Volume { key, path, exclusive: false }];
    });
    begin_removal(&world, "alice", 501).await;
    end_removal(&world).await;
    let own = "You keep the data of as many removed stacks as you may.";
    let others = "The owner of this stack keeps the data of as many removed stacks as they may.";
    expect(&ann.get("/stacks/bobby").await, &[own, "Data of alice"], &[others]);
    expect(&olga.get("/stacks/bobby").await, &[others, "Data of alice"], &[own]);
}
