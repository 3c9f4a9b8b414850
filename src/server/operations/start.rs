//! A start: starts a stopped stack, and verifies that it answers.

use async_trait::async_trait;

use super::on_stack;
use crate::server::platform::call_slots::CallKind;
use crate::server::saga::engine::{Halt, Operation, Saga};
use crate::server::steps::StartService;
use crate::server::store::StepId;
use domain::kind::{Kind, START};

/// The kind of operation that starts a stopped stack.
pub(super) struct StartStack;

#[async_trait]
impl Operation for StartStack {
    fn kind(&self) -> &'static Kind {
        &START
    }

    async fn run(&self, saga: &mut Saga) -> Result<(), Halt> {
        let service = on_stack::service(saga)?;
        let former = saga.step(StartService(service.clone())).await?;
        saga.step(service.verified(former)).await
    }

    fn call_under_way(&self, step: StepId, _: u64) -> Option<CallKind> {
        (step != StepId::HEALTH).then_some(CallKind::Other)
    }
}
