//! A change: leads a stack to another revision and verifies it, or leads it back.

use async_trait::async_trait;

use super::on_stack;
use crate::server::platform::call_slots::CallKind;
use crate::server::saga::context::Context;
use crate::server::saga::engine::{Halt, Operation, Saga};
use crate::server::steps::{AddVolumes, Prepare, Release, Switch, Watch};
use crate::server::store::{Desired, StepId};
use domain::kind::{CHANGE, Kind};

/// The kind of operation that leads a stack to another revision.
pub(super) struct ChangeStack;

#[async_trait]
impl Operation for ChangeStack {
    fn kind(&self) -> &'static Kind {
        &CHANGE
    }

    async fn run(&self, saga: &mut Saga) -> Result<(), Halt> {
        let mut service = on_stack::service(saga)?;
        let former = saga.step(Prepare(service.clone())).await?;
        if has_other_volumes(&saga.cx) {
            service.node = Some(saga.step(AddVolumes).await?.node);
        }
        saga.step(Switch(service.clone())).await?;
        match saga.cx.desired {
            Desired::Running => {
                saga.step(service.verified(former.clone())).await?;
                saga.step(Watch { service, former }).await?;
            }
            // It is verified when the stack is started.
            Desired::Stopped => {}
        }
        saga.step(Release).await
    }

    fn call_under_way(&self, step: StepId, _: u64) -> Option<CallKind> {
        matches!(step, StepId::PREPARE | StepId::SWITCH).then_some(CallKind::Other)
    }
}

/// Returns whether the new revision has other volumes than the one before it.
fn has_other_volumes(cx: &Context) -> bool {
    let former = cx.lineage.former.as_ref();
    former.is_some_and(|former| former.spec.stack.volumes != cx.spec.stack.volumes)
}
