//! A deletion: deletes the data that the removal of a stack kept, and verifies that it is gone.
//!
//! It undoes the step of the deployment that named the volumes.

use async_trait::async_trait;

use super::deploy;
use crate::server::saga::context::Context;
use crate::server::saga::engine::{Halt, MayAsk, Operation, Saga};
use crate::server::steps::NameVolumes;
use crate::server::store::Cause;
use domain::event::{EventBody, FailureCode, Gone, RemovalCompletion};
use domain::kind::{DELETE_DATA, Kind};
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::receipt::{Line, Receipt};

/// The kind of operation that deletes the kept data of a stack.
pub(super) struct DeleteData;

/// Returns the row of this kind in the table of kinds.
pub(crate) fn data_deletion() -> &'static Kind {
    &DELETE_DATA
}

#[async_trait]
impl Operation for DeleteData {
    fn kind(&self) -> &'static Kind {
        &DELETE_DATA
    }

    async fn run(&self, saga: &mut Saga) -> Result<(), Halt> {
        saga.step(NameVolumes).await.map(drop)
    }

    fn done(&self, _cx: &Context, receipt: Receipt) -> EventBody {
        EventBody::Removed(RemovalCompletion { status: Gone::Removed, receipt })
    }

    fn failure(&self, _cx: &Context, code: Option<FailureCode>) -> (Phase, Cause) {
        let code = code.unwrap_or(FailureCode::PlatformRefused);
        (Phase::REMOVING, Cause::new(code, MessageCode::NotAllRemoved))
    }

    async fn advise(&self, cx: &Context, lines: Vec<Line>, may_ask: MayAsk) -> Vec<Line> {
        deploy::remedies(cx, lines, may_ask).await
    }
}
