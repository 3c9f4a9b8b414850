//! The logs of live stacks, for those who may change the stack.

use std::time::Duration;

use jiff::Timestamp;

use super::Service;
use crate::server::auth::access::{Caller, IdentifiedBy, Permission, Target};
use crate::server::logs::{Item, Status, Watching};
use crate::server::store::{Record, Stack, State, StoreError};
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::last_log::LastLog;
use domain::refusal::Refusal;
use domain::stack_name::StackName;

/// The most lines that are returned at once.
pub(crate) const MOST_LINES: usize = 10_000;
/// The number of lines that a page shows, and with which a stream begins.
pub(crate) const PAGE_LINES: usize = 200;
/// The time within which a log must open.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// The lines of a log that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogFilter {
    /// The number of lines, from the end.
    pub(crate) tail: usize,
    /// The time of the oldest one.
    pub(crate) since: Option<Timestamp>,
    /// A text that each line contains, in capitals or not.
    pub(crate) search: Option<String>,
}

impl LogFilter {
    /// Returns the items that pass, in their order.
    fn keep(&self, items: Vec<Item>) -> Vec<Item> {
        let wanted = self.search.as_ref().map(|text| text.to_lowercase());
        let passes = |item: &Item| match item {
            Item::Line(line) => {
                self.since.is_none_or(|since| line.at >= since)
                    && wanted.as_ref().is_none_or(|text| line.text.to_lowercase().contains(text))
            }
            Item::Container(_) | Item::Gap(_) => self.search.is_none(),
        };
        let mut kept: Vec<Item> = items.into_iter().filter(passes).collect();
        let is_line = |item: &Item| matches!(item, Item::Line(_));
        let lines = kept.iter().enumerate().rev().filter(|(_, item)| is_line(item));
        let first = match self.tail {
            0 => None,
            tail => lines.take(tail).last().map(|(place, _)| place),
        };
        kept.drain(..first.unwrap_or(kept.len()));
        kept
    }
}

impl Service {
    /// Returns the last lines of the log of the live stack called `name`; `of` is the id of its
    /// deployment, if the caller knows it.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller may not change the stack, it has no container, or the platform
    /// does not show its log.
    pub(crate) async fn log(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
        filter: &LogFilter,
    ) -> Result<Vec<Item>, ApiError> {
        let (stack, mut watching) = self.watching(caller, name, of).await?;
        let status = self.opened(&mut watching).await?;
        let items = watching.kept();
        if items.iter().any(|item| matches!(item, Item::Line(_))) {
            return Ok(filter.keep(items));
        }
        readable(status, &stack)?;
        Ok(Vec::new())
    }

    /// Watches the log of the live stack called `name`. It is there: the lines that were there are
    /// read. A stack without a container may get one.
    ///
    /// # Errors
    ///
    /// Returns an error if the caller may not change the stack, or the platform does not show its log.
    pub(crate) async fn watch_log(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<Watching, ApiError> {
        let (stack, mut watching) = self.watching(caller, name, of).await?;
        match self.opened(&mut watching).await? {
            Status::NoContainer => {}
            status => readable(status, &stack)?,
        }
        Ok(watching)
    }

    /// Checks whether the caller may read the log of the live stack called `name`.
    ///
    /// # Errors
    ///
    /// Returns an error if they may not.
    pub(crate) async fn may_read_log(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<Stack, ApiError> {
        let stack = self.authorize_stack(caller, Permission::Change, name, of).await?;
        let (owner, id) = (stack.owner.as_ref(), &stack.deployment.id);
        self.parts.audit.inspection(caller, owner, id).await?;
        Ok(stack)
    }

    /// Returns what the container of the stack wrote last before the operation stopped it or undid what
    /// had failed, if the caller may change the stack.
    pub(super) async fn last_log(
        &self,
        caller: &Caller,
        record: &Record,
    ) -> Result<Option<LastLog>, StoreError> {
        let target = Target::Operation { owner: record.owner.as_ref(), by: IdentifiedBy::Id };
        let may_change = caller.may(Permission::Change, target).is_ok();
        // A deployment that is live has not failed.
        let may_have_one = record.metadata.completed.is_some() && record.state != State::Live;
        if !may_change || !may_have_one {
            return Ok(None);
        }
        Ok(self.parts.store.journal(&record.deployment.id).await?.last_log())
    }

    async fn watching(
        &self,
        caller: &Caller,
        name: &str,
        of: Option<&DeploymentId>,
    ) -> Result<(StackName, Watching), ApiError> {
        let stack = self.may_read_log(caller, name, of).await?;
        let id = stack.revision.stack;
        let journal = self.parts.store.journal(&id.deployment()).await?;
        if journal.services.is_empty() {
            return Err(Refusal::NoLog(stack.deployment.name).into());
        }
        let services = journal.services.into_iter().collect();
        Ok((stack.deployment.name, self.logs.watch(id, services)))
    }

    async fn opened(&self, watching: &mut Watching) -> Result<Status, ApiError> {
        tokio::select! {
            status = watching.opened() => Ok(status),
            () = self.parts.clock.sleep(OPEN_LIMIT) => Err(Refusal::LogUnavailable.into()),
        }
    }
}

fn readable(status: Status, name: &StackName) -> Result<(), ApiError> {
    match status {
        Status::Read => Ok(()),
        Status::NoContainer => Err(Refusal::NoLog(name.clone()).into()),
        Status::Opening | Status::Unavailable => Err(Refusal::LogUnavailable.into()),
        Status::SecretsLost => Err(Refusal::SecretsLost.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::logs::LogLine;

    fn items() -> Vec<Item> {
        let line = |second: i64| {
            let at = Timestamp::from_second(second).unwrap();
            let text = format!("Line {second}");
            Item::Line(LogLine { container: "one".into(), at, text, is_cut: false })
        };
        (0..5).map(line).chain([Item::Gap(7)]).chain((5..9).map(line)).collect()
    }

    #[test]
    fn a_filter_keeps_the_last_lines_with_the_gaps_between_them() {
        let all = LogFilter { tail: MOST_LINES, since: None, search: None };
        assert_eq!(all.keep(items()), items());
        let kept = |filter: LogFilter| filter.keep(items()).len();
        assert_eq!(kept(LogFilter { tail: 5, ..all.clone() }), 6);
        assert_eq!(kept(LogFilter { tail: 2, ..all.clone() }), 2);
        assert_eq!(kept(LogFilter { tail: 0, ..all.clone() }), 0);
        let since = Timestamp::from_second(7).ok();
        assert_eq!(kept(LogFilter { since, ..all.clone() }), 2);
        assert_eq!(kept(LogFilter { search: Some("lINE 3".into()), ..all.clone() }), 1);
        assert_eq!(kept(LogFilter { search: Some("nothing".into()), ..all }), 0);
    }
}
