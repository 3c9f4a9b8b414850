//! What one stack is made of now, for whoever may change it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Service;
use super::listing::target;
use crate::server::auth::access::{Caller, Permission};
use crate::server::page::stack_page;
use crate::server::spec::fingerprints;
use crate::server::store::{Revision, Stack, StoreError};
use crate::wire::{ApiError, ResourcesView, StackDetails, StackView, UrlView, VolumeView};
use domain::deployment::DeploymentId;
use domain::size::Size;
use domain::stack_spec::StackSpec;
use domain::template::Template;
use domain::template::text::FALLBACK;
use domain::time::written;

impl Service {
    /// Finds the live stack called `name`, as far as a caller may see it, and what it is made of, if they
    /// may change it; `of` is the id of its deployment, if they know it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, it is hidden from the caller, or the store is unavailable.
    pub async fn stack(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<(StackView, Option<StackDetails>), ApiError> {
        let stack = self.authorize_stack(caller, Permission::ViewPublic, name, of).await?;
        let may_change = caller.may(Permission::Change, target(&stack, of)).is_ok();
        let details = if may_change { Some(self.details(&stack).await?) } else { None };
        Ok((self.one_shown(caller, stack, of).await?, details))
    }

    async fn details(&self, stack: &Stack) -> Result<StackDetails, StoreError> {
        let revisions = match self.parts.store.revisions(stack.revision.stack).await {
            // What cannot be read is not known.
            Err(StoreError::Corrupt { .. }) => Vec::new(),
            read => read?,
        };
        let number = stack.revision.number;
        let present = revisions.iter().find(|revision| revision.number == number);
        let spec = present.map(|revision| &revision.spec);
        Ok(StackDetails {
            parameters: spec.map(|spec| parameters(spec, number, &revisions)).unwrap_or_default(),
            resources: spec.map(|spec| resources(spec.size)).unwrap_or_default(),
            urls: self.urls(stack, spec).await?,
            volumes: spec.map(volumes).unwrap_or_default(),
            links: links(stack),
        })
    }

    /// Lists the addresses of a stack: its own, and those that its template names.
    async fn urls(
        &self,
        stack: &Stack,
        spec: Option<&StackSpec>,
    ) -> Result<Vec<UrlView>, StoreError> {
        let url = &stack.deployment.url;
        let mut urls = vec![UrlView { url: url.clone(), label: None }];
        if let Some(template) = spec.and_then(|spec| spec.template.as_ref())
            && let Some(stored) = self.parts.store.template(&template.digest).await?
            && let Ok(definition) = Template::from_json(&stored)
        {
            let further = definition.links.into_iter().filter(|link| link.path != "/");
            urls.extend(further.map(|link| UrlView {
                url: format!("{}{}", url.trim_end_matches('/'), link.path),
                label: Some(link.label.in_language(FALLBACK).to_owned()),
            }));
        }
        Ok(urls)
    }
}

/// Returns the answers of a revision. Of a secret, its fingerprint and since when it has been so.
fn parameters(spec: &StackSpec, number: u32, all: &[Revision]) -> BTreeMap<String, Value> {
    let answers = spec.values.iter();
    let answers = answers.filter_map(|(key, value)| Some((key.clone(), value.as_ref()?.to_json())));
    let secret = |(key, fingerprint): (String, String)| {
        let mut secret = json!({ "secret": true, "fingerprint": fingerprint });
        let has_same =
            |revision: &&Revision| fingerprints(&revision.spec).get(&key) == Some(&fingerprint);
        // They are listed newest first.
        let present = all.iter().skip_while(|revision| revision.number > number);
        let set = present.take_while(has_same).last().and_then(|revision| revision.at);
        if let (Some(at), Some(fields)) = (set, secret.as_object_mut()) {
            fields.insert(String::from("setAt"), json!(written(at).to_string()));
        }
        (key, secret)
    };
    answers.chain(fingerprints(spec).into_iter().map(secret)).collect()
}

fn resources(Size { cpu_nanos, memory_bytes }: Size) -> ResourcesView {
    #[expect(clippy::cast_precision_loss, reason = "a limit has few digits")]
    let cpu = cpu_nanos.map(|nanos| nanos as f64 / 1e9);
    ResourcesView { cpu, memory: memory_bytes }
}

fn volumes(spec: &StackSpec) -> Vec<VolumeView> {
    let volumes = spec.volumes.iter();
    volumes.map(|one| VolumeView { key: one.key.clone(), path: one.path.clone() }).collect()
}

/// Returns the paths at which more is told of a stack. One without an owner needs its id there.
fn links(stack: &Stack) -> BTreeMap<&'static str, String> {
    let name = &stack.deployment.name;
    let of = Some(&stack.deployment.id).filter(|_| stack.owner.is_none());
    let id = of.map(|id| format!("?id={id}")).unwrap_or_default();
    let ends = ["logs", "history", "events", "usage", "revisions"];
    let api = ends.map(|end| (end, format!("/api/stacks/{name}/{end}{id}")));
    api.into_iter().chain([("page", stack_page(name, of))]).collect()
}
