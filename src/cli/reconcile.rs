//! `reconcile`: compares the database with the platform immediately.

use std::process::ExitCode;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::{CommandError, Exit, say};
use crate::run;
use crate::server::reconciler::Repair;
use crate::server::settings::Settings;

/// The exit code if differences remain.
const REMAINS: u8 = 2;

/// The options of the comparison.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct ReconcileOptions {
    /// Only report the differences, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Compares, repairs unless it is a dry run, and prints a line for each finding.
pub(super) async fn run(options: &ReconcileOptions, settings: &Settings) -> Exit {
    let reconciler = run::reconciler_for_cli(settings).await?.ok_or(CommandError::NoPlatform)?;
    let found = reconciler.survey().await?;
    if found.is_empty() {
        say("The database and the platform agree.")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut remaining = 0;
    if options.dry_run {
        for finding in found {
            let would = if finding.removable().is_some() { "would be removed" } else { "reported" };
            say(&format!("{would}: {finding}"))?;
            remaining += 1;
        }
    } else {
        for handled in reconciler.repair(found, &CancellationToken::new()).await {
            say(&format!("{}: {}", handled.outcome, handled.finding))?;
            match handled.outcome {
                Repair::Removed | Repair::Mended => {}
                Repair::Failed(_) | Repair::Reported => remaining += 1,
            }
        }
    }
    Ok(if remaining == 0 { ExitCode::SUCCESS } else { ExitCode::from(REMAINS) })
}
