//! A stop: stops a stack: nothing of it runs afterwards, while its address and its data stay.

use async_trait::async_trait;

use super::on_stack;
use crate::server::saga::engine::{Halt, Operation, Saga};
use crate::server::steps::StopService;
use domain::kind::{Kind, STOP};

/// The kind of operation that stops a stack.
pub(super) struct StopStack;

#[async_trait]
impl Operation for StopStack {
    fn kind(&self) -> &'static Kind {
        &STOP
    }

    async fn run(&self, saga: &mut Saga) -> Result<(), Halt> {
        let service = on_stack::service(saga)?;
        saga.step(StopService(service)).await?;
        Ok(())
    }
}
