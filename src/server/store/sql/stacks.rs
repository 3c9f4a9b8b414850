//! Implements the stacks port: new operations, live stacks, reserved names and usage.

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::audit::insert_audit_entry;
use super::dialect::Dialect;
use super::statement::Statement;
use super::{SqlStore, beginning, lists, on_stack, quotas, rows};
use crate::server::audit::AuditEntry;
use crate::server::name_index::NameState;
use crate::server::store::{
    ExpiredStack, NewDeployment, NewOperation, NewRemoval, OperationOutcome, PresentStack,
    RemovalOutcome, Result, Stack, Stacks, StoredResponse, TimeToLive, Usage,
};
use domain::owner::OwnerId;
use domain::stack_id::StackId;
use domain::stack_name::StackName;

#[async_trait]
impl<D: Dialect> Stacks for SqlStore<D> {
    async fn begin(&self, new: &NewDeployment, response: Option<&StoredResponse>) -> Result<()> {
        self.finish(beginning::begin(self.clone(), new.clone(), response.cloned())).await
    }

    async fn begin_removal(&self, name: &StackName, new: &NewRemoval) -> Result<RemovalOutcome> {
        self.finish(beginning::begin_removal(self.clone(), name.clone(), new.clone())).await
    }

    async fn begin_operation(
        &self,
        name: &StackName,
        new: &NewOperation,
    ) -> Result<OperationOutcome> {
        self.finish(on_stack::begin(self.clone(), name.clone(), new.clone())).await
    }

    async fn set_label(
        &self,
        stack: StackId,
        label: Option<&str>,
        audit_entry: Option<&AuditEntry>,
    ) -> Result<()> {
        let set = Statement::new("UPDATE stacks SET label = $1 WHERE stack = $2");
        let (set, entry) = (set.bind(label).bind(stack), audit_entry.cloned());
        let store = self.clone();
        self.finish(async move {
            let mut tx = store.transaction().await?;
            set.execute(&mut tx).await?;
            insert_audit_entry(&mut tx, entry.as_ref()).await?;
            tx.commit().await
        })
        .await
    }

    async fn stacks(&self, name: Option<&StackName>) -> Result<Vec<Stack>> {
        let live = Statement::new(
            "SELECT live.id, live.kind, live.removes, name, url, live.started_ms,
                    live.completed_ms, owner, removal.id AS removal, removal.state AS removal_state,
                    live.stack AS stack, template, desired, stacks.revision AS revision, label,
                    last_event, unhealthy_ms, unhealthy_why, expires_ms,
                    held.id AS held, held.kind AS held_kind, held.state AS held_state
             FROM stacks JOIN operations AS live USING (stack)
             LEFT JOIN operations AS removal
                 ON removal.removes = live.id AND removal.state <> 'rolled_back'
             LEFT JOIN operations AS held
                 ON held.stack = live.stack AND held.state IN ('active', 'stuck')
             WHERE gone_ms IS NULL AND live.state = 'live' AND name = COALESCE($1, name)
             ORDER BY name",
        );
        self.rows(live.bind(name)).await?.iter().map(rows::stack).collect()
    }

    async fn expired_stacks(&self, now: Timestamp) -> Result<Vec<ExpiredStack>> {
        let expired = Statement::new(
            "SELECT live.id AS id, name, expires_ms, desired,
                    (SELECT at_ms FROM stack_events
                     WHERE stack_events.stack = stacks.stack AND stack_events.seq = last_event)
                        AS last_ms,
                    held.id AS held, held.kind AS held_kind, held.state AS held_state,
                    held.removes AS removes
             FROM stacks JOIN operations AS live
                 ON live.stack = stacks.stack AND live.state = 'live'
             LEFT JOIN operations AS held
                 ON held.stack = stacks.stack AND held.state IN ('active', 'stuck')
             WHERE expires_ms IS NOT NULL AND expires_ms <= $1 AND gone_ms IS NULL
             ORDER BY expires_ms, name",
        );
        self.rows(expired.bind(now)).await?.iter().map(rows::expired_stack).collect()
    }

    async fn present_stacks(&self, owner: Option<&OwnerId>) -> Result<Vec<PresentStack>> {
        let present = Statement::new(
            "SELECT made.id, made.kind, made.removes, name, url, made.started_ms,
                    COALESCE(made.completed_ms, made.started_ms) AS completed_ms, owner,
                    made.state AS made_state, template,
                    removal.id AS removal, removal.state AS removal_state,
                    stacks.stack AS stack, desired, stacks.revision AS revision, label,
                    last_event, unhealthy_ms, unhealthy_why, expires_ms,
                    held.id AS held, held.kind AS held_kind, held.state AS held_state
             FROM stacks JOIN operations AS made
                 ON made.stack = stacks.stack AND made.state <> 'rolled_back'
                 AND made.id = 'dep_' || substr(stacks.stack, 5)
             LEFT JOIN operations AS removal
                 ON removal.removes = made.id AND removal.state <> 'rolled_back'
             LEFT JOIN operations AS held
                 ON held.stack = stacks.stack AND held.state IN ('active', 'stuck')
             WHERE gone_ms IS NULL",
        )
        .push_if(" AND owner = ", owner)
        .push(" ORDER BY name");
        self.rows(present).await?.iter().map(rows::present_stack).collect()
    }

    async fn reserved(&self, names: &[StackName]) -> Result<Vec<StackName>> {
        let is_wanted = D::is_in("$1");
        let reserved = Statement::composed(format!(
            "SELECT name FROM stacks WHERE gone_ms IS NULL AND name {is_wanted}"
        ));
        self.rows(reserved.bind(lists::texts(names))).await?.iter().map(rows::name).collect()
    }

    async fn names(&self, freed_since: Option<Timestamp>) -> Result<HashMap<StackName, NameState>> {
        let mut names = HashMap::new();
        if let Some(since) = freed_since {
            // The last one of a name counts.
            let freed = Statement::new(
                "SELECT name, owner, gone_ms AS released_ms FROM stacks
                 WHERE live_ms IS NOT NULL AND gone_ms > $1 ORDER BY gone_ms, created_ms",
            );
            for row in self.rows(freed.bind(since)).await? {
                let (owner, at) = rows::freed(&row)?;
                names.insert(rows::name(&row)?, NameState::Freed { owner, at });
            }
        }
        let reserved =
            Statement::new("SELECT name FROM stacks WHERE gone_ms IS NULL ORDER BY name");
        for row in self.rows(reserved).await? {
            names.insert(rows::name(&row)?, NameState::Reserved);
        }
        Ok(names)
    }

    async fn usages(&self, counted_as: &[&str], hour_ago: Timestamp) -> Result<Vec<Usage>> {
        let found = self.rows(quotas::usages::<D>(counted_as, hour_ago, None)).await?;
        rows::usages(&found, counted_as, hour_ago)
    }

    async fn freed(
        &self,
        name: &StackName,
        since: Timestamp,
    ) -> Result<Option<(Option<OwnerId>, Timestamp)>> {
        self.row(quotas::freed(name, since)).await?.as_ref().map(rows::freed).transpose()
    }

    async fn durations(&self, limit: u32) -> Result<Vec<TimeToLive>> {
        let took = Statement::new(
            "SELECT template, live_ms - created_ms AS took_ms FROM stacks
             WHERE live_ms IS NOT NULL ORDER BY live_ms DESC LIMIT $1",
        );
        self.rows(took.bind(i64::from(limit))).await?.iter().map(rows::took).collect()
    }
}
