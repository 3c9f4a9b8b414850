//! The templates that a caller is offered.

use std::sync::Arc;

use catalogue::{Entry, json_schema, unnamed};
use serde_json::Value;

use super::Service;
use crate::server::auth::access::Caller;
use crate::server::catalogue::Audience;
use crate::wire::{ApiError, TemplateView};
use domain::refusal::Refusal;
use domain::stack_name::StackName;
use domain::template::text::FALLBACK;

impl Service {
    /// Returns the templates that the caller is offered.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub(crate) async fn offered(&self, caller: &Caller) -> Result<Vec<Arc<Entry>>, ApiError> {
        Ok(self.parts.offers.offered(&self.audience(caller).await?))
    }

    /// Lists the templates that the caller is offered.
    ///
    /// # Errors
    ///
    /// Returns an error if the store is unavailable.
    pub async fn templates(&self, caller: &Caller) -> Result<Vec<TemplateView>, ApiError> {
        Ok(self.views(&self.offered(caller).await?).await)
    }

    /// Describes the templates that a caller is offered.
    pub(crate) async fn views(&self, offered: &[Arc<Entry>]) -> Vec<TemplateView> {
        let default = unnamed(offered).map(|entry| entry.template.id.clone());
        let mut views = Vec::new();
        for entry in offered {
            let template = &entry.template;
            views.push(TemplateView {
                id: template.id.clone(),
                name: template.name.in_language(FALLBACK).to_owned(),
                summary: template.summary.in_language(FALLBACK).to_owned(),
                version: template.version.clone(),
                default: default.as_ref() == Some(&template.id),
                usual: self.usual_of(&template.id).await,
                icon: entry.icon.is_some().then(|| format!("/templates/{}/icon.svg", template.id)),
            });
        }
        views
    }

    /// Returns the template of this id.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, or the caller is not offered it.
    pub async fn template(&self, caller: &Caller, id: &str) -> Result<Arc<Entry>, ApiError> {
        let found = self.parts.offers.find(&self.audience(caller).await?, id);
        found.ok_or_else(|| Refusal::NoSuchTemplate.into())
    }

    /// Returns how people call a template: by its name, or by its id if there is none any more.
    pub(crate) fn template_name(&self, id: &str) -> String {
        let entry = self.parts.offers.find(&Audience::Operator, id);
        let name = entry.as_ref().map(|entry| entry.template.name.in_language(FALLBACK));
        name.unwrap_or(id).to_owned()
    }

    /// Returns the JSON Schema of the answers to a template's questions, for a stack of this name.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such template, the caller is not offered it, or the name
    /// breaks a rule.
    pub async fn template_schema(
        &self,
        caller: &Caller,
        id: &str,
        name: Option<&str>,
    ) -> Result<Value, ApiError> {
        let entry = self.template(caller, id).await?;
        let name = name.map(StackName::parse).transpose();
        let name = name.map_err(|rule| Refusal::InvalidName(Some(rule)))?;
        let owner = caller.identity.owner();
        let situation = self.situation(&entry.template, name.as_ref(), owner).await?;
        Ok(json_schema(&entry.template, &situation, &entry.patterns, FALLBACK))
    }
}
