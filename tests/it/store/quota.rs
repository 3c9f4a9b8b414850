//! Quotas, reserved names and lists: the part of the store's contract that depends on owners.

use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::server::store::{
    LimitReached, NewDeployment, Quota, Result, State, Store, StoreError, StoredResponse, Usage,
    hour_before,
};
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_name::StackName;
use tokio::task::JoinSet;

use self::acts::{finish, remove, usage};
use super::contract::{self, at, new};
use super::{in_postgres, in_sqlite};
use crate::support::postgres::Cluster;

mod acts;
mod lists;
mod names;
mod operations;

on_every_store! {
    the_store_in_memory_fulfils_the_contract_of_quotas,
    the_store_in_sqlite_fulfils_the_contract_of_quotas,
    the_store_in_postgres_fulfils_the_contract_of_quotas:
    hold
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_starts_in_sqlite_no_more_begin_than_allowed() {
    let (_folder, store) = in_sqlite().await;
    no_more_begin_than_allowed(&[store]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_concurrent_starts_on_two_replicas_no_more_begin_than_allowed() {
    let url = Cluster::shared().database();
    no_more_begin_than_allowed(&[in_postgres(&url).await, in_postgres(&url).await]).await;
}

/// Starts many deployments at once: of one person, of many people, and of one name.
async fn no_more_begin_than_allowed<S: Store + 'static>(stores: &[Arc<S>]) {
    let three = Quota { stacks: Some(3), ..counted("alice") };
    let own = (0..20).map(|number| by("alice", number, &format!("alice-{number}"), &three));
    assert_eq!(begin_at_once(stores, own.collect()).await, (3, 17));

    let in_all = |number| Quota {
        under_way_in_all: Some(8),
        stacks: Some(1),
        ..counted(&format!("person-{}", number % 10))
    };
    let theirs =
        (100..120).map(|number| by("bob", number, &format!("bob-{number}"), &in_all(number)));
    assert_eq!(begin_at_once(stores, theirs.collect()).await, (5, 15), "three are there already");

    let roomy = Quota { stacks: Some(3), per_hour: Some(20), ..counted("carol") };
    let same = (200..220).map(|number| by("carol", number, "carol", &roomy));
    assert_eq!(begin_at_once(stores, same.collect()).await, (1, 0), "one has the name");
}

/// Starts all of them at once, and returns how many began and how many were rejected because of a
/// limit.
async fn begin_at_once<S: Store + 'static>(
    stores: &[Arc<S>],
    all: Vec<NewDeployment>,
) -> (usize, usize) {
    let mut beginning = JoinSet::new();
    for (store, new) in stores.iter().cycle().zip(all) {
        let store = Arc::clone(store);
        beginning.spawn(async move { store.begin(&new, None).await });
    }
    let done = beginning.join_all().await;
    let limited = |result: &&Result<()>| match result {
        Err(StoreError::LimitReached(_)) => true,
        Ok(()) | Err(StoreError::NameTaken) => false,
        Err(error) => panic!("{error:?}"),
    };
    (done.iter().filter(|result| result.is_ok()).count(), done.iter().filter(limited).count())
}

async fn hold(store: &dyn Store) {
    existing_stacks_count_and_removed_ones_do_not(store).await;
    starts_within_the_hour_count_even_if_the_stack_is_gone(store).await;
    deployments_in_progress_count_whoever_owns_them(store).await;
    operations::are_limited_but_for_what_takes_away(store).await;
    names::are_kept_for_their_former_owner(store).await;
    the_key_comes_first_then_the_name_then_the_limits(store).await;
    lists::are_newest_first_and_a_page_at_a_time(store).await;
    lists::are_counted_and_folded_at_once_as_one_by_one(store).await;
}

async fn existing_stacks_count_and_removed_ones_do_not(store: &dyn Store) {
    let quota = Quota { stacks: Some(3), under_way: Some(2), ..counted("alice") };
    let begin = async |number, name| store.begin(&by("alice", number, name, &quota), None).await;
    begin(1, "one").await.unwrap();
    begin(2, "two").await.unwrap();
    refuses(begin(3, "three").await, LimitReached::UnderWay(2));
    store.begin(&by("bob", 3, "bob", &counted("bob")), None).await.unwrap();
    let nobodys = NewDeployment { quota: Quota::default(), ..by("alice", 4, "four", &quota) };
    store.begin(&nobodys, None).await.unwrap();
    finish(store, &id(1), State::Live, at(10)).await;
    finish(store, &id(2), State::Stuck, at(10)).await;
    begin(5, "five").await.unwrap();
    refuses(begin(6, "six").await, LimitReached::Stacks(3));
    finish(store, &id(5), State::RolledBack, at(10)).await;
    begin(6, "six").await.unwrap();

    let removal = remove(store, 7, "one", at(11)).await;
    let before = usage(store, "alice", at(2)).await;
    let expected = Usage { stacks: 3, under_way: 1, begun: vec![at(5), at(6)] };
    assert_eq!(before, expected, "a removal is no deployment");
    finish(store, &removal, State::RolledBack, at(12)).await;
    assert_eq!(usage(store, "alice", at(6)).await.stacks, 2);
    assert_eq!(usage(store, "nobody", at(0)).await, Usage::default());

    let unbounded = by("alice", 8, "eight", &counted("alice"));
    store.begin(&unbounded, None).await.unwrap();
    for number in [3, 4, 6, 8] {
        finish(store, &id(number), State::RolledBack, at(12)).await;
    }
}

async fn starts_within_the_hour_count_even_if_the_stack_is_gone(store: &dyn Store) {
    let quota = Quota { per_hour: Some(2), ..counted("hourly") };
    let begin = async |number, started| {
        let mut new = by("hourly", number, &format!("hourly-{number}"), &quota);
        new.deployment.started = at(started);
        store.begin(&new, None).await
    };
    begin(20, 100).await.unwrap();
    begin(21, 200).await.unwrap();
    finish(store, &id(20), State::RolledBack, at(201)).await;
    finish(store, &id(21), State::RolledBack, at(201)).await;
    let wait = |seconds| LimitReached::PerHour { max: 2, wait: Duration::from_secs(seconds) };
    refuses(begin(22, 201).await, wait(3499));
    refuses(begin(22, 3699).await, wait(1));
    begin(22, 3700).await.unwrap();
    refuses(begin(23, 3700).await, wait(100));
    begin(23, 3800).await.unwrap();
    let hourly = usage(store, "hourly", hour_before(at(3700))).await;
    assert_eq!(hourly.begun, [at(200), at(3700), at(3800)]);
    let none = Quota { per_hour: Some(0), ..counted("hourly") };
    let never = store.begin(&by("hourly", 24, "never", &none), None).await;
    refuses(never, LimitReached::PerHour { max: 0, wait: Duration::from_hours(1) });
    for number in [22, 23] {
        finish(store, &id(number), State::RolledBack, at(3801)).await;
    }
}

async fn deployments_in_progress_count_whoever_owns_them(store: &dyn Store) {
    let quota = Quota { under_way_in_all: Some(2), ..Quota::default() };
    let begin = async |number, quota: &Quota| {
        store.begin(&by("dave", number, &format!("dave-{number}"), quota), None).await
    };
    begin(30, &counted("erin")).await.unwrap();
    begin(31, &quota).await.unwrap();
    refuses(begin(32, &quota).await, LimitReached::UnderWayInAll(2));
    finish(store, &id(30), State::Live, at(40)).await;
    let removal = remove(store, 33, "dave-30", at(41)).await;
    begin(32, &quota).await.unwrap();
    finish(store, &removal, State::RolledBack, at(42)).await;
    for number in [31, 32] {
        finish(store, &id(number), State::RolledBack, at(42)).await;
    }
}

async fn the_key_comes_first_then_the_name_then_the_limits(store: &dyn Store) {
    let quota = Quota {
        stacks: Some(1),
        under_way_in_all: Some(0),
        hold_down: Some(Duration::from_mins(10)),
        ..counted("frank")
    };
    let unlimited = counted("frank");
    store.begin(&by("frank", 60, "taken", &unlimited), Some(&response("used"))).await.unwrap();
    finish(store, &id(60), State::Live, at(61)).await;
    store.begin(&by("grace", 61, "held", &Quota::default()), None).await.unwrap();
    finish(store, &id(61), State::Live, at(62)).await;
    let removal = remove(store, 62, "held", at(62)).await;
    finish(store, &removal, State::RolledBack, at(63)).await;
    let tried = DeploymentId::from_random(64);
    store.begin(&by("frank", 64, "tried", &unlimited), None).await.unwrap();
    finish(store, &tried, State::RolledBack, at(65)).await;

    let begin = async |name, key| {
        let retry_of = Some(tried.clone());
        let new = NewDeployment { retry_of, ..by("frank", 66, name, &quota) };
        store.begin(&new, Some(&response(key))).await.unwrap_err()
    };
    let refused = begin("taken", "used").await;
    assert!(matches!(refused, StoreError::KeyUsed), "{refused:?}");
    let refused = begin("taken", "new").await;
    assert!(matches!(refused, StoreError::NameTaken), "{refused:?}");
    let refused = begin("held", "new").await;
    assert!(matches!(refused, StoreError::NameHeld { .. }), "{refused:?}");
    refuses(Err(begin("free", "new").await), LimitReached::Stacks(1));

    let names = ["held", "free"].map(|name| StackName::parse(name).unwrap());
    assert!(store.reserved(&names).await.unwrap().is_empty());
    assert_eq!(store.find(&id(66)).await.unwrap(), None);
    assert!(store.events(&id(66), 0, 10).await.unwrap().is_empty());
    assert_eq!(store.stored_response(&response("new").key, at(66)).await.unwrap(), None);
    let tried = store.find(&tried).await.unwrap().unwrap();
    assert_eq!(tried.metadata.links.retried_by, None);
}

/// Returns a quota that only counts.
fn counted(who: &str) -> Quota {
    Quota { counted_as: Some(who.to_owned()), ..Quota::default() }
}

fn by(who: &str, number: u128, name: &str, quota: &Quota) -> NewDeployment {
    let owner = Some(OwnerId::person(who));
    NewDeployment { owner, quota: quota.clone(), ..new(number, name) }
}

fn id(number: u128) -> DeploymentId {
    DeploymentId::from_random(number)
}

fn response(key: &str) -> StoredResponse {
    StoredResponse { expires: at(10_000), ..contract::response(key, "first") }
}

#[track_caller]
fn refuses(result: Result<()>, limit: LimitReached) {
    match result {
        Err(StoreError::LimitReached(found)) => assert_eq!(found, limit),
        Ok(()) | Err(_) => panic!("{limit:?} is not reached: {result:?}"),
    }
}
