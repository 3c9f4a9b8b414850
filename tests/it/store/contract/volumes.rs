//! The part of the contract about the volumes that the operations of a stack named.

use ai_stack_deployer::server::platform::VolumeName;
use ai_stack_deployer::server::store::{
    Desired, Fact, Lease, NamedVolume, StackVolumes, State, StepId, StepRecord, Store,
    VolumesOutput,
};
use domain::kind::{START, STOP};
use domain::receipt::{Line, Outcome, ResourceKind};
use domain::stack_id::StackId;
use domain::stack_name::StackName;

use super::on_stack::{end_by, operation};
use super::removals::{live, removal};
use super::{at, claim, finish};
use crate::support::claim_one::CLEAN_UP;

fn volume(name: &str, path: Option<&str>) -> NamedVolume {
    let path = path.map(ToOwned::to_owned);
    NamedVolume { name: VolumeName(name.to_owned()), path, is_brought_back: false }
}

fn named(volumes: &[NamedVolume]) -> StepRecord {
    let output = VolumesOutput { node: String::from("vm"), volumes: volumes.to_vec() };
    let output = serde_json::to_value(output).unwrap();
    StepRecord::Succeeded { output, response_lost: false }
}

async fn record(store: &dyn Store, lease: &Lease, step: StepId, record: StepRecord) {
    let step = Some((step, record));
    store.record(lease, &Fact { step, ..Fact::default() }).await.unwrap();
}

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    let made = live(store, 2_700, "volume-vera").await;
    let (name, stack) = (StackName::parse("volume-vera").unwrap(), StackId::of(&made));
    let known = async || store.stack_volumes(stack).await.unwrap();
    assert_eq!(known().await, StackVolumes::default());

    let first = operation(&STOP, 2_701, None);
    store.begin_operation(&name, &first).await.unwrap();
    let lease = claim(store, CLEAN_UP, &first.id).await;
    let (data, more) = (volume("data", Some("/data")), volume("more", Some("/more")));
    record(store, &lease, StepId::VOLUMES, named(std::slice::from_ref(&data))).await;
    record(store, &lease, StepId::NEW_VOLUMES, StepRecord::Started).await;
    let expected = |volumes: &[NamedVolume]| StackVolumes {
        node: Some(String::from("vm")),
        volumes: volumes.to_vec(),
    };
    assert_eq!(known().await, expected(std::slice::from_ref(&data)), "it names none yet");
    record(store, &lease, StepId::NEW_VOLUMES, named(&[more.clone(), data.clone()])).await;
    let mut all = known().await;
    all.volumes.sort_by(|a, b| a.name.0.cmp(&b.name.0));
    assert_eq!(all, expected(&[data.clone(), more.clone()]), "each once");
    let line = |outcome, name: &str| Line {
        resource: ResourceKind::Volume,
        id: None,
        name: name.to_owned(),
        outcome,
        at: at(62),
        remedy: None,
    };
    let lines = vec![line(Outcome::VerifiedGone, "more"), line(Outcome::Kept, "held")];
    record(store, &lease, StepId::NEW_VOLUMES, StepRecord::Undone { lines, cause: None }).await;
    let mut all = known().await;
    all.volumes.sort_by(|a, b| a.name.0.cmp(&b.name.0));
    assert_eq!(all, expected(&[data, volume("held", None)]), "what is not gone is there");
    end_by(store, &lease, State::RolledBack, Some(Desired::Stopped)).await;
    let plain = operation(&START, 2_702, None);
    store.begin_operation(&name, &plain).await.unwrap();
    let lease = claim(store, CLEAN_UP, &plain.id).await;
    end_by(store, &lease, State::RolledBack, Some(Desired::Running)).await;

    // Nothing else knows them, so the operation stays for as long as the stack does.
    store.purge(at(1_000_000)).await.unwrap();
    assert!(store.find(&plain.id).await.unwrap().is_none());
    assert!(store.find(&first.id).await.unwrap().is_some());
    assert_eq!(known().await.volumes.len(), 2);
    let remove = removal(2_703, None);
    store.begin_removal(&name, &remove).await.unwrap();
    finish(store, CLEAN_UP, &remove.id, State::RolledBack).await;
    store.purge(at(1_000_000)).await.unwrap();
    assert!(store.find(&first.id).await.unwrap().is_none());
    assert_eq!(known().await, StackVolumes::default());
}
