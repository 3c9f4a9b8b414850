//! The part of the contract about specs.

use ai_stack_deployer::server::platform::Registry;
use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::store::{
    Lane, Lease, NewDeployment, SealedSpec, SpecOrigin, State, Store, StoreError,
};
use domain::deployment::DeploymentId;
use domain::stack_id::RevisionId;

use super::{at, claim, end, finish, new};
use crate::support::claim_one::CLEAN_UP;
use crate::support::settings::{keyring, seal, stack_settings};

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    a_spec_is_stored_with_its_deployment(store).await;
    a_spec_is_added_under_a_lease_and_never_replaced(store).await;
    the_secrets_of_a_stack_are_forgotten_some_time_after_it_is_gone(store).await;
}

/// Returns a spec without secrets.
pub(super) fn bare(id: &DeploymentId) -> SealedSpec {
    seal(&stack_settings("sandbox/hello"), None, RevisionId::first_of(id)).unwrap()
}

/// Returns a spec with two secrets, sealed for the deployment with this number.
pub(in crate::store) fn sealed(number: u128) -> SealedSpec {
    let password = "password".into();
    let settings = StackSettings {
        registry: Some(Registry { url: None, user: String::from("puller"), password }),
        environment: vec![(String::from("TOKEN"), "value\0of any kind".into())],
        ..stack_settings("sandbox/hello")
    };
    seal(&settings, Some(&keyring()), revision(number)).unwrap()
}

/// Returns the first revision of the stack of the deployment with this number.
pub(in crate::store) fn revision(number: u128) -> RevisionId {
    RevisionId::first_of(&DeploymentId::from_random(number))
}

async fn a_spec_is_stored_with_its_deployment(store: &dyn Store) {
    let expected = sealed(1_100);
    assert_eq!(store.spec(revision(1_100)).await.unwrap(), None);
    let begun = NewDeployment { spec: expected.clone(), ..new(1_100, "spec-first") };
    store.begin(&begun, None).await.unwrap();
    assert_eq!(store.spec(revision(1_100)).await.unwrap(), Some(expected));
    let stacks = [1_100, 1_109].map(|number| revision(number).stack);
    let present = store.present_specs(&stacks).await.unwrap();
    let spec = store.spec(revision(1_100)).await.unwrap().unwrap().spec;
    assert_eq!(present, [(revision(1_100), spec)]);
    let another = RevisionId { number: 2, ..revision(1_100) };
    assert_eq!(store.spec(another).await.unwrap(), None);
    let bare = new(1_101, "spec-second");
    store.begin(&bare, None).await.unwrap();
    assert_eq!(store.spec(revision(1_101)).await.unwrap(), Some(bare.spec));
    // A rejected deployment leaves no spec.
    let refused = NewDeployment { spec: sealed(1_102), ..new(1_102, "spec-first") };
    let error = store.begin(&refused, None).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken), "{error:?}");
    assert_eq!(store.spec(revision(1_102)).await.unwrap(), None);
}

async fn a_spec_is_added_under_a_lease_and_never_replaced(store: &dyn Store) {
    let id = DeploymentId::from_random(1_100);
    let lease = claim(store, Lane::Forward, &id).await;
    let expected = store.spec(revision(1_100)).await.unwrap();
    let assumed = SealedSpec { origin: SpecOrigin::Assumed, ..sealed(1_100) };
    store.store_spec(&lease, &assumed).await.unwrap();
    assert_eq!(store.spec(revision(1_100)).await.unwrap(), expected);
    let lost = Lease { token: lease.token - 1, ..lease.clone() };
    let error = store.store_spec(&lost, &assumed).await.unwrap_err();
    assert!(matches!(error, StoreError::LeaseLost), "{error:?}");
    store.record(&lease, &end(State::Live)).await.unwrap();

    // A removal works by the revision that it removes.
    let removal = super::removals::begin(store, 1_100, "spec-first").await;
    let record = store.find(&removal).await.unwrap().unwrap();
    assert_eq!(record.revision, revision(1_100));
    let lease = claim(store, CLEAN_UP, &removal).await;
    store.store_spec(&lease, &assumed).await.unwrap();
    assert_eq!(store.spec(revision(1_100)).await.unwrap(), expected);
}

async fn the_secrets_of_a_stack_are_forgotten_some_time_after_it_is_gone(store: &dyn Store) {
    for (number, name) in [(1_110, "spec-gone"), (1_111, "spec-live")] {
        let begun = NewDeployment { spec: sealed(number), ..new(number, name) };
        store.begin(&begun, None).await.unwrap();
    }
    let gone = DeploymentId::from_random(1_110);
    finish(store, Lane::Forward, &gone, State::RolledBack).await;
    finish(store, Lane::Forward, &DeploymentId::from_random(1_111), State::Live).await;
    let count = async |number| store.spec(revision(number)).await.unwrap().unwrap().secrets.len();
    store.forget_secrets(at(50)).await.unwrap();
    assert_eq!((count(1_110).await, count(1_111).await), (2, 2), "not before");
    assert!(store.forget_secrets(at(51)).await.unwrap() >= 2);
    assert_eq!((count(1_110).await, count(1_111).await), (0, 2));
    assert_eq!(store.forget_secrets(at(51)).await.unwrap(), 0);
    let spec = store.spec(revision(1_110)).await.unwrap().unwrap().spec;
    assert_eq!(spec, sealed(1_110).spec, "what it was made of stays");
}
