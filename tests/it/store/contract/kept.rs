//! The part of the contract about the data of stacks that are gone.

use std::time::Duration;

use ai_stack_deployer::server::store::{
    CleanupRecord, DataDeletion, DataUser, Disposal, KeptData, KeptFilter, KeptState, KeptVolume,
    Lane, NewDeployment, NewKept, NewRemoval, RemovalOutcome, State, Store, StoreError,
};
use domain::deployment::DeploymentId;
use domain::kind::DELETE_DATA;
use domain::owner::OwnerId;
use domain::receipt::Receipt;
use domain::stack_id::StackId;
use domain::stack_name::StackName;

use super::removals::removal;
use super::{at, finish, new};
use crate::support::claim_one::CLEAN_UP;

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    data_is_kept_once_its_stack_is_gone_and_until_it_is_deleted(store).await;
    data_belongs_to_the_stack_that_brought_it_back(store).await;
    no_more_data_is_kept_than_the_limit_says(store).await;
    data_whose_volumes_are_gone_is_marked_and_stays_listed(store).await;
    data_that_was_brought_back_stays_listed_if_a_removal_keeps_it_unseen(store).await;
}

fn owner() -> OwnerId {
    OwnerId::person("keeper")
}

fn deployment(number: u128, name: &str) -> NewDeployment {
    let mut new = new(number, name);
    new.owner = Some(owner());
    new.quota.counted_as = Some(owner().to_string());
    new
}

fn stack(number: u128) -> StackId {
    StackId::of(&DeploymentId::from_random(number))
}

fn volumes() -> Vec<KeptVolume> {
    vec![KeptVolume { key: String::from("data"), name: String::from("asd-test-data") }]
}

/// Returns a removal that keeps the data until `until`.
fn keeping(number: u128, until: i64, most: Option<u32>) -> NewRemoval {
    let kept = NewKept { volumes: volumes(), until: at(until), most };
    NewRemoval { disposal: Disposal::Keep, kept: Some(kept), ..removal(number, None) }
}

/// Returns the operation that deletes the data of the stack with this number.
fn deletion(number: u128) -> NewRemoval {
    let id = stack(number).operation(&DELETE_DATA);
    NewRemoval { id, kind: DELETE_DATA.name, ..removal(number, None) }
}

async fn data_of(store: &dyn Store, number: u128) -> Option<KeptData> {
    store.kept_data(&KeptFilter::Stack(stack(number))).await.unwrap().pop()
}

async fn state_of(store: &dyn Store, number: u128) -> Option<KeptState> {
    data_of(store, number).await.map(|data| data.state)
}

async fn begin_removal(store: &dyn Store, name: &str, new: &NewRemoval) -> RemovalOutcome {
    store.begin_removal(&StackName::parse(name).unwrap(), new).await.unwrap()
}

/// Records a stack that is removed, and whose data is kept until the second `until`.
async fn kept(store: &dyn Store, number: u128, name: &str, until: i64) {
    store.begin(&deployment(number, name), None).await.unwrap();
    finish(store, Lane::Forward, &DeploymentId::from_random(number), State::Live).await;
    let new = keeping(number + 1, until, None);
    assert_eq!(begin_removal(store, name, &new).await, RemovalOutcome::Accepted(new.id.clone()));
    finish(store, CLEAN_UP, &new.id, State::RolledBack).await;
}

async fn data_is_kept_once_its_stack_is_gone_and_until_it_is_deleted(store: &dyn Store) {
    assert_eq!(data_of(store, 9900).await, None);
    let nothing = store.begin_deletion(stack(9900), &deletion(9900)).await.unwrap();
    assert_eq!(nothing, DataDeletion::Unknown);
    store.begin(&deployment(9900, "kept-wanda"), None).await.unwrap();
    let made = DeploymentId::from_random(9900);
    finish(store, Lane::Forward, &made, State::Live).await;
    let new = keeping(9901, 500, Some(5));
    assert_eq!(
        begin_removal(store, "kept-wanda", &new).await,
        RemovalOutcome::Accepted(new.id.clone())
    );
    let early = store.begin_deletion(stack(9900), &deletion(9900)).await.unwrap();
    assert_eq!(early, DataDeletion::InUse, "its stack is being removed");
    assert_eq!(state_of(store, 9900).await, Some(KeptState::Removing));
    finish(store, CLEAN_UP, &new.id, State::RolledBack).await;

    // The time counts from the end of the removal, which began at 70.
    let data = data_of(store, 9900).await.unwrap();
    assert_eq!((&data.state, data.until), (&KeptState::Kept, at(480)));
    assert_eq!((data.name.as_str(), &data.owner), ("kept-wanda", &Some(owner())));
    assert_eq!((data.template.as_str(), &data.volumes), ("default", &volumes()));
    let all = store.kept_data(&KeptFilter::Owner(owner())).await.unwrap();
    assert_eq!(all, [data]);
    let due = async |second| store.kept_data(&KeptFilter::Due(at(second))).await.unwrap().len();
    assert_eq!((due(479).await, due(480).await), (0, 1));
    assert!(store.freed(&StackName::parse("kept-wanda").unwrap(), at(0)).await.unwrap().is_some());
    let freed = store.freed(&StackName::parse("kept-wanda").unwrap(), at(0)).await.unwrap();

    // As long as there is data, the operations of its stack stay.
    store.purge(at(1_000_000)).await.unwrap();
    assert!(store.find(&made).await.unwrap().is_some());
    let begun = store.begin_deletion(stack(9900), &deletion(9900)).await.unwrap();
    assert_eq!(begun, DataDeletion::Accepted(deletion(9900).id));
    assert_eq!(state_of(store, 9900).await, Some(KeptState::Deleting));
    assert_eq!(due(500).await, 0, "it is being deleted");
    let again = store.begin_deletion(stack(9900), &deletion(9900)).await.unwrap();
    assert_eq!(again, DataDeletion::Accepted(deletion(9900).id));
    let record = store.find(&deletion(9900).id).await.unwrap().unwrap();
    assert_eq!(record.metadata.links.removes, Some(made.clone()));
    assert_eq!(
        (record.disposal, record.deployment.name.as_str()),
        (Disposal::Delete, "kept-wanda")
    );

    let lease = finish(store, CLEAN_UP, &deletion(9900).id, State::Stuck).await;
    assert_eq!(state_of(store, 9900).await, Some(KeptState::Deleting));
    let gone = CleanupRecord {
        receipt: Receipt::of(Vec::new()),
        at: at(2_000),
        due: at(2_600),
        leaves: None,
    };
    store.record_cleanup(&lease, &gone).await.unwrap();
    assert_eq!(state_of(store, 9900).await, None);
    let name = StackName::parse("kept-wanda").unwrap();
    assert_eq!(store.freed(&name, at(0)).await.unwrap(), freed, "the name was free before");
    store.purge(at(1_000_000)).await.unwrap();
    assert!(store.find(&made).await.unwrap().is_none());
}

async fn data_belongs_to_the_stack_that_brought_it_back(store: &dyn Store) {
    kept(store, 9910, "kept-xenia", 500).await;
    let bringing =
        |number, name| NewDeployment { data: Some(stack(9910)), ..deployment(number, name) };
    store.begin(&bringing(9920, "kept-yvonne"), None).await.unwrap();
    let user = DataUser {
        deployment: DeploymentId::from_random(9920),
        name: StackName::parse("kept-yvonne").unwrap(),
        is_live: false,
    };
    assert_eq!(state_of(store, 9910).await, Some(KeptState::InUse(user)));
    let second = store.begin(&bringing(9930, "kept-zelda"), None).await;
    assert!(matches!(second, Err(StoreError::DataInUse)), "{second:?}");
    let reserved = store.reserved(&[StackName::parse("kept-zelda").unwrap()]).await.unwrap();
    assert!(reserved.is_empty(), "nothing was begun");
    let deleting = store.begin_deletion(stack(9910), &deletion(9910)).await.unwrap();
    assert_eq!(deleting, DataDeletion::InUse);

    // A start that fails gives it back, for a day at least.
    finish(store, Lane::Forward, &DeploymentId::from_random(9920), State::RolledBack).await;
    let data = data_of(store, 9910).await.unwrap();
    assert_eq!(data.state, KeptState::Kept);
    assert!(data.until >= at(500) + Duration::from_hours(23), "{data:?}");

    // A stack that is removed and keeps it has it from then on.
    store.begin(&bringing(9940, "kept-yvette"), None).await.unwrap();
    finish(store, Lane::Forward, &DeploymentId::from_random(9940), State::Live).await;
    let new = keeping(9941, 700, None);
    begin_removal(store, "kept-yvette", &new).await;
    let user = DataUser {
        deployment: DeploymentId::from_random(9940),
        name: StackName::parse("kept-yvette").unwrap(),
        is_live: true,
    };
    assert_eq!(state_of(store, 9910).await, Some(KeptState::InUse(user)));
    finish(store, CLEAN_UP, &new.id, State::RolledBack).await;
    assert_eq!(state_of(store, 9910).await, None);
    let data = data_of(store, 9940).await.unwrap();
    assert_eq!((data.state, data.until), (KeptState::Kept, at(680)));

    // One that is removed with its data leaves none.
    let last = NewDeployment { data: Some(stack(9940)), ..deployment(9950, "kept-yvonne") };
    store.begin(&last, None).await.unwrap();
    finish(store, Lane::Forward, &DeploymentId::from_random(9950), State::Live).await;
    let new = removal(9951, None);
    begin_removal(store, "kept-yvonne", &new).await;
    finish(store, CLEAN_UP, &new.id, State::RolledBack).await;
    assert_eq!(state_of(store, 9940).await, None);
    assert_eq!(store.kept_data(&KeptFilter::Owner(owner())).await.unwrap(), []);
}

async fn no_more_data_is_kept_than_the_limit_says(store: &dyn Store) {
    kept(store, 9960, "kept-ursula", 500).await;
    store.begin(&deployment(9970, "kept-vera"), None).await.unwrap();
    finish(store, Lane::Forward, &DeploymentId::from_random(9970), State::Live).await;
    let full = begin_removal(store, "kept-vera", &keeping(9971, 500, Some(1))).await;
    assert_eq!(full, RemovalOutcome::KeptFull(1));
    assert_eq!(state_of(store, 9970).await, None);
    assert!(store.find(&removal(9971, None).id).await.unwrap().is_none(), "nothing is removed");
    let accepted = begin_removal(store, "kept-vera", &keeping(9971, 500, Some(2))).await;
    assert_eq!(accepted, RemovalOutcome::Accepted(removal(9971, None).id));
    finish(store, CLEAN_UP, &removal(9971, None).id, State::RolledBack).await;
}

async fn data_whose_volumes_are_gone_is_marked_and_stays_listed(store: &dyn Store) {
    kept(store, 9980, "kept-tilda", 500).await;
    store.mark_lost(stack(9980), Some(at(90))).await.unwrap();
    assert_eq!(state_of(store, 9980).await, Some(KeptState::Lost(at(90))));
    let new = NewDeployment { data: Some(stack(9980)), ..deployment(9983, "kept-sina") };
    let refused = store.begin(&new, None).await;
    assert!(matches!(refused, Err(StoreError::DataInUse)), "{refused:?}");
    let all = async || store.kept_data(&KeptFilter::All).await.unwrap();
    assert!(all().await.iter().any(|data| data.stack == stack(9980)));
    let due = store.kept_data(&KeptFilter::Due(at(500))).await.unwrap();
    assert!(due.iter().any(|data| data.stack == stack(9980)), "it is deleted like others");
    store.mark_lost(stack(9980), None).await.unwrap();
    assert_eq!(state_of(store, 9980).await, Some(KeptState::Kept));
    store.mark_lost(stack(9980), Some(at(91))).await.unwrap();
    store.begin_deletion(stack(9980), &deletion(9980)).await.unwrap();
    assert_eq!(state_of(store, 9980).await, Some(KeptState::Deleting));
    store.mark_lost(stack(9980), Some(at(92))).await.unwrap();
    assert_eq!(state_of(store, 9980).await, Some(KeptState::Deleting), "an operation has it");
    finish(store, CLEAN_UP, &deletion(9980).id, State::RolledBack).await;
    assert!(all().await.iter().all(|data| data.stack != stack(9980)));
}

async fn data_that_was_brought_back_stays_listed_if_a_removal_keeps_it_unseen(store: &dyn Store) {
    kept(store, 9985, "kept-rosa", 500).await;
    let new = NewDeployment { data: Some(stack(9985)), ..deployment(9987, "kept-rita") };
    store.begin(&new, None).await.unwrap();
    finish(store, Lane::Forward, &DeploymentId::from_random(9987), State::Live).await;
    // Nothing told this removal what the stack has.
    let new = NewRemoval { disposal: Disposal::Keep, ..removal(9988, None) };
    begin_removal(store, "kept-rita", &new).await;
    finish(store, CLEAN_UP, &new.id, State::RolledBack).await;
    assert_eq!(state_of(store, 9985).await, Some(KeptState::Kept));
    store.begin_deletion(stack(9985), &deletion(9985)).await.unwrap();
    finish(store, CLEAN_UP, &deletion(9985).id, State::RolledBack).await;
}
