//! `audit`: prints the audit log, for operators and other programs.

use std::net::IpAddr;
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::{CommandError, Exit, say};
use crate::run;
use crate::server::audit::{AuditAction, AuditEntry, AuditFilter};
use crate::server::settings::StoreSettings;
use crate::server::stacks::admin::since;

/// The filter of the entries.
#[derive(Clone, Debug, Args)]
pub(super) struct AuditOptions {
    /// Only entries of this actor: person:ID, browser:ID, guest, stranger
    #[arg(long)]
    who: Option<String>,
    /// Only entries with this action, such as start or remove
    #[arg(long, value_parser = act)]
    act: Option<AuditAction>,
    /// Only entries with this target: a stack's name, an id, a path
    #[arg(long)]
    target: Option<String>,
    /// Only entries since this time: 2026-11-23, or 2026-11-23T09:55:24Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// At most this many entries
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
}

/// A text is not an action.
#[derive(Debug, thiserror::Error)]
#[error("valid actions are {}", AuditAction::ALL.iter().copied().map(AuditAction::as_str).collect::<Vec<_>>().join(", "))]
struct ParseAuditActionError;

/// The JSON of an entry.
#[derive(Serialize)]
struct Line {
    number: i64,
    at: Timestamp,
    who: String,
    act: &'static str,
    target: Option<String>,
    from: Option<IpAddr>,
    outcome: String,
}

/// Prints the entries that match `options`.
pub(super) async fn run(options: AuditOptions, settings: &StoreSettings) -> Exit {
    let AuditOptions { who, act, target, since, limit } = options;
    let filter = AuditFilter { who, act, target, since, before: None, limit };
    let audit = run::open_for_cli(settings).await?.audit;
    for (number, entry) in audit.entries(&filter).await? {
        let AuditEntry { at, who, act, target, from, outcome } = entry;
        let line = Line { number, at, who, act: act.as_str(), target, from, outcome };
        say(&serde_json::to_string(&line)
            .map_err(|error| CommandError::system("writing JSON")(error.into()))?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn act(word: &str) -> Result<AuditAction, ParseAuditActionError> {
    word.parse().map_err(|_| ParseAuditActionError)
}
