//! A removal: takes a live stack down, with evidence for each resource.
//!
//! It undoes the steps by which the deployment brought the stack up, newest first. What is left is
//! tried again until nothing is.

use async_trait::async_trait;

use super::deploy;
use crate::server::{
    saga::{
        context::Context,
        engine::{Halt, MayAsk, Operation, Saga},
    },
    store::Cause,
};
use domain::{
    event::{EventBody, FailureCode, Gone, RemovalCompletion},
    kind::{Kind, REMOVE},
    phase::Phase,
    receipt::{Line, Receipt},
};

/// Takes a live stack down.
pub(super) struct RemoveStack;

#[async_trait]
impl Operation for RemoveStack {
    fn kind(&self) -> &'static Kind {
        &REMOVE
    }

    async fn run(&self, saga: &mut Saga) -> Result<(), Halt> {
        deploy::steps(saga).await
    }

    fn done(&self, _cx: &Context, receipt: Receipt) -> EventBody {
        EventBody::Removed(RemovalCompletion { status: Gone::Removed, receipt })
    }

    fn failure(&self, _cx: &Context, code: Option<FailureCode>) -> (Phase, Cause) {
        let message = "Not everything could be removed yet. We keep trying.";
        (Phase::REMOVING, Cause::new(code.unwrap_or(FailureCode::PlatformRefused), message))
    }

    async fn advise(&self, cx: &Context, lines: Vec<Line>, may_ask: MayAsk) -> Vec<Line> {
        deploy::remedies(cx, lines, may_ask).await
    }
}
