//! The configuration: parses command line and environment into typed settings.
//!
//! Every setting is an environment variable, and an option of the same name, which takes
//! precedence. The environment is passed in, so that tests do not need to change the process's own.
//! It reads no files but those of secrets.

mod auth;
mod build;
mod environment;
mod limits;
mod options;
mod outbound;
mod parse;
mod traces;

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, FromArgMatches};

pub use environment::effective;
pub use options::Options;

/// The variables of an environment, by name.
pub type Environment = BTreeMap<String, String>;

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A setting is invalid, missing or in conflict with another.
    #[error("{variable} {problem}.")]
    Setting {
        /// The variable, such as `PORT`.
        variable: String,
        /// The problem and the remedy, as the rest of a sentence.
        problem: String,
    },
    /// The command line is invalid, or requests help.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
}

impl ConfigError {
    fn setting(variable: &str, problem: impl Into<String>) -> Self {
        Self::Setting { variable: variable.to_owned(), problem: problem.into() }
    }
}

/// Parses `arguments`, which begin with the program's name, and the variables in `environment`, which
/// are the [`effective`] ones. An empty variable counts as not set.
///
/// # Errors
///
/// Returns which option or variable is invalid, or the help that was requested.
pub fn parse<Cli: CommandFactory + FromArgMatches>(
    arguments: &[OsString],
    environment: &Environment,
) -> Result<Cli, ConfigError> {
    let command = Cli::command();
    let (program, rest) = arguments.split_at(arguments.len().min(1));
    environment::check_arguments(&command, rest)?;
    let options = from_environment(&command, environment);
    let rest = with_options_of_subcommand(&command, environment, rest);
    let all = program.iter().cloned().chain(options).chain(rest);
    // Use the environment that was passed in, not the process's own.
    let purify =
        |command: Command| command.mut_args(|arg| arg.env(None::<&str>)).args_override_self(true);
    let pure = purify(command.clone().mut_subcommands(purify));
    let matches = match pure.try_get_matches_from(all) {
        Ok(matches) => matches,
        Err(error) => return Err(explain(error, &command, arguments)),
    };
    Ok(Cli::from_arg_matches(&matches)?)
}

fn from_environment(command: &Command, environment: &Environment) -> Vec<OsString> {
    let given = |arg: &clap::Arg| {
        let value = environment.get(arg.get_env()?.to_str()?)?;
        let option = format!("--{}={value}", arg.get_long()?);
        (!value.trim().is_empty()).then(|| OsString::from(option))
    };
    command.get_arguments().filter_map(given).collect()
}

/// Returns `arguments` with the options of their subcommand that are variables, behind its name.
fn with_options_of_subcommand(
    command: &Command,
    environment: &Environment,
    arguments: &[OsString],
) -> Vec<OsString> {
    // The value of an option may be the name of a subcommand.
    let is_value = |before: &OsString| {
        before.to_str().is_some_and(|before| before.starts_with("--") && !before.contains('='))
    };
    let mut all = Vec::new();
    for argument in arguments {
        let is_name = !all.last().is_some_and(is_value);
        let subcommand = argument.to_str().filter(|_| is_name);
        let subcommand = subcommand.and_then(|name| command.find_subcommand(name));
        all.push(argument.clone());
        if let Some(subcommand) = subcommand {
            all.extend(from_environment(subcommand, environment));
        }
    }
    all
}

/// Converts the parser's error about a value into a sentence that names the variable. Help is
/// rendered by the original command, which shows the variables.
fn explain(error: clap::Error, command: &Command, arguments: &[OsString]) -> ConfigError {
    use clap::error::{ContextKind, ContextValue};
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let help = command.clone().try_get_matches_from(arguments).err();
        return ConfigError::CommandLine(help.unwrap_or(error));
    }
    let option = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => text.split(' ').next(),
        _ => None,
    };
    let named = |arg: &&clap::Arg| {
        arg.get_long().is_some_and(|long| option.and_then(|o| o.strip_prefix("--")) == Some(long))
    };
    let variable = command.get_arguments().find(named).and_then(|arg| arg.get_env());
    let problem = std::error::Error::source(&error);
    match (variable.and_then(|name| name.to_str()), problem) {
        (Some(variable), Some(problem)) => ConfigError::setting(variable, problem.to_string()),
        _ => ConfigError::CommandLine(error),
    }
}

#[cfg(test)]
mod tests;
