//! A removal: removes a live stack, and verifies each resource.
//!
//! It undoes the steps of the deployment that created the stack, newest first. If something is
//! left, clean-up after the end repeats the undo until nothing is left.

use async_trait::async_trait;

use super::deploy;
use crate::server::saga::context::Context;
use crate::server::saga::engine::{Halt, MayAsk, Operation, Saga};
use crate::server::store::Cause;
use domain::event::{EventBody, FailureCode, Gone, RemovalCompletion};
use domain::kind::{Kind, REMOVE};
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::receipt::{Line, Receipt};

/// The kind of operation that removes a stack.
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
        removed(receipt)
    }

    fn failure(&self, _cx: &Context, code: Option<FailureCode>) -> (Phase, Cause) {
        not_all_removed(code)
    }

    async fn advise(&self, cx: &Context, lines: Vec<Line>, may_ask: MayAsk) -> Vec<Line> {
        deploy::remedies(cx, lines, may_ask).await
    }
}

/// Returns the last event of an operation after which nothing is left.
pub(super) fn removed(receipt: Receipt) -> EventBody {
    EventBody::Removed(RemovalCompletion { status: Gone::Removed, receipt })
}

/// Returns the phase and the cause of one that left something, because of `code`.
pub(super) fn not_all_removed(code: Option<FailureCode>) -> (Phase, Cause) {
    let code = code.unwrap_or(FailureCode::PlatformRefused);
    (Phase::REMOVING, Cause::new(code, MessageCode::NotAllRemoved))
}
