//! Kept data: a new stack has it, a start that fails gives it back, and it is deleted with evidence
//! once somebody says so or its time is over.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::audit::{AuditAction, AuditFilter, AuditLog as _};
use ai_stack_deployer::server::reconciler::{Finding, Repair};
use ai_stack_deployer::server::store::{
    DataDeletion, Disposal, Kept as _, KeptData, KeptFilter, KeptState, NewDeployment, Stacks as _,
    State,
};
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::kind::DELETE_DATA;
use domain::progress::End;
use domain::receipt::{Line, Outcome, Receipt, ResourceKind};
use domain::stack_id::StackId;
use domain::stack_spec::BroughtBack;
use tokio_util::sync::CancellationToken;

use super::volumes::{VOLUME, ask, counting, receipt, runs, volume, volumes};
use super::world::World;
use crate::support::claim_one::CLEAN_UP;
use crate::support::memory_store::MemoryStore;
use crate::support::settings::{new_deployment, new_removal};

const DAY: Duration = Duration::from_hours(24);

fn stack() -> StackId {
    StackId::of(&DeploymentId::from_random(42))
}

/// Returns a world in which the data of `alice`, which has run once, is kept for a week.
async fn kept() -> (World, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    let change = |spec: &mut domain::stack_spec::StackSpec| spec.volumes.push(volume());
    let mut world = World::begin_with(Arc::clone(&store) as _, counting(), change, &[]).await;
    world.drive().await;
    assert_eq!(ask(&world, "alice", "POST", "/count").0, 303);
    world.remove_with(Disposal::Keep).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::RolledBack);
    (world, store)
}

async fn data(world: &World) -> Option<KeptData> {
    world.store.kept_data(&KeptFilter::Stack(stack())).await.unwrap().pop()
}

/// Begins the deployment of `bobby` with the kept data.
async fn bring_back(world: &mut World, change: impl FnOnce(&mut NewDeployment)) {
    let id = DeploymentId::from_random(44);
    let mut new = new_deployment(&world.ports.settings, id.clone(), "bobby", world.clock.now());
    let names = [(String::from("data"), VOLUME.to_owned())].into();
    new.spec.spec.volumes.push(volume());
    new.spec.spec.brought_back = Some(BroughtBack { id: stack().data_id(), volumes: names });
    new.data = Some(stack());
    change(&mut new);
    world.store.begin(&new, None).await.unwrap();
    world.id = id;
}

/// Removes `bobby` with the data.
async fn remove_with_data(world: &mut World) {
    let new = new_removal(45, world.clock.now());
    let name = domain::stack_name::StackName::parse("bobby").unwrap();
    world.store.begin_removal(&name, &new).await.unwrap();
    world.id = new.id;
    world.drive().await;
}

fn of_volume(receipt: &Receipt) -> Vec<(&str, Outcome)> {
    let lines = receipt.lines.iter();
    let lines = lines.filter(|line| line.resource == ResourceKind::Volume);
    lines.map(|line: &Line| (line.name.as_str(), line.outcome)).collect()
}

#[tokio::test]
async fn a_new_stack_has_the_data_of_the_former_one() {
    let (mut world, _) = kept().await;
    assert_eq!(data(&world).await.unwrap().state, KeptState::Kept);
    bring_back(&mut world, |_| {}).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(runs(&world, "bobby"), "1");
    let state = data(&world).await.unwrap().state;
    assert!(matches!(&state, KeptState::InUse(user) if user.is_live), "{state:?}");
    remove_with_data(&mut world).await;
    assert_eq!(of_volume(&receipt(&world).await), [(VOLUME, Outcome::VerifiedGone)]);
    assert_eq!(volumes(&world.platform).await, Vec::<String>::new());
    assert_eq!(data(&world).await, None);
}

#[tokio::test]
async fn a_start_that_fails_gives_the_data_back() {
    let (mut world, _) = kept().await;
    bring_back(&mut world, |new| new.spec.spec.image = String::from("sandbox/crashloop")).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::RolledBack);
    let receipt = receipt(&world).await;
    assert_eq!(of_volume(&receipt), [(VOLUME, Outcome::Kept)]);
    assert!(receipt.clean);
    assert_eq!(volumes(&world.platform).await, [VOLUME]);
    assert_eq!(data(&world).await.unwrap().state, KeptState::Kept);
}

#[tokio::test]
async fn a_volume_that_the_template_has_no_more_is_removed_with_its_stack() {
    let (mut world, _) = kept().await;
    bring_back(&mut world, |new| new.spec.spec.volumes.clear()).await;
    world.drive().await;
    assert_eq!(world.record().await.state, State::Live);
    assert_eq!(world.platform.count("mounts.create"), 1, "only for the former stack");
    remove_with_data(&mut world).await;
    assert_eq!(volumes(&world.platform).await, Vec::<String>::new());
}

#[tokio::test]
async fn data_whose_time_is_over_is_deleted_on_the_record() {
    let (mut world, store) = kept().await;
    world.clock.advance(6 * DAY);
    world.reconciler().delete_due_data().await.unwrap();
    assert_eq!(data(&world).await.unwrap().state, KeptState::Kept, "a day is left");
    world.clock.advance(2 * DAY);
    world.reconciler().delete_due_data().await.unwrap();
    assert_eq!(data(&world).await.unwrap().state, KeptState::Deleting);
    assert_eq!(volumes(&world.platform).await, [VOLUME]);
    world.id = stack().operation(&DELETE_DATA);
    world.drive_in(CLEAN_UP).await;
    let End::Removed(removal) = world.end().await else { panic!("not deleted") };
    assert_eq!(of_volume(&removal.receipt), [(VOLUME, Outcome::VerifiedGone)]);
    assert_eq!(removal.receipt.lines.len(), 1, "only the data was left");
    assert_eq!(volumes(&world.platform).await, Vec::<String>::new());
    assert_eq!(data(&world).await, None);
    let filter = AuditFilter { act: Some(AuditAction::DeleteData), limit: 9, ..Default::default() };
    let entries = store.entries(&filter).await.unwrap();
    let [(_, entry)] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((entry.who.as_str(), &entry.target), ("portal", &Some(stack().data_id())));
}

#[tokio::test]
async fn with_docker_down_kept_data_is_not_called_deleted() {
    let (mut world, _) = kept().await;
    world.clock.advance(8 * DAY);
    world.reconciler().delete_due_data().await.unwrap();
    world.id = stack().operation(&DELETE_DATA);
    world.inject("dockerVolume.getVolumes:docker-down=20m");
    world.drive_in(CLEAN_UP).await;
    assert_eq!(world.record().await.state, State::Stuck);
    assert_eq!(data(&world).await.unwrap().state, KeptState::Deleting, "it is still listed");
    world.clean_up(3).await;
    assert_eq!(data(&world).await, None);
    assert_eq!(volumes(&world.platform).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_volume_is_deleted_as_well() {
    let (mut world, _) = kept().await;
    let now = world.clock.now();
    world.platform.core().lose_volume(now, VOLUME);
    world.clock.advance(8 * DAY);
    world.reconciler().delete_due_data().await.unwrap();
    world.id = stack().operation(&DELETE_DATA);
    world.drive_in(CLEAN_UP).await;
    assert_eq!(data(&world).await, None);
    let new = new_removal(50, world.clock.now());
    let nothing = world.store.begin_deletion(stack(), &new).await.unwrap();
    assert_eq!(nothing, DataDeletion::Unknown);
}

fn told(found: &[Finding]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_volume_that_nobody_knows_is_reported_and_left() {
    let (mut world, _) = kept().await;
    let stack = |number| StackId::of(&DeploymentId::from_random(number));
    let unknown = format!("asd-test-{}-data", stack(77));
    let others = [
        String::from("pgdata"),
        String::from("asd-test-other"),
        format!("asd-test-2-{}-data", stack(78)),
        format!("asd-tes-{}-data", stack(79)),
    ];
    for name in others.iter().chain([&unknown]) {
        world.platform.core().make_volume(world.clock.now(), name);
    }
    let reconciler = world.reconciler();
    let found = reconciler.survey().await.unwrap();
    let expected = Finding::StrayVolume { volume: unknown.clone() };
    assert_eq!(found, [expected]);
    assert!(told(&found)[0].ends_with(&format!("docker volume rm {unknown}")), "{found:?}");
    let handled = reconciler.repair(found, &CancellationToken::new()).await;
    assert!(matches!(handled[0].outcome, Repair::Reported), "{handled:?}");
    assert_eq!(volumes(&world.platform).await.len(), others.len() + 2, "nothing is removed");

    // What a stack has is known, and so is what is left of one that is gone.
    bring_back(&mut world, |_| {}).await;
    assert_eq!(world.reconciler().survey().await.unwrap().len(), 1);
    world.drive().await;
    assert_eq!(world.reconciler().survey().await.unwrap().len(), 1);
    remove_with_data(&mut world).await;
    let now = world.clock.now();
    world.platform.core().make_volume(now, VOLUME);
    let found = told(&world.reconciler().survey().await.unwrap());
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|line| line.contains(VOLUME)), "{found:?}");
}

#[tokio::test]
async fn kept_data_whose_volume_is_gone_is_marked_and_told_and_stays_listed() {
    let (world, _) = kept().await;
    let mut reconciler = world.reconciler();
    assert_eq!(reconciler.survey().await.unwrap(), []);
    let now = world.clock.now();
    assert!(world.platform.core().lose_volume(now, VOLUME));
    world.platform.core().stop_docker(now);
    assert_eq!(reconciler.survey().await.unwrap(), [], "with Docker down nothing is concluded");
    world.platform.core().start_docker(now);
    for fault in ["swarm.getNodes:docker-down=1s", "dockerVolume.getVolumes:docker-down=1s"] {
        world.inject(fault);
        assert_eq!(reconciler.survey().await.unwrap(), [], "{fault}");
        world.clock.advance(Duration::from_secs(2));
    }

    let found = reconciler.survey().await.unwrap();
    assert_eq!(told(&found).len(), 1, "{found:?}");
    assert!(told(&found)[0].contains(&stack().data_id()), "{found:?}");
    reconciler.mark_lost_data(&found).await.unwrap();
    let lost = KeptState::Lost(world.clock.now());
    assert_eq!(data(&world).await.unwrap().state, lost);
    let handled = reconciler.repair(found, &CancellationToken::new()).await;
    assert!(matches!(handled[0].outcome, Repair::Reported), "{handled:?}");
    reconciler.conclude(handled);
    let found = reconciler.survey().await.unwrap();
    assert_eq!(found.len(), 1, "as long as it is so");
    world.clock.advance(Duration::from_mins(1));
    reconciler.mark_lost_data(&found).await.unwrap();
    assert_eq!(data(&world).await.unwrap().state, lost, "since the first time");

    // Somebody restores it from a backup.
    let now = world.clock.now();
    world.platform.core().make_volume(now, VOLUME);
    let found = reconciler.survey().await.unwrap();
    assert_eq!(found, []);
    reconciler.mark_lost_data(&found).await.unwrap();
    assert_eq!(data(&world).await.unwrap().state, KeptState::Kept);
}
