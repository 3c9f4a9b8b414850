//! The part of the contract that is about what stacks are made of.

use ai_stack_deployer::server::{
    platform::Registry,
    settings::StackSettings,
    spec,
    store::{Lane, Lease, NewDeployment, SealedSpec, State, Store, StoreError},
};
use domain::deployment::DeploymentId;

use super::{claim, end, new};
use crate::support::{
    claim_one::CLEAN_UP,
    settings::{keyring, stack_settings},
};

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    a_spec_is_stored_with_its_deployment(store).await;
    a_spec_is_added_under_a_lease_and_never_replaced(store).await;
}

/// Returns a spec without secrets.
pub(super) fn bare(id: &DeploymentId) -> SealedSpec {
    spec::seal(&stack_settings("sandbox/hello"), None, id).unwrap()
}

/// Returns a spec with two secrets, sealed for the deployment with this number.
pub(in crate::store) fn sealed(number: u128) -> SealedSpec {
    let password = "password".into();
    let settings = StackSettings {
        registry: Some(Registry { url: None, user: String::from("puller"), password }),
        environment: vec![(String::from("TOKEN"), "value\0of any kind".into())],
        ..stack_settings("sandbox/hello")
    };
    spec::seal(&settings, Some(&keyring()), &DeploymentId::from_random(number)).unwrap()
}

async fn a_spec_is_stored_with_its_deployment(store: &dyn Store) {
    let (id, expected) = (DeploymentId::from_random(1_100), sealed(1_100));
    assert_eq!(store.spec(&id).await.unwrap(), None);
    let begun = NewDeployment { spec: expected.clone(), ..new(1_100, "spec-first") };
    store.begin(&begun, None).await.unwrap();
    assert_eq!(store.spec(&id).await.unwrap(), Some(expected));
    let bare = new(1_101, "spec-second");
    store.begin(&bare, None).await.unwrap();
    assert_eq!(store.spec(&bare.deployment.id).await.unwrap(), Some(bare.spec));
    // Of what does not begin there is nothing.
    let refused = NewDeployment { spec: sealed(1_102), ..new(1_102, "spec-first") };
    let error = store.begin(&refused, None).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken), "{error:?}");
    assert_eq!(store.spec(&refused.deployment.id).await.unwrap(), None);
}

async fn a_spec_is_added_under_a_lease_and_never_replaced(store: &dyn Store) {
    let id = DeploymentId::from_random(1_100);
    let lease = claim(store, Lane::Forward, &id).await;
    let expected = store.spec(&id).await.unwrap();
    store.store_spec(&lease, &sealed(1_100)).await.unwrap();
    assert_eq!(store.spec(&id).await.unwrap(), expected);
    let lost = Lease { token: lease.token - 1, ..lease.clone() };
    let error = store.store_spec(&lost, &sealed(1_100)).await.unwrap_err();
    assert!(matches!(error, StoreError::LeaseLost), "{error:?}");
    store.record(&lease, &end(State::Live)).await.unwrap();

    let removal = super::removals::begin(store, 1_100, "spec-first").await;
    assert_eq!(store.spec(&removal).await.unwrap(), None);
    let lease = claim(store, CLEAN_UP, &removal).await;
    let lost = Lease { owner: String::from("another"), ..lease.clone() };
    let error = store.store_spec(&lost, &sealed(1_100)).await.unwrap_err();
    assert!(matches!(error, StoreError::LeaseLost), "{error:?}");
    assert_eq!(store.spec(&removal).await.unwrap(), None);
    store.store_spec(&lease, &sealed(1_100)).await.unwrap();
    assert!(store.spec(&removal).await.unwrap().is_some());
}
