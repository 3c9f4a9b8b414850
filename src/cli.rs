//! The command line: serves the portal, runs an operator's command, or runs the sandbox alone.

mod audit;
mod backup;
mod check;
mod error;
mod healthcheck;
mod reconcile;
mod sandbox;
mod secrets;
mod stuck;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use leptos::config::get_configuration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub use self::error::{CommandError, sentence};
use crate::run::Portal;
use crate::server::config::{self, ConfigError, Environment, Options};
use crate::server::settings::Settings;
use crate::server::{operations, telemetry, visible};
use domain::kind::Kinds;

/// How a command ends.
type Exit = Result<ExitCode, CommandError>;

/// A self-service portal that brings AI stacks up on a Dokploy server. Without a subcommand
/// it serves the portal. A file .env in the working folder is read first.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    options: Options,
    /// Starts with an empty database: the old files are set aside, none is deleted. For one start
    /// only, and not with PostgreSQL
    #[arg(long)]
    new: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The time for which a broken portal still answers health checks before it exits.
const EXIT_DELAY: Duration = Duration::from_secs(2);

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks that the platform can be reached, accepts the key and is new enough, that the identity
    /// provider answers, that the portal could start with the database, and that the stacks were
    /// created under this portal's name
    Check(check::CheckOptions),
    /// Compares the database with the platform, and removes resources that appeared after their
    /// deployment had ended. Exits with 0 when there is no difference, with 2 when differences
    /// remain
    Reconcile(reconcile::ReconcileOptions),
    /// Lists what could not be removed, or retries the removal
    #[command(subcommand)]
    Stuck(stuck::StuckCommand),
    /// Prints the audit log, newest first: one JSON object per line
    Audit(audit::AuditOptions),
    /// Encrypts the stored secrets of stacks under another key
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// Writes a copy of the database to a new file, while the portal runs or not
    Backup(backup::CopyOptions),
    /// Replaces the database with such a copy; the old files are set aside; no portal may be
    /// running
    Restore(backup::CopyOptions),
    /// Runs the embedded Dokploy-compatible sandbox alone
    Sandbox(dokploy_sandbox::Options),
    /// Asks a running portal whether it is ready
    Healthcheck,
}

/// Runs the command that `arguments` name, with the variables of `environment`.
///
/// # Errors
///
/// Returns why the command could not start, or failed.
pub fn run(arguments: &[OsString], environment: &Environment) -> Result<ExitCode, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(CommandError::system("starting the runtime"))?;
    let raised = transport::raise_descriptor_limit();
    transport::keep_new_files_private();
    let survived = runtime.block_on(async { telemetry::survive_file_size_limit() });
    survived.map_err(CommandError::system("installing a signal handler"))?;
    let environment = &config::effective(environment)?;
    let cli: Cli = match config::parse(arguments, environment) {
        Ok(cli) => cli,
        Err(ConfigError::CommandLine(error)) => return answer(&error),
        Err(error) => return Err(error.into()),
    };
    if cli.new && cli.command.is_some() {
        return Err(CommandError::NewCommand);
    }
    if let Some(Command::Sandbox(options)) = cli.command {
        return runtime.block_on(sandbox::run(options));
    }
    let settings = cli.options.resolve(environment)?;
    match cli.command {
        Some(Command::Check(options)) => runtime.block_on(check::run(&options, &settings)),
        Some(Command::Reconcile(options)) => runtime.block_on(reconcile::run(&options, &settings)),
        Some(Command::Stuck(command)) => runtime.block_on(stuck::run(command, &settings.store)),
        Some(Command::Audit(options)) => runtime.block_on(audit::run(options, &settings.store)),
        Some(Command::Secrets(command)) => runtime.block_on(secrets::run(&command, &settings)),
        Some(Command::Backup(options)) => runtime.block_on(backup::back_up(&options, &settings)),
        Some(Command::Restore(options)) => runtime.block_on(backup::restore(&options, &settings)),
        Some(Command::Healthcheck) => runtime.block_on(healthcheck::run(settings.http.addr)),
        Some(Command::Sandbox(_)) | None => {
            let _guard = telemetry::init(&settings.log);
            if let Err(error) = raised {
                tracing::warn!(%error, "Could not raise the limit for open files");
            }
            runtime.block_on(async {
                if cli.new {
                    backup::begin_anew(&settings).await?;
                }
                serve(settings).await
            })
        }
    }
}

/// Writes help, the version or a usage error, and returns its exit code.
fn answer(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        let text = error.render();
        let text =
            if io::stderr().is_terminal() { text.ansi().to_string() } else { text.to_string() };
        telemetry::final_message(text.trim_end().to_owned());
    } else {
        let written = error.print().and_then(|()| io::stdout().flush());
        written.map_err(CommandError::system("writing to standard output"))?;
    }
    Ok(u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Writes a line to standard output. A terminal carries out nothing of it.
fn say(sentence: &str) -> Result<(), CommandError> {
    writeln!(io::stdout(), "{}", visible::escaped(sentence))
        .map_err(CommandError::system("writing to standard output"))
}

async fn serve(settings: Settings) -> Exit {
    let site = get_configuration(Some("Leptos.toml"))?.leptos_options;
    let shutdown = CancellationToken::new();
    let mut stop = StopSignals::listen()?;
    let (kinds, operations) = (Kinds::default(), operations::all());
    let mut portal = tokio::select! {
        started = Portal::start(settings, kinds, operations, site, shutdown.clone()) => started?,
        () = stop.asked() => return Ok(ExitCode::SUCCESS),
    };
    let broken = tokio::select! {
        () = stop.asked() => {
            tracing::info!("Stopping");
            None
        }
        part = portal.broken() => {
            // Gives a load balancer time to see that this portal is not ready.
            tokio::time::sleep(EXIT_DELAY).await;
            Some(part)
        }
        // A newer version has raised the schema generation.
        () = shutdown.cancelled() => None,
    };
    shutdown.cancel();
    portal.stopped().await;
    broken.map_or(Ok(ExitCode::SUCCESS), |part| Err(CommandError::Broken(part)))
}

/// The signals that stop a portal: SIGINT (Ctrl-C), SIGTERM, and SIGHUP (a closed terminal).
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` if the process was started to outlive its terminal, as `nohup` does.
    hang_up: Option<Signal>,
}

impl StopSignals {
    /// Installs the handlers. Call it before the portal reports that it listens: a signal may
    /// follow immediately.
    fn listen() -> Result<Self, CommandError> {
        let listen = |kind| signal(kind).map_err(CommandError::system("listening for signals"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: if transport::ignores_hang_up() {
                None
            } else {
                Some(listen(SignalKind::hangup())?)
            },
        })
    }

    /// Waits for one of the signals.
    async fn asked(&mut self) {
        let hung_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hung_up => {}
        }
    }
}
