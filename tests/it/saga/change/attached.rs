//! Changes to a revision that has other volumes, or listens on another port.

use std::sync::Arc;

use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::store::{Disposal, Journal as _, Kept as _, RevisionOutcome, State};
use clock::Clock;
use dokploy_sandbox::Visit;
use domain::kind::{RESTART, START, STOP};
use domain::progress::End;
use domain::receipt::{Outcome, ResourceKind};
use domain::stack_spec::StackSpec;
use domain::template::Volume;
use serde_json::{Value, json};

use super::{World, live, stack};
use crate::saga::volumes::{receipt, volumes};
use crate::support::claim_one::CLEAN_UP;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::{new_removal, stack_settings};

const PREFIX: &str = "asd-test-stk_0000000000000000000000000000002a-";

fn volume(key: &str, path: &str) -> Volume {
    Volume { key: key.to_owned(), path: path.to_owned(), exclusive: false }
}

fn named(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| format!("{PREFIX}{key}")).collect()
}

/// Returns the volumes of a template with these keys and folders.
pub(super) fn of(volumes: &[(&str, &str)]) -> Vec<Volume> {
    volumes.iter().map(|(key, path)| volume(key, path)).collect()
}

/// Begins a stack with these volumes, and runs that to its end.
pub(super) async fn live_with(image: &str, volumes: &[(&str, &str)]) -> World {
    let settings = stack_settings(image);
    let add = |spec: &mut StackSpec| spec.volumes = of(volumes);
    let store = Arc::new(MemoryStore::default());
    let world = World::begin_with(store, settings, add, &[]).await;
    world.drive().await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    world
}

impl World {
    /// Changes the stack to this image with these volumes, and drives that to its end.
    async fn change_volumes(&mut self, number: u128, image: &str, volumes: &[(&str, &str)]) {
        self.ask_to_change(number, |spec| {
            image.clone_into(&mut spec.image);
            spec.volumes = of(volumes);
        })
        .await;
        self.drive().await;
    }

    /// Returns the mounts in the platform's row of the stack, in order of their volumes.
    async fn mounted(&self) -> Vec<(String, String)> {
        let inventory = self.platform.inventory().await;
        let rows = &inventory["mounts"];
        let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
        let rows = rows.as_array().unwrap().iter();
        let mut mounted: Vec<_> =
            rows.map(|row| (text(row, "volumeName"), text(row, "mountPath"))).collect();
        mounted.sort();
        mounted
    }

    /// Checks what the row mounts, as keys and folders, and which volumes exist, as keys.
    pub(super) async fn has(&self, mounted: &[(&str, &str)], existing: &[&str], what: &str) {
        let expected = mounted.iter().map(|(key, path)| (format!("{PREFIX}{key}"), (*path).into()));
        assert_eq!(self.mounted().await, expected.collect::<Vec<_>>(), "{what}: mounts");
        assert_eq!(volumes(&self.platform).await, named(existing), "{what}: volumes");
        let known = self.store.stack_volumes(stack()).await.unwrap().volumes.into_iter();
        let mut known: Vec<_> = known.map(|volume| volume.name.0).collect();
        known.sort();
        assert_eq!(known, named(existing), "{what}: on record");
    }

    /// Returns the lines of the last receipt about volumes, by their keys.
    async fn of_volumes(&self) -> Vec<(String, Outcome)> {
        let lines = receipt(self).await.lines.into_iter();
        let of_volumes = lines.filter(|line| line.resource == ResourceKind::Volume);
        of_volumes.map(|line| (line.name.replace(PREFIX, ""), line.outcome)).collect()
    }
}

#[tokio::test]
async fn a_stack_gets_a_volume_and_its_removal_deletes_it() {
    let mut world = live().await;
    world.change_volumes(50, "sandbox/revisions:2", &[("data", "/data")]).await;
    world.holds("added").await;
    world.has(&[("data", "/data")], &["data"], "added").await;
    for (kind, number) in [(&RESTART, 51), (&STOP, 52), (&START, 53)] {
        world.run_on_stack(kind, number).await;
        assert!(matches!(world.end().await, End::Live(_)), "{}", kind.noun);
        world.has(&[("data", "/data")], &["data"], kind.noun).await;
    }
    world.run_removal().await;
    assert_eq!(world.count().await, (0, 0, 0, 0));
    assert_eq!(volumes(&world.platform).await, named(&[]));
    assert_eq!(world.of_volumes().await, [(String::from("data"), Outcome::VerifiedGone)]);
    let lines = receipt(&world).await.lines.into_iter().map(|line| line.resource);
    let last = [ResourceKind::Volume, ResourceKind::Project];
    assert!(lines.collect::<Vec<_>>().ends_with(&last), "after its containers are gone");
}

#[tokio::test]
async fn a_removal_can_keep_a_volume_that_a_change_added_and_its_data_can_be_deleted() {
    let mut world = live().await;
    world.change_volumes(50, "sandbox/revisions:2", &[("data", "/data")]).await;
    world.set_volumes(1);
    world.id = stack().deployment();
    world.remove_with(Disposal::Keep).await;
    world.drive().await;
    assert_eq!(world.of_volumes().await, [(String::from("data"), Outcome::Kept)]);
    assert_eq!(volumes(&world.platform).await, named(&["data"]));
    let new = new_removal(60, world.clock.now());
    world.store.begin_deletion(stack(), &new).await.unwrap();
    world.id = new.id;
    world.drive_in(CLEAN_UP).await;
    assert_eq!(world.of_volumes().await, [(String::from("data"), Outcome::VerifiedGone)]);
    assert_eq!(volumes(&world.platform).await, named(&[]));
}

#[tokio::test]
async fn what_a_revision_no_longer_mounts_stays_until_the_removal_and_can_be_mounted_again() {
    let mut world = live_with("sandbox/revisions:1", &[("data", "/data"), ("old", "/old")]).await;
    world.has(&[("data", "/data"), ("old", "/old")], &["data", "old"], "made").await;
    let next = [("data", "/files"), ("new", "/new")];
    world.change_volumes(50, "sandbox/revisions:2", &next).await;
    world.holds("changed").await;
    world.has(&next, &["data", "new", "old"], "changed").await;

    world.change_volumes(51, "sandbox/revisions:3", &[("old", "/old")]).await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    world.has(&[("old", "/old")], &["data", "new", "old"], "back").await;
    world.change_volumes(52, "sandbox/revisions:2", &[]).await;
    assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
    world.has(&[], &["data", "new", "old"], "none").await;

    world.run_removal().await;
    assert_eq!(world.count().await, (0, 0, 0, 0));
    assert_eq!(volumes(&world.platform).await, named(&[]));
    assert_eq!(world.of_volumes().await.len(), 3);
}

#[tokio::test]
async fn a_new_volume_of_a_revision_that_does_not_run_goes_unless_a_container_holds_it() {
    for (image, outcome) in [
        ("sandbox/missing", Outcome::VerifiedGone),
        // The swarm keeps the containers that ended, and they hold their volumes.
        ("sandbox/revisions:dying", Outcome::Kept),
        ("sandbox/revisions:crashloop", Outcome::Kept),
    ] {
        for before in [&[][..], &[("data", "/data")]] {
            let mut world = live_with("sandbox/revisions:1", before).await;
            let after = [("data", "/files"), ("new", "/new")];
            world.change_volumes(50, image, &after).await;
            world.holds(image).await;
            assert_eq!(world.present().await, 1, "{image}");
            assert_eq!(world.record().await.state, State::RolledBack, "{image}: it is not stuck");
            let is_kept = outcome == Outcome::Kept;
            let existing = if is_kept { &["data", "new"][..] } else { &["data"][..before.len()] };
            world.has(before, existing, image).await;
            let lines = world.of_volumes().await;
            assert!(lines.iter().all(|(_, of_line)| *of_line == outcome), "{image}: {lines:?}");
            assert_eq!(lines.len(), 2 - before.len(), "{image}: {lines:?}");
            // A good one has both, whether they are there already or not.
            world.change_volumes(51, "sandbox/revisions:3", &after).await;
            assert!(matches!(world.end().await, End::Live(_)), "{:?}", world.end().await);
            world.has(&after, &["data", "new"], image).await;
            world.run_removal().await;
            assert_eq!(volumes(&world.platform).await, named(&[]), "{image}");
            assert_eq!(world.of_volumes().await.len(), 2, "{image}");
        }
    }
}

#[tokio::test]
async fn a_stopped_stack_gets_its_volume_with_its_start() {
    let mut world = live().await;
    world.run_on_stack(&STOP, 50).await;
    world.change_volumes(51, "sandbox/revisions:2", &[("data", "/data")]).await;
    assert_eq!(world.outcome(2).await, Some(RevisionOutcome::Untried));
    assert_eq!(volumes(&world.platform).await, named(&[]), "nothing has run yet");
    world.run_on_stack(&START, 52).await;
    world.holds("started").await;
    world.has(&[("data", "/data")], &["data"], "started").await;
}

/// Returns the port to which the address of the stack leads.
async fn port(world: &World) -> Value {
    world.platform.inventory().await["domains"][0]["port"].clone()
}

/// Returns whether the stack answers at its address.
fn answers(world: &World) -> bool {
    let (now, visit) = (world.clock.now(), Visit::get("alice.localhost", "/health"));
    world.platform.core().answer_visit(now, &visit).status == 200
}

#[tokio::test]
async fn the_address_leads_to_the_port_of_the_revision_that_runs() {
    let settings = StackSettings { port: 8888, ..stack_settings("sandbox/notebook:1.0.0") };
    let mut world = World::begin_by(Arc::new(MemoryStore::default()), settings, &[]).await;
    world.drive().await;
    assert!(answers(&world), "{:?}", world.end().await);
    for (number, image, new, is_good) in [
        (50, "sandbox/revisions:crashloop", 3000, false),
        // Nothing of it listens there.
        (51, "sandbox/chat:1.0.0", 8081, false),
        (52, "sandbox/chat:1.0.0", 8080, true),
    ] {
        world
            .ask_to_change(number, |spec| {
                image.clone_into(&mut spec.image);
                spec.port = new;
            })
            .await;
        world.drive().await;
        assert_eq!(matches!(world.end().await, End::Live(_)), is_good, "{:?}", world.end().await);
        assert_eq!(port(&world).await, if is_good { new } else { 8888 }, "{image}");
        assert!(answers(&world), "{image}");
    }
    // What somebody changed in Dokploy since then is put right by the next change that finds one
    // before it which failed.
    let domain = world.first("domains", "domainId").await;
    let wrong = json!({ "domainId": domain, "host": "alice.localhost", "port": 1 });
    world.platform.as_another_user("domain.update", &wrong);
    assert!(!answers(&world));
    world.run_on_stack(&RESTART, 53).await;
    assert!(answers(&world), "{:?}", world.end().await);
}
