//! Attaches the stack's host to the application. It is undone before the application.

use super::{removal, routes};
use crate::server::platform::{self, Application, DomainId, NewDomain};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::StepId;
use domain::event::Resources;
use domain::message::MessageCode;
use domain::receipt::{Line, Outcome, ResourceKind};

/// Attaches the stack's host.
pub(crate) struct CreateDomain {
    pub(crate) application: Application,
}

impl Step for CreateDomain {
    const ID: StepId = StepId::DOMAIN;
    const REMOVING: Option<MessageCode> = Some(MessageCode::RemovingAddress);
    type Output = DomainId;

    async fn run(&self, cx: &Context) -> Result<DomainId, StepError> {
        let new = NewDomain {
            application: self.application.id.clone(),
            host: cx.host.clone(),
            port: cx.spec.stack.port,
            https: cx.deployment.url.starts_with("https://"),
            certificate: platform::certificate(cx.spec.stack.certificate.source),
            middlewares: cx.retry.name().into_iter().collect(),
        };
        let make = || cx.platform.create_domain(&new);
        let done = format!("Attached {}", cx.host);
        cx.create_or_adopt(Self::ID, "domain.create", &done, make, || self.adopt(cx)).await
    }

    fn record_resources(output: &DomainId, resources: &mut Resources) {
        resources.domain_id = Some(output.0.clone());
    }

    async fn undo(&self, cx: &Context, output: Option<&DomainId>) -> Result<Vec<Line>, StepError> {
        let mut lines = Vec::new();
        let applications = cx.marked_applications().await?;
        for application in &applications {
            lines.extend(removal::remove_domains(cx, &application.id).await?);
        }
        if let Some(output) = output
            && !lines.iter().any(|line| line.id.as_ref() == Some(&output.0))
        {
            lines.push(self.unmarked(cx, output).await?);
        }
        let is_known = applications.iter().any(|one| one.id == self.application.id);
        routes::prove(cx, &self.application, is_known, lines).await
    }

    fn possible_leftovers(&self, cx: &Context, output: Option<&DomainId>) -> Vec<Line> {
        let id = output.map(|output| output.0.as_str());
        vec![cx.line(ResourceKind::Domain, id, &cx.host, Outcome::Left)]
    }
}

impl CreateDomain {
    /// Returns the receipt's line for a domain whose application has lost our marker or is gone. If
    /// it is gone, the list is empty: the platform deletes domains with their application.
    async fn unmarked(&self, cx: &Context, output: &DomainId) -> Result<Line, StepError> {
        let domains = cx.domains_of(&self.application.id).await?;
        let is_there = domains.iter().any(|domain| domain.id == *output);
        Ok(cx.checked_line(ResourceKind::Domain, &output.0, &cx.host, is_there))
    }

    /// Adopts the oldest domain of our application for this host, and removes the others.
    async fn adopt(&self, cx: &Context) -> Result<Option<DomainId>, StepError> {
        let mut domains = cx.domains_of(&self.application.id).await?;
        domains.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        let mut domains = domains.into_iter().filter(|domain| domain.host == cx.host);
        let Some(oldest) = domains.next() else { return Ok(None) };
        for other in domains {
            cx.remove_duplicate("domain.create", &other.id).await?;
        }
        Ok(Some(oldest.id))
    }
}
