//! Calls whose effect must be known even if their response is lost.

use super::Attempts;
use crate::server::platform::PlatformError;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::store::StepId;

impl Context {
    /// Makes an idempotent mutating call for `step`, whose undo makes the same call with what was
    /// before: one whose response is lost is remembered, since it may overwrite that of the undo.
    pub(crate) async fn mutate_for<T, F>(
        &self,
        step: StepId,
        action: &'static str,
        on_success: &str,
        make: impl FnMut() -> F + Send,
    ) -> Result<T, StepError>
    where
        T: Send,
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        // It is idempotent, so there is nothing to look for before it is repeated.
        self.create_or_adopt(step, action, on_success, make, || async { Ok(None) }).await
    }

    /// Makes a call that is not idempotent. If it may have succeeded already, in an earlier run or
    /// with a lost response, `find` searches for the resource before the call is made again. A
    /// resource that is found is adopted.
    pub(crate) async fn create_or_adopt<T, F, G>(
        &self,
        step: StepId,
        action: &'static str,
        on_success: &str,
        mut make: impl FnMut() -> F + Send,
        mut find: impl FnMut() -> G + Send,
    ) -> Result<T, StepError>
    where
        F: Future<Output = Result<T, PlatformError>> + Send,
        G: Future<Output = Result<Option<T>, StepError>> + Send,
    {
        let mut tries = Attempts::new(self, action, Some(on_success)).in_turn();
        let mut may_exist = self.journal.was_interrupted(step);
        if may_exist {
            self.journal.record_lost_response(step);
        }
        loop {
            if may_exist && let Some(found) = find().await? {
                self.warn(action, "Adopted what an earlier attempt had created");
                return Ok(found);
            }
            match tries.try_once(&mut make).await? {
                Ok(value) => return tries.succeed(value).await,
                Err(error) => {
                    if error.may_have_committed() {
                        self.journal.record_lost_response(step);
                        may_exist = true;
                    }
                    match tries.pause(&error).await {
                        Ok(()) => {}
                        Err(given_up @ StepError::Failed(_)) => {
                            return self
                                .adopt_if_created(may_exist, &mut find)
                                .await?
                                .ok_or(given_up);
                        }
                        Err(lost @ StepError::Store(_)) => return Err(lost),
                    }
                }
            }
        }
    }

    /// Searches once more before a create fails: a resource that exists after all is adopted.
    async fn adopt_if_created<T, G>(
        &self,
        may_exist: bool,
        find: &mut impl FnMut() -> G,
    ) -> Result<Option<T>, StepError>
    where
        G: Future<Output = Result<Option<T>, StepError>> + Send,
    {
        if !may_exist {
            return Ok(None);
        }
        match find().await {
            // The undo searches again, with a deadline of its own.
            Err(StepError::Failed(_)) => Ok(None),
            found => found,
        }
    }
}
