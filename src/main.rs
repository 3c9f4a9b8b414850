//! The server binary.

use std::process::ExitCode;

use ai_stack_deployer::cli;
use ai_stack_deployer::server::telemetry;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let result = read_env_file().and_then(|()| {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Ok(cli::run(&arguments, &std::env::vars_os().filter_map(utf8).collect())?)
    });
    result.unwrap_or_else(|error| {
        telemetry::final_message(format!("ai-stack-deployer: {}", cli::sentence(error.as_ref())));
        ExitCode::FAILURE
    })
}

fn read_env_file() -> anyhow::Result<()> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        // The line itself may hold a secret.
        Err(dotenvy::Error::LineParse(..)) => {
            Err(anyhow::anyhow!("the file .env has a line that cannot be read: write NAME='value'"))
        }
        Err(error) => Err(anyhow::anyhow!("the file .env cannot be read: {error}")),
    }
}
