//! The server binary.

use std::{io::Write, process::ExitCode};

use ai_stack_deployer::server::cli;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let result = read_env_file().and_then(|()| {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        cli::run(&arguments, &std::env::vars_os().filter_map(utf8).collect())
    });
    result.unwrap_or_else(|error| {
        // Standard error is all there is: when it is gone, too, nobody is left to tell.
        let _ignored = writeln!(std::io::stderr(), "ai-stack-deployer: {error:#}");
        ExitCode::FAILURE
    })
}

fn read_env_file() -> anyhow::Result<()> {
    match dotenvy::dotenv() {
        Ok(_) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(error) => Err(anyhow::anyhow!("the file .env cannot be read: {error}")),
    }
}
