//! A deletion: deletes the data that the removal of a stack kept, and verifies that it is gone.
//!
//! It undoes the step of the deployment that named the volumes.

use async_trait::async_trait;

use super::{deploy, remove};
use crate::server::saga::context::Context;
use crate::server::saga::engine::{Halt, MayAsk, Operation, Saga};
use crate::server::store::Cause;
use domain::event::{EventBody, FailureCode};
use domain::kind::{DELETE_DATA, Kind};
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
        deploy::volumes(saga).await.map(drop)
    }

    fn done(&self, _cx: &Context, receipt: Receipt) -> EventBody {
        remove::removed(receipt)
    }

    fn failure(&self, _cx: &Context, code: Option<FailureCode>) -> (Phase, Cause) {
        remove::not_all_removed(code)
    }

    async fn advise(&self, cx: &Context, lines: Vec<Line>, may_ask: MayAsk) -> Vec<Line> {
        deploy::remedies(cx, lines, may_ask).await
    }
}
