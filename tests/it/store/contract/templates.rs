//! The part of the contract about the definitions of templates.

use ai_stack_deployer::server::store::{
    NewDeployment, Quota, Store, StoreError, TemplateDefinition,
};
use domain::stack_spec::TemplateRef;

use super::new;

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
}

fn of(number: u128, name: &str, template: TemplateDefinition) -> NewDeployment {
    NewDeployment { template, ..new(number, name) }
}

fn definition(id: &str, version: &str, digest: &str) -> TemplateDefinition {
    let [id, version, digest] = [id, version, digest].map(ToOwned::to_owned);
    let json = format!("definition of {digest}");
    TemplateDefinition { reference: TemplateRef { id, version, digest }, json }
}
