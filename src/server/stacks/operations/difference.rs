//! The difference between two revisions.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::server::spec::fingerprints;
use crate::wire::{EffectView, PlannedChange};
use domain::stack_spec::StackSpec;
use domain::template::answers::SIZE;
use domain::template::parameter::Value;

/// The field of a newer version of the template.
const VERSION: &str = "version";
/// The field of what the portal's settings say, such as variables and limits.
const SETTINGS: &str = "settings";
/// The field of another image.
const IMAGE: &str = "image";
/// The field of another port of the container.
const PORT: &str = "port";
/// The field of other volumes.
const VOLUMES: &str = "volumes";

/// Returns what differs between two revisions. The secrets in `given` count as changed, and are not
/// compared.
pub(in crate::server::stacks) fn difference(
    old: &StackSpec,
    new: &StackSpec,
    given: &BTreeSet<String>,
) -> Vec<PlannedChange> {
    let mut changes = Vec::new();
    let version =
        |spec: &StackSpec| spec.template.as_ref().map(|template| &template.version).cloned();
    changes.extend(changed(VERSION, json!(version(old)), json!(version(new))));
    if old.image != new.image {
        changes.extend(changed(IMAGE, json!(old.image), json!(new.image)));
    }
    if old.port != new.port {
        changes.extend(changed(PORT, json!(old.port), json!(new.port)));
    }
    let volumes = |spec: &StackSpec| {
        let mounted = spec.volumes.iter().map(|volume| (volume.key.clone(), json!(volume.path)));
        Json::Object(mounted.collect())
    };
    let attached = changed(VOLUMES, volumes(old), volumes(new));
    changes.extend(attached.map(|change| PlannedChange { effect: EffectView::Data, ..change }));
    changes.extend(changed(SIZE, json!(old.size_id), json!(new.size_id)));
    let keys: BTreeSet<_> = old.values.keys().chain(new.values.keys()).collect();
    for key in keys {
        let value =
            |spec: &StackSpec| spec.values.get(key).and_then(Option::as_ref).map(Value::to_json);
        changes.extend(changed(key, json!(value(old)), json!(value(new))));
    }
    let (before, after) = (fingerprints(old), fingerprints(new));
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).chain(given).collect();
    for key in keys {
        if given.contains(key) || before.get(key) != after.get(key) {
            changes.push(PlannedChange {
                field: key.clone(),
                from: Json::Null,
                to: Json::Null,
                secret: true,
                effect: EffectView::Restart,
            });
        }
    }
    if changes.is_empty() && is_set_otherwise(old, new) {
        changes.extend(changed(SETTINGS, json!("former"), json!("present")));
    }
    changes
}

/// Returns whether they differ in what no answer says: the portal's settings.
fn is_set_otherwise(old: &StackSpec, new: &StackSpec) -> bool {
    let bare = |spec: &StackSpec| {
        let mut bare = spec.clone();
        bare.secrets_mut().for_each(|secret| secret.fingerprint.clear());
        bare
    };
    let inherited = |spec: &StackSpec| -> Vec<_> {
        spec.secrets().map(|secret| (secret.name.clone(), secret.fingerprint.clone())).collect()
    };
    bare(old) != bare(new) || inherited(old) != inherited(new)
}

fn changed(field: &str, from: Json, to: Json) -> Option<PlannedChange> {
    let effect = EffectView::Restart;
    (from != to).then(|| PlannedChange { field: field.to_owned(), from, to, secret: false, effect })
}
