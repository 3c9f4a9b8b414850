//! Attaches the stack's host to the application; undone before the application.

use crate::{
    domain::{
        event::Resources,
        receipt::{Line, Outcome, ResourceKind},
    },
    server::{
        orchestrator::{address, context::Context, failure::StepError, removal, step::Step},
        ports::{
            platform::{Application, DomainId, NewDomain},
            store::StepId,
        },
        settings::Scheme,
    },
};

/// Attaches the stack's host.
pub(in crate::server::orchestrator) struct CreateDomain {
    pub(in crate::server::orchestrator) application: Application,
}

impl Step for CreateDomain {
    const ID: StepId = StepId::Domain;
    const REMOVING: Option<&'static str> = Some("Removing the address");
    type Output = DomainId;

    async fn run(&self, cx: &Context) -> Result<DomainId, StepError> {
        let new = NewDomain {
            application: self.application.id.clone(),
            host: cx.host.clone(),
            port: cx.settings.port,
            https: cx.settings.scheme == Scheme::Https,
            certificate: cx.settings.certificate,
        };
        let make = || cx.platform.create_domain(&new);
        let done = format!("Attached {}", cx.host);
        cx.create(Self::ID, "domain.create", &done, make, || self.adopt(cx)).await
    }

    fn note(made: &DomainId, resources: &mut Resources) {
        resources.domain_id = Some(made.0.clone());
    }

    async fn undo(&self, cx: &Context, made: Option<&DomainId>) -> Result<Vec<Line>, StepError> {
        let mut lines = Vec::new();
        let applications = cx.our_applications().await?;
        for application in &applications {
            lines.extend(removal::remove_domains(cx, &application.id).await?);
        }
        if let Some(made) = made
            && !lines.iter().any(|line| line.id.as_ref() == Some(&made.0))
        {
            lines.push(self.unmarked(cx, made).await?);
        }
        let is_known = applications.iter().any(|one| one.id == self.application.id);
        address::prove(cx, &self.application, is_known, lines).await
    }

    fn remains(&self, cx: &Context, made: Option<&DomainId>) -> Vec<Line> {
        let id = made.map(|made| made.0.as_str());
        vec![cx.left_domain(id, &cx.host)]
    }
}

impl CreateDomain {
    /// Tells what became of a domain whose application is gone or no longer carries our
    /// marker. A domain cannot outlive its application: then the list is empty.
    async fn unmarked(&self, cx: &Context, made: &DomainId) -> Result<Line, StepError> {
        let domains_of = || cx.platform.domains_of(&self.application.id);
        let domains = cx.ask("domain.byApplicationId", domains_of).await?;
        let (id, host) = (Some(made.0.as_str()), cx.host.as_str());
        Ok(if domains.iter().any(|domain| domain.id == *made) {
            cx.left_domain(id, host)
        } else {
            cx.line(ResourceKind::Domain, id, host, Outcome::VerifiedGone)
        })
    }

    /// Keeps the oldest domain of our application, and removes the others.
    async fn adopt(&self, cx: &Context) -> Result<Option<DomainId>, StepError> {
        let domains_of = || cx.platform.domains_of(&self.application.id);
        let mut domains = cx.ask("domain.byApplicationId", domains_of).await?;
        domains.sort_by(|a, b| a.created_at.cmp(&b.created_at));
        let mut domains = domains.into_iter().filter(|domain| domain.host == cx.host);
        let Some(oldest) = domains.next() else { return Ok(None) };
        for other in domains {
            cx.warn("domain.create", "Removing a second address of this deployment");
            let done = "Removed the second address";
            cx.call("domain.delete", done, || cx.platform.delete_domain(&other.id)).await?;
        }
        Ok(Some(oldest.id))
    }
}
