//! The variables that count: the contents of secrets' files beside the values of the environment.
//!
//! A value in quotes, which `docker run --env-file` keeps, is refused here for every setting. A name
//! that nobody reads, but that looks like a setting, gets a warning.

use std::any::TypeId;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;

use clap::{Arg, Args as _, Command};
use secrecy::SecretString;
use transport::ProxyAddress;

use super::outbound::AnyProxy;
use super::traces::{self, Headers};
use super::{ConfigError, Environment, Options};
use crate::server::secrets::Keyring;
use crate::server::settings::StoreSettings;

/// The prefix of the variables of a stack's own environment.
pub(super) const STACK_ENV: &str = "STACK_ENV_";
/// The prefix of the variables that name a file with the value of such a variable. The form of the
/// other secrets would be ambiguous: containers have variables that end with `_FILE`.
const STACK_FILE: &str = "STACK_FILE_";
/// The largest size of a secret's file, in bytes.
const LARGEST_FILE: u64 = 64 * 1024;
/// The variables that other programs know in lower case as well.
const PROXIES: [&str; 4] = ["ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
/// The variable that the command `sandbox` reads.
const OF_SANDBOX: &str = "SANDBOX_API_KEY";
/// The beginnings of names that no other program is likely to use.
const PREFIXES: [&str; 11] = [
    "AUDIT_", "CONNECTIONS_", "DEPLOYMENTS_", "DOKPLOY_", "OIDC_", "PORTAL_", "SANDBOX_",
    "STACKS_", "STACK_", "STREAMS_", "TRUSTED_",
];

/// Returns the variables with the contents of the files that they name. A file is taken as it is,
/// without the line break at its end.
///
/// # Errors
///
/// Returns the first variable with a value in quotes, or whose file cannot be used.
pub fn effective(given: &Environment) -> Result<Environment, ConfigError> {
    let mut environment = given.clone();
    for name in PROXIES {
        if let (None, Some(value)) = (set(given, name), set(given, &name.to_ascii_lowercase())) {
            environment.insert(name.to_owned(), value.to_owned());
        }
    }
    let known = Known::new();
    for (name, value) in environment.iter().filter(|(name, _)| known.has(name)) {
        check_quotes(&known, name, value)?;
    }
    for (variable, secret) in known.files(given) {
        let Some(path) = set(given, &variable) else { continue };
        if set(&environment, &secret).is_some() {
            let problem =
                format!("is set, and so is {secret}: remove one of the two, or set it to nothing");
            return Err(ConfigError::setting(&variable, problem));
        }
        environment.insert(secret, read(&variable, path)?);
    }
    Ok(environment)
}

/// Returns a warning for each variable that looks like a setting, but is none, or that is one of
/// OpenTelemetry without effect.
pub(super) fn warnings(environment: &Environment) -> Vec<String> {
    let known = Known::new();
    let unknown = environment.iter().filter(|(name, value)| {
        !known.has(name) && !is_of_kubernetes(name, value) && !PROXIES.contains(&&*upper(name))
    });
    let is_disabled =
        set(environment, "OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let warning = |(name, value): (&String, &String)| {
        let is_ours = PREFIXES.iter().any(|prefix| upper(name).starts_with(prefix));
        let similar = || known.most_similar(name).filter(|_| is_ours);
        let Some(nearest) = known.misspelt(name).or_else(similar) else {
            return traces::warning(name, value).filter(|_| !is_disabled);
        };
        Some(format!(
            "{name} is not a setting of the portal and has no effect: the setting with the nearest \
             name is {nearest}"
        ))
    };
    unknown.filter_map(warning).collect()
}

/// The names of all settings.
struct Known {
    names: Vec<String>,
    secrets: Vec<String>,
}

impl Known {
    fn new() -> Self {
        let command = Options::augment_args(Command::new("portal"));
        let name = |arg: &Arg| Some(arg.get_env()?.to_str()?.to_owned());
        let secrets = command.get_arguments().filter(|arg| is_secret(arg)).filter_map(name);
        let secrets: Vec<_> = secrets.chain([OF_SANDBOX.to_owned()]).collect();
        let files = secrets.iter().map(|secret| format!("{secret}_FILE"));
        let names = command.get_arguments().filter_map(name).chain(files);
        Self { names: names.chain([OF_SANDBOX.to_owned()]).collect(), secrets }
    }

    fn has(&self, name: &str) -> bool {
        let is_of_stack = [STACK_ENV, STACK_FILE].iter().any(|prefix| name.starts_with(prefix));
        is_of_stack || self.names.iter().any(|known| known == name)
    }

    /// Returns each variable that names a file, with the variable whose value the file holds.
    fn files(&self, given: &Environment) -> Vec<(String, String)> {
        let secrets = self.secrets.iter().map(|secret| (format!("{secret}_FILE"), secret.clone()));
        let of_stack = given.keys().filter_map(|variable| {
            let name = variable.strip_prefix(STACK_FILE)?;
            Some((variable.clone(), format!("{STACK_ENV}{name}")))
        });
        secrets.chain(of_stack).collect()
    }

    /// Returns the variable that can name a file with the value of `name`, if there is one.
    fn file_of(&self, name: &str) -> Option<String> {
        let of_stack = name.strip_prefix(STACK_ENV).map(|rest| format!("{STACK_FILE}{rest}"));
        let is_secret = self.secrets.iter().any(|secret| secret == name);
        of_stack.or_else(|| is_secret.then(|| format!("{name}_FILE")))
    }

    /// Returns the setting of which `name` is a misspelling, if it is one.
    fn misspelt(&self, name: &str) -> Option<&str> {
        let name = plain(name);
        // A short name is soon like another one that has nothing to do with it.
        let most = match name.len() {
            ..6 => 0,
            6..10 => 1,
            10.. => 2,
        };
        let distance = |known: &String| strsim::osa_distance(&plain(known), &name);
        let distances = self.names.iter().map(|known| (known.as_str(), distance(known)));
        let nearest = distances.min_by_key(|(_, distance)| *distance);
        nearest.filter(|(_, distance)| *distance <= most).map(|(known, _)| known)
    }

    /// Returns the setting with the most similar name, which may be longer by a word.
    fn most_similar(&self, name: &str) -> Option<&str> {
        let name = plain(name);
        let similarity = |known: &String| strsim::sorensen_dice(&plain(known), &name);
        let similarities = self.names.iter().map(|known| (known.as_str(), similarity(known)));
        similarities.max_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(known, _)| known)
    }
}

/// Returns whether an option holds a secret, which its type says.
fn is_secret(arg: &Arg) -> bool {
    let of = arg.get_value_parser().type_id();
    [
        TypeId::of::<SecretString>(),
        TypeId::of::<Keyring>(),
        // An address may contain a password.
        TypeId::of::<StoreSettings>(),
        TypeId::of::<ProxyAddress>(),
        TypeId::of::<AnyProxy>(),
        TypeId::of::<Headers>(),
    ]
    .iter()
    .any(|secret| of == *secret)
}

/// Checks that no value on the command line is in quotes, which a shell would have removed.
///
/// # Errors
///
/// Returns the first option with such a value.
pub(super) fn check_arguments(command: &Command, given: &[OsString]) -> Result<(), ConfigError> {
    let options = command.get_arguments().filter(|arg| arg.get_action().takes_values());
    let options: Vec<_> = options.collect();
    let is_option = |name: &str| options.iter().any(|arg| arg.get_long() == Some(name));
    let mut given = given.iter().filter_map(|argument| argument.to_str());
    while let Some(argument) = given.next() {
        let Some(option) = argument.strip_prefix("--") else { continue };
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option, None),
        };
        if !is_option(name) {
            continue;
        }
        if value.or_else(|| given.next()).is_some_and(is_in_quotes) {
            let problem = "has a value that begins and ends with a quote: remove both quotes, which \
                           would be a part of the value";
            return Err(ConfigError::setting(&format!("--{name}"), problem));
        }
    }
    Ok(())
}

fn is_in_quotes(value: &str) -> bool {
    let value = value.trim();
    let is_within = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    is_within('"') || is_within('\'')
}

fn check_quotes(known: &Known, name: &str, value: &str) -> Result<(), ConfigError> {
    if !is_in_quotes(value) {
        return Ok(());
    }
    let otherwise = known.file_of(name).map_or_else(String::new, |file| {
        format!("; if they belong to the value, put it into a file and set {file} to its path")
    });
    let problem = format!(
        "begins and ends with a quote: remove both quotes, which `docker run --env-file` and \
         similar programs keep as a part of the value{otherwise}"
    );
    Err(ConfigError::setting(name, problem))
}

/// Reads the file of a secret.
fn read(variable: &str, path: &str) -> Result<String, ConfigError> {
    let failed = |problem: String| ConfigError::setting(variable, problem);
    let mut bytes = Vec::new();
    let file =
        File::open(path).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes));
    file.map_err(|error| {
        failed(format!(
            "names the file {path}, which cannot be read ({error}): put the value there, and make \
             the file readable for the portal's user"
        ))
    })?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= LARGEST_FILE);
    let text = text.ok_or_else(|| {
        failed(format!(
            "names the file {path}, which is not a text of at most {LARGEST_FILE} bytes: put only \
             the value there"
        ))
    })?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.trim().is_empty() {
        return Err(failed(format!("names the file {path}, which is empty: put the value there")));
    }
    Ok(value.to_owned())
}

/// Returns the value of a variable, unless it is empty, which counts as not set.
fn set<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    environment.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
}

/// Returns whether Kubernetes has set the variable, for a service with a name like `portal`.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    let is_of_port = name.contains("_PORT_") && ["_TCP", "_UDP"].iter().any(|of| name.contains(of));
    is_of_port || name.contains("_SERVICE_") || value.starts_with("tcp://")
}

fn upper(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// Returns the letters and digits of a name, whose separators and case people mix up.
fn plain(name: &str) -> String {
    upper(name).chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests;
