//! A restart: replaces the container of a stack, and verifies that the new one answers.

use async_trait::async_trait;

use super::on_stack;
use crate::server::platform::call_slots::CallKind;
use crate::server::saga::engine::{Halt, Operation, Saga};
use crate::server::steps::ReplaceContainer;
use crate::server::store::StepId;
use domain::kind::{Kind, RESTART};

/// The kind of operation that replaces the container of a stack.
pub(super) struct RestartStack;

#[async_trait]
impl Operation for RestartStack {
    fn kind(&self) -> &'static Kind {
        &RESTART
    }

    async fn run(&self, saga: &mut Saga) -> Result<(), Halt> {
        let service = on_stack::service(saga)?;
        let former = saga.step(ReplaceContainer(service.clone())).await?;
        saga.step(service.verified(former)).await
    }

    fn call_under_way(&self, step: StepId, _: u64) -> Option<CallKind> {
        (step != StepId::HEALTH).then_some(CallKind::Other)
    }
}
