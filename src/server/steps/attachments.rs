//! What the container of a stack is attached to: its volumes, and the port to which its address leads.

use super::{Service, mounts};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::store::StepId;
use domain::stack_spec::StackSpec;

/// Returns whether a revision is attached otherwise than the one before it, or the stack may be
/// attached as neither of them is.
pub(super) fn may_differ(cx: &Context, former: &StackSpec) -> bool {
    let new = &cx.spec.stack;
    former.volumes != new.volumes || former.port != new.port || cx.lineage.has_failed
}

impl Service {
    /// Mounts the volumes of a revision, and no other of the stack. `step` is the one that does this.
    /// It takes effect with the next container.
    pub(super) async fn mount(
        &self,
        cx: &Context,
        step: StepId,
        spec: &StackSpec,
    ) -> Result<(), StepError> {
        mounts::replace(cx, step, &self.application, spec).await
    }

    /// Lets the address lead to the port of a revision. It takes effect within two seconds. `step` is
    /// the one that does this.
    pub(super) async fn route(
        &self,
        cx: &Context,
        step: StepId,
        spec: &StackSpec,
    ) -> Result<(), StepError> {
        let domains = cx.domains_of(&self.application.id).await?;
        let is_other = |port: Option<u16>| port != Some(spec.port);
        for domain in domains.iter().filter(|one| one.host == cx.host && is_other(one.port)) {
            let set = || cx.platform.set_port(domain, spec.port);
            let done = format!("Let the address lead to port {}", spec.port);
            cx.mutate_for(step, "domain.update", &done, set).await?;
        }
        Ok(())
    }
}
