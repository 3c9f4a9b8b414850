//! The part of the contract about the definitions of templates.

use ai_stack_deployer::server::store::{
    Lane, NewDeployment, NewOperation, NewRevision, OperationOutcome, Quota, State, Store,
    StoreError, TemplateDefinition,
};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::CHANGE;
use domain::stack_spec::TemplateRef;

use super::{at, finish, new};
use crate::support::claim_one::CLEAN_UP;

/// Runs this part against `store`.
pub(super) async fn hold(store: &dyn Store) {
    let first = definition("notes", "1", "first");
    store.begin(&of(1_200, "notes-one", first.clone()), None).await.unwrap();
    store.begin(&of(1_201, "notes-two", first.clone()), None).await.unwrap();
    assert_eq!(store.template("first").await.unwrap().as_deref(), Some("definition of first"));
    assert_eq!(store.template("second").await.unwrap(), None);

    // A version has one definition, and who is refused leaves nothing.
    let changed = of(1_202, "notes-three", definition("notes", "1", "second"));
    let error = store.begin(&changed, None).await.unwrap_err();
    assert!(matches!(error, StoreError::TemplateChanged), "{error:?}");
    assert!(store.find(&changed.deployment.id).await.unwrap().is_none());
    let newer = of(1_203, "notes-two", definition("notes", "2", "second"));
    let error = store.begin(&newer, None).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken), "{error:?}");
    let quota = Quota { counted_as: Some(String::from("x")), stacks: Some(0), ..Quota::default() };
    let limited = NewDeployment { quota, ..of(1_204, "four", definition("notes", "2", "second")) };
    let error = store.begin(&limited, None).await.unwrap_err();
    assert!(matches!(error, StoreError::LimitReached(_)), "{error:?}");
    assert_eq!(store.template("second").await.unwrap(), None);

    let newer = of(1_205, "notes-five", definition("notes", "2", "second"));
    store.begin(&newer, None).await.unwrap();
    let used = store.used_templates().await.unwrap();
    for expected in [first.reference, definition("notes", "2", "second").reference] {
        assert_eq!(used.iter().filter(|one| **one == expected).count(), 1, "{used:?}");
    }
    a_change_keeps_a_definition(store).await;
}

/// A change keeps the definition that it leads to, under the same rules.
async fn a_change_keeps_a_definition(store: &dyn Store) {
    let begun = of(1_210, "notes-six", definition("notes", "1", "first"));
    store.begin(&begun, None).await.unwrap();
    finish(store, Lane::Forward, &begun.deployment.id, State::Live).await;
    let name = begun.deployment.name.clone();
    let to = |number: u128, template: TemplateDefinition| NewOperation {
        id: CHANGE.operation_id(number),
        kind: &CHANGE,
        started: at(60),
        first: EventBody::Progress(ProgressUpdate::first(&CHANGE, at(60))),
        of: None,
        expired: None,
        limit: None,
        audit_entry: None,
        claim: None,
        revision: Some(NewRevision {
            from: 1,
            number: 2,
            spec: begun.spec.clone(),
            by: None,
            template: Some(template),
            response: None,
        }),
    };
    let changed = to(1_211, definition("notes", "1", "third"));
    let error = store.begin_operation(&name, &changed).await.unwrap_err();
    assert!(matches!(error, StoreError::TemplateChanged), "{error:?}");
    assert_eq!(store.template("third").await.unwrap(), None);
    let newer = to(1_212, definition("notes", "3", "third"));
    let outcome = store.begin_operation(&name, &newer).await.unwrap();
    assert_eq!(outcome, OperationOutcome::Accepted(newer.id.clone()));
    assert_eq!(store.template("third").await.unwrap().as_deref(), Some("definition of third"));
    finish(store, CLEAN_UP, &newer.id, State::RolledBack).await;
}

fn of(number: u128, name: &str, template: TemplateDefinition) -> NewDeployment {
    NewDeployment { template, ..new(number, name) }
}

fn definition(id: &str, version: &str, digest: &str) -> TemplateDefinition {
    let [id, version, digest] = [id, version, digest].map(ToOwned::to_owned);
    let json = format!("definition of {digest}");
    TemplateDefinition { reference: TemplateRef { id, version, digest }, json }
}
