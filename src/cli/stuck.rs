//! `stuck`: lists what could not be removed, and retries the removal.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::{CommandError, Exit, say};
use crate::run;
use crate::server::audit::{AuditAction, AuditEntry};
use crate::server::settings::StoreSettings;
use crate::server::store::{self, Operations, Record, Store};
use clock::{Clock as _, SystemClock};
use domain::kind::Kinds;
use domain::receipt::Receipt;
use domain::words;

/// The subcommands of `stuck`.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum StuckCommand {
    /// Lists what could not be removed, and what an operator can do about it
    List,
    /// Makes the running portal retry the removal now
    Retry(RetryOptions),
}

/// The operations to retry.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct RetryOptions {
    /// The operation's id or reference, or the stack's name
    #[arg(value_name = "ID|NAME")]
    which: Option<String>,
    /// Everything that is stuck
    #[arg(long)]
    all: bool,
}

/// Runs `command` on the database of `settings`.
pub(super) async fn run(command: StuckCommand, settings: &StoreSettings) -> Exit {
    let store = run::open_for_cli(settings).await?.store;
    match command {
        StuckCommand::List => list(&*store).await?,
        StuckCommand::Retry(options) => retry(&*store, options.which.as_deref()).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(store: &dyn Store) -> Result<(), CommandError> {
    let stuck = store.stuck().await?;
    if stuck.is_empty() {
        return say("Nothing is stuck.");
    }
    for record in stuck {
        let receipt = store::receipt(store, &record).await?;
        for line in describe(&record, &receipt) {
            say(&line)?;
        }
    }
    Ok(())
}

/// Returns a heading with the operation and its attempts, and a line for each leftover.
fn describe(record: &Record, receipt: &Receipt) -> Vec<String> {
    let Record { deployment, metadata, clean_up, .. } = record;
    let what = Kinds::default().of(deployment.kind).noun;
    let (id, reference) = (&deployment.id, deployment.id.reference());
    let mut lines = vec![
        format!("{}: {what} {id}, reference {reference}", deployment.name),
        format!(
            "  stuck since {}, retried {} since then, next attempt {}",
            time(metadata.completed),
            times(clean_up.tries),
            time(clean_up.due),
        ),
    ];
    if record.panics > 0 {
        lines.push(format!(
            "  its execution panicked {}: search the log for {reference}",
            times(record.panics),
        ));
    }
    let left = receipt.leftovers().map(|line| {
        let remedy = line.remedy.as_ref().map(words::remedy::sentence);
        let remedy = remedy.unwrap_or_else(|| String::from("no remedy is known"));
        format!("  {} {}: {remedy}", line.resource.noun(), line.name)
    });
    lines.extend(left);
    if receipt.leftovers().next().is_none() {
        lines.push(format!("  it is not known what is left: search the log for {reference}"));
    }
    lines
}

fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| String::from("unknown"), |at| format!("{at:.0}"))
}

fn times(count: u32) -> String {
    match count {
        1 => String::from("once"),
        _ => format!("{count} times"),
    }
}

async fn retry(operations: &dyn Operations, which: Option<&str>) -> Result<(), CommandError> {
    let mut made_due = 0;
    for record in operations.stuck().await? {
        // A concurrent clean-up may have completed.
        if which.is_none_or(|which| is_called(&record, which))
            && operations.make_due_now(&record.deployment.id, Some(&audit_entry(&record))).await?
        {
            made_due += 1;
            say(&format!("{} ({}) is due now.", record.deployment.name, record.deployment.id))?;
        }
    }
    match (made_due, which) {
        (0, Some(which)) => Err(CommandError::NotStuck(which.to_owned())),
        (0, None) => say("Nothing is stuck."),
        (_, _) => say(
            "A running portal retries within two seconds. If no portal is running, the next one to \
             start does. `stuck list` shows the result.",
        ),
    }
}

/// Returns the audit entry of a retry.
fn audit_entry(record: &Record) -> AuditEntry {
    AuditEntry {
        at: SystemClock.now(),
        who: String::from("command line"),
        act: AuditAction::RetryCleanUp,
        target: Some(record.deployment.id.to_string()),
        from: None,
        outcome: String::from("done"),
    }
}

fn is_called(record: &Record, which: &str) -> bool {
    let id = &record.deployment.id;
    id.as_str() == which
        || record.deployment.name.as_str() == which
        || id.reference().eq_ignore_ascii_case(which)
}
