//! Names of removed stacks.

use std::time::Duration;

use ai_stack_deployer::server::name_index::NameState;
use ai_stack_deployer::server::store::{NewDeployment, Quota, State, Store, StoreError};
use domain::owner::OwnerId;
use domain::stack_name::StackName;
use jiff::Timestamp;

use super::acts::{finish, record_cleanup, remove};
use super::{by, id};
use crate::store::contract::at;

/// The time in seconds for which names are reserved in these tests.
const HOLD_DOWN_S: i64 = 600;

pub(super) async fn are_kept_for_their_former_owner(store: &dyn Store) {
    let hold_down = Some(Duration::from_secs(HOLD_DOWN_S.unsigned_abs()));
    let quota = Quota { hold_down, ..Quota::default() };
    let begin = async |who: Option<&str>, number, name, started| {
        let owner = who.map(OwnerId::person);
        let mut new = NewDeployment { owner, ..by("", number, name, &quota) };
        new.deployment.started = at(started);
        store.begin(&new, None).await
    };
    // A deployment that was never live reserves nothing.
    begin(Some("alice"), 40, "kept", 40).await.unwrap();
    finish(store, &id(40), State::RolledBack, at(41)).await;
    begin(Some("bob"), 41, "kept", 42).await.unwrap();
    finish(store, &id(41), State::Live, at(43)).await;
    let name = StackName::parse("kept").unwrap();
    assert_eq!(store.freed(&name, Timestamp::MIN).await.unwrap(), None);
    let removal = remove(store, 42, "kept", at(44)).await;
    finish(store, &removal, State::Stuck, at(45)).await;
    let names = store.names(Some(Timestamp::MIN)).await.unwrap();
    assert_eq!(names.get(&name), Some(&NameState::Reserved), "what is stuck keeps its name");
    assert_eq!(store.freed(&name, Timestamp::MIN).await.unwrap(), None, "it is not free yet");
    record_cleanup(store, &removal, at(50)).await;

    let bob = Some(OwnerId::person("bob"));
    assert_eq!(store.freed(&name, at(49)).await.unwrap(), Some((bob.clone(), at(50))));
    assert_eq!(store.freed(&name, at(50)).await.unwrap(), None);
    let state = async |since| store.names(since).await.unwrap().remove(&name);
    let freed = NameState::Freed { owner: bob, at: at(50) };
    assert_eq!(state(Some(at(49))).await, Some(freed));
    assert_eq!((state(Some(at(50))).await, state(None).await), (None, None));
    let until = at(50 + HOLD_DOWN_S);
    for (who, started) in [(Some("alice"), 51), (None, 51), (Some("alice"), 49 + HOLD_DOWN_S)] {
        let held = begin(who, 43, "kept", started).await.unwrap_err();
        let is_held = matches!(held, StoreError::NameHeld { until: found } if found == until);
        assert!(is_held, "{who:?} at {started}: {held:?}");
    }
    let unkept = by("alice", 43, "kept", &Quota::default());
    store.begin(&unkept, None).await.unwrap();
    finish(store, &id(43), State::RolledBack, at(51)).await;
    begin(Some("bob"), 44, "kept", 52).await.unwrap();
    finish(store, &id(44), State::RolledBack, at(53)).await;
    begin(Some("alice"), 45, "kept", 50 + HOLD_DOWN_S).await.unwrap();
    finish(store, &id(45), State::Live, at(700)).await;

    // Now the last removal is of a stack of alice's.
    let removal = remove(store, 46, "kept", at(701)).await;
    finish(store, &removal, State::RolledBack, at(702)).await;
    assert!(begin(Some("bob"), 47, "kept", 703).await.is_err());

    // The name of a stack without an owner is not reserved.
    begin(None, 48, "open", 710).await.unwrap();
    finish(store, &id(48), State::Live, at(711)).await;
    let removal = remove(store, 49, "open", at(712)).await;
    finish(store, &removal, State::RolledBack, at(713)).await;
    begin(Some("alice"), 50, "open", 714).await.unwrap();
    finish(store, &id(50), State::RolledBack, at(715)).await;
}
