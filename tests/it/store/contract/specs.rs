//! The part of the contract about specs.

use ai_stack_deployer::server::platform::Registry;
use ai_stack_deployer::server::settings::StackSettings;
use ai_stack_deployer::server::store::{
    Lane, LearnedSpec, Lease, NewDeployment, RevisionOutcome, SealedSpec, SpecOrigin, State, Store,
    StoreError, TemplateDefinition,
};
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::stack_id::RevisionId;
use domain::stack_spec::TemplateRef;

use super::{at, claim, end, finish, new};
use crate::support::claim_one::CLEAN_UP;
use crate::support::settings::{keyring, seal, stack_settings};

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    a_spec_is_stored_with_its_deployment(store).await;
    a_spec_is_added_under_a_lease_and_never_replaced(store).await;
    the_secrets_of_a_stack_are_forgotten_some_time_after_it_is_gone(store).await;
    the_spec_of_a_stack_of_an_older_version_is_learned_once(store).await;
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

/// Returns what the platform shows of the stack with this number, whose token is `token`.
fn learned(number: u128, token: &str) -> LearnedSpec {
    let settings = StackSettings {
        environment: vec![(String::from("TOKEN"), token.into())],
        ..stack_settings(&format!("sandbox/hello:{token}"))
    };
    let spec = seal(&settings, Some(&keyring()), revision(number)).unwrap();
    let digest = format!("digest-of-{token}");
    let reference = TemplateRef { id: String::from("default"), version: token.to_owned(), digest };
    let by = Some(OwnerId::parse("person:somebody").unwrap());
    LearnedSpec {
        revision: revision(number),
        spec: SealedSpec { origin: SpecOrigin::Read, ..spec },
        template: TemplateDefinition { reference, json: String::from("{}") },
        by,
        began: at(3),
    }
}

async fn the_spec_of_a_stack_of_an_older_version_is_learned_once(store: &dyn Store) {
    let number = 1_120;
    let older = NewDeployment {
        spec: SealedSpec { origin: SpecOrigin::Assumed, ..sealed(number) },
        ..new(number, "spec-older")
    };
    store.begin(&older, None).await.unwrap();
    let stack = revision(number).stack;
    let known = async || store.spec(revision(number)).await.unwrap().unwrap();
    let [one, other] = ["one", "other"].map(|token| learned(number, token));
    store.learn_spec(&one).await.unwrap();
    assert_eq!(known().await, older.spec, "it is not live");
    finish(store, Lane::Forward, &older.deployment.id, State::Live).await;
    assert_eq!(store.present_specs(&[stack]).await.unwrap(), []);
    let second = LearnedSpec { revision: RevisionId { stack, number: 2 }, ..one.clone() };
    store.learn_spec(&second).await.unwrap();
    assert_eq!(known().await, older.spec, "the stack has another revision");
    assert_eq!(store.spec(second.revision).await.unwrap(), None);

    let (first, last) = tokio::join!(store.learn_spec(&one), store.learn_spec(&other));
    first.unwrap();
    last.unwrap();
    let winner = if known().await == one.spec { &one } else { &other };
    assert_eq!(known().await, winner.spec, "one of both, with its secrets");
    assert_eq!(
        store.present_specs(&[stack]).await.unwrap(),
        [(winner.revision, winner.spec.spec.clone())]
    );
    let digest = &winner.template.reference.digest;
    assert_eq!(store.template(digest).await.unwrap().as_deref(), Some("{}"));
    let loser = if winner == &one { &other } else { &one };
    store.learn_spec(loser).await.unwrap();
    assert_eq!(known().await, winner.spec, "it is known by now");
    let revisions = store.revisions(stack).await.unwrap();
    assert_eq!(revisions.len(), 1);
    assert_eq!(revisions[0].outcome, Some(RevisionOutcome::Unknown));
    let (made, by) = (revisions[0].made.as_ref(), revisions[0].by.as_ref());
    assert_eq!((made, by), (Some(&older.deployment.id), winner.by.as_ref()));
}
