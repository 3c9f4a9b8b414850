//! Gathers the facts about a stack that does not work: how its containers ended, and what changed
//! before.

use super::{Look, Looked};
use crate::server::platform::{AppName, Platform, PlatformError, Task, TaskState};
use crate::server::saga::Ports;
use crate::server::store::{Result, Stack};
use domain::stack_event::{Change, Exit, Problem, Why};

/// The number of ends of containers that are kept.
const EXITS: usize = 3;
/// The longest error message that is kept, in characters.
const ERROR_LENGTH: usize = 300;
/// The number of the last events among which the last change is looked for.
const EVENTS: u32 = 50;

/// Gathers why the stack does not work, as far as that can be found out.
pub(super) async fn gather(ports: &Ports, stack: &Stack, looked: &Looked) -> Result<Why> {
    let problem = match looked.look {
        Look::Bad(problem) => problem,
        Look::Good | Look::Unknown => Problem::Unknown,
    };
    let mut exits = Vec::new();
    for name in &looked.services {
        match ends(&*ports.platform, name).await {
            Ok(found) => exits.extend(found),
            Err(error) => tracing::debug!(%error, "Could not read how a container ended"),
        }
    }
    exits.truncate(EXITS);
    let before = stack.last_event.saturating_sub(u64::from(EVENTS));
    let events = ports.store.stack_events(stack.revision.stack, before, EVENTS).await?;
    Ok(Why { problem, status: looked.status, exits, after: Change::last(&events) })
}

/// Returns how the last containers of the service ended, the last one first.
async fn ends(platform: &dyn Platform, name: &AppName) -> Result<Vec<Exit>, PlatformError> {
    let tasks = platform.tasks(name).await?;
    let has_failed = |task: &&Task| task.state == TaskState::Failed;
    let mut exits = Vec::new();
    for task in tasks.iter().filter(has_failed).take(EXITS) {
        let inspected = platform.inspect_task(&task.id).await?;
        let (state, code, container) = match inspected {
            Some(one) => (one.state, one.exit_code.or(task.exit_code()), one.container),
            None => (String::from("failed"), task.exit_code(), None),
        };
        let ended = match container {
            Some(id) => platform.container_exit(&id).await?,
            None => None,
        };
        let error = task.error.as_ref().map(|error| error.chars().take(ERROR_LENGTH).collect());
        let out_of_memory = ended.is_some_and(|exit| exit.is_out_of_memory);
        exits.push(Exit {
            state,
            error,
            code: code.or(ended.map(|exit| exit.code)),
            out_of_memory,
        });
    }
    Ok(exits)
}
