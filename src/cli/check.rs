//! `check`: reports whether the platform and the database can be used, people can sign in, secrets
//! can be stored, and the stacks have the portal's name.

mod sign_in;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::task::spawn_blocking;
use transport::Outbound;

use super::{CommandError, Exit, StopSignals, say, sentence};
use crate::run::{self, NO_KEY, StartError};
use crate::server::auth::identity_provider::CALLBACK;
use crate::server::auth::oidc::Oidc;
use crate::server::catalogue::Offers;
use crate::server::catch_all;
use crate::server::platform::{self, PlatformError, PlatformOverview, Version};
use crate::server::settings::{
    AuthSettings, CatalogueSource, OidcSettings, PlatformSettings, Settings, StoreSettings,
};
use crate::server::sqlite_file::Found;
use clock::SystemClock;
use dokploy::Dokploy;

/// What to check.
#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// Signs you in at the identity provider, and prints what it says about you and whether you are
    /// an operator
    #[arg(long)]
    sign_in: bool,
}

/// Checks the platform, the identity provider, the database, the portal's key and its name, or a
/// sign-in. Fails if one of them cannot be used.
pub(super) async fn run(options: &CheckOptions, settings: &Settings) -> Exit {
    for warning in &settings.warnings {
        say(&format!("{warning}."))?;
    }
    let outbound = run::outbound(settings)?;
    if options.sign_in {
        let mut stop = StopSignals::listen()?;
        let verdict = tokio::select! {
            verdict = sign_in::run(settings, &outbound) => verdict?,
            () = stop.asked() => Err(String::from("The check was stopped before its end.")),
        };
        return conclude(&[verdict]);
    }
    run::check_environment(&settings.stack)?;
    for warning in settings.stack.warnings() {
        say(&format!("{warning}."))?;
    }
    let probe = run::probe(settings, &outbound).map_err(StartError::from)?;
    let (offers, catalogue) = catalogue(settings).await?;
    let paths = offers.health_paths();
    if let Some(warning) = catch_all::warning(&probe, &settings.stack, &paths, rand::random()).await
    {
        say(&format!("{warning}."))?;
    }
    let platform = platform(settings, &outbound).await?;
    let provider = provider(settings, &outbound).await?;
    let database = database(&settings.store).await;
    let others = [platform, provider, database, key(settings), name(settings).await];
    conclude(&catalogue.into_iter().chain(others).collect::<Vec<_>>())
}

/// Prints the verdicts. The exit code says whether all are good.
fn conclude(verdicts: &[Result<String, String>]) -> Exit {
    for verdict in verdicts {
        let (Ok(sentence) | Err(sentence)) = verdict;
        say(sentence)?;
    }
    let all_passed = verdicts.iter().all(Result::is_ok);
    Ok(if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the templates, and prints what is wrong with them. If there is a folder of them, returns a
/// sentence as well, which says whether they can be used: `Ok` if they can, `Err` if not.
async fn catalogue(
    settings: &Settings,
) -> Result<(Offers, Option<Result<String, String>>), CommandError> {
    let used = match run::open_unmigrated(&settings.store).await {
        Ok(store) => {
            // An older version knows no templates.
            let used = store.used_templates().await.unwrap_or_default();
            store.close().await;
            used
        }
        Err(_) => Vec::new(),
    };
    let (source, stack) = (settings.catalogue.clone(), settings.stack.clone());
    let reading = spawn_blocking(move || Offers::read(source, &stack, used)).await;
    let (offers, faults) =
        reading.map_err(io::Error::other).map_err(CommandError::system("reading the catalogue"))?;
    if settings.catalogue == CatalogueSource::Settings {
        return Ok((offers, None));
    }
    for fault in &faults {
        say(&fault.to_string())?;
    }
    let current = offers.current();
    let ids: Vec<_> = current.iter().map(|entry| entry.template.id.as_str()).collect();
    let verdict = match (faults.iter().filter(|fault| fault.is_error()).count(), &*ids) {
        (0, []) => Err(String::from(
            "There is no template: make a folder for one in that of CATALOGUE, such as \
             notes/template.toml.",
        )),
        (0, ids) => Ok(format!("The templates can be used: {}.", ids.join(", "))),
        (1, _) => Err(String::from("The templates have 1 fault: mend it.")),
        (errors, _) => Err(format!("The templates have {errors} faults: mend them.")),
    };
    Ok((offers, Some(verdict)))
}

/// Returns a sentence that says whether the platform can be used: `Ok` if it can, `Err` if not.
async fn platform(
    settings: &Settings,
    outbound: &Outbound,
) -> Result<Result<String, String>, StartError> {
    let PlatformSettings::Dokploy { url, token } = &settings.platform else {
        let sentence = "No DOKPLOY_URL is set: the portal would run with its embedded sandbox.";
        return Ok(Ok(sentence.to_owned()));
    };
    let config = platform::dokploy::config(url.clone(), token.clone(), outbound.clone());
    let platform = Dokploy::new(config, Arc::new(SystemClock))?;
    Ok(verdict(&platform, url).await)
}

/// Returns a sentence that says whether the portal could start with the database: `Ok` if it could,
/// `Err` if not.
async fn database(store: &StoreSettings) -> Result<String, String> {
    let found = run::check_database(store).await;
    let found = found.map_err(|error| format!("{}.", sentence(&error)))?;
    Ok(match (found, store) {
        (Found::Nothing, StoreSettings::Sqlite { path }) => {
            format!("There is no database yet: the first start makes {}.", path.display())
        }
        (Found::Database, StoreSettings::Sqlite { path }) => {
            format!("The database {} can be used.", path.display())
        }
        (Found::Nothing | Found::Database, StoreSettings::Postgres { .. }) => {
            String::from("The PostgreSQL database can be used.")
        }
    })
}

/// Returns a sentence that says whether the secrets of stacks can be stored: `Ok` if they can,
/// `Err` if not.
fn key(settings: &Settings) -> Result<String, String> {
    let keys = run::known_keys(settings).map_err(|error| format!("{error}."))?;
    match (keys, &settings.store) {
        (Some(keys), _) => Ok(format!(
            "The secrets of stacks are stored under the portal's key {}.",
            keys.sealing_id()
        )),
        (None, StoreSettings::Sqlite { .. }) => Ok(String::from(
            "The portal has no key yet: its first start makes one beside the database.",
        )),
        (None, StoreSettings::Postgres { .. }) if settings.stack.has_secrets() => {
            Err(format!("{NO_KEY}."))
        }
        (None, StoreSettings::Postgres { .. }) => Ok(String::from(
            "PORTAL_SECRET_KEY is not set, and no stack has secrets that would need it.",
        )),
    }
}

/// Returns a sentence that says whether the stacks in the database have the portal's name: `Ok` if
/// they have, or the database cannot be read yet, `Err` if not.
async fn name(settings: &Settings) -> Result<String, String> {
    let name = &settings.stack.portal_name;
    if let Ok(store) = run::open_unmigrated(&settings.store).await {
        let checked = run::check_portal_name(&*store, name).await;
        store.close().await;
        checked.map_err(|error| format!("{error}."))?;
    }
    Ok(format!("No stack is known that was created under another PORTAL_NAME than {name}."))
}

/// Returns a sentence that says whether people can sign in: `Ok` if they can, `Err` if not.
async fn provider(
    settings: &Settings,
    outbound: &Outbound,
) -> Result<Result<String, String>, StartError> {
    let AuthSettings::Oidc(oidc) = &settings.auth else {
        let sentence = "AUTH is open: anyone who can reach the portal can start stacks.";
        return Ok(Ok(sentence.to_owned()));
    };
    let issuer = &oidc.issuer;
    let redirects: Vec<_> = settings.http.origins().map(|at| format!("{at}{CALLBACK}")).collect();
    let redirects = redirects.join(" and ");
    let provider = Oidc::new(OidcSettings::clone(oidc), outbound, Arc::new(SystemClock))?;
    Ok(match provider.check().await {
        Ok(()) => Ok(format!(
            "The identity provider {issuer} answers. The redirect URI to register there is \
             {redirects}."
        )),
        Err(error) => Err(format!("Nobody can sign in at {issuer}: {error}. Check OIDC_ISSUER.")),
    })
}

/// The number of calls that `check` makes. Dokploy's default limit of ten requests a day counts
/// each request twice; eleven calls also detect a limit that was raised only a little.
const CALLS: usize = 11;

/// Returns the sentence about a key that Dokploy rejects, after it accepted the key for `answered`
/// calls.
fn key_refused(answered: usize) -> String {
    let then = match answered {
        0 => String::from(
            "Dokploy rejected the key. Check DOKPLOY_API_TOKEN. Dokploy also rejects a key whose \
             rate limit is used up.",
        ),
        _ => format!(
            "Dokploy accepted the key for {answered} of {CALLS} calls and then rejected it: the \
             key has a rate limit, with which the portal cannot work, or it is not an owner's key."
        ),
    };
    format!("{then} See the README, section \"An API key without rate limit\".")
}

async fn verdict(platform: &dyn PlatformOverview, url: &str) -> Result<String, String> {
    platform.check_health().await.map_err(|error| {
        format!("Dokploy at {url} does not answer as expected: {error}. Check DOKPLOY_URL.")
    })?;
    let failed = |answered, what: &str, error| match error {
        PlatformError::KeyRefused { .. } => key_refused(answered),
        error => format!("{what}: {error}."),
    };
    let version = platform.version().await;
    let version = version.map_err(|error| failed(0, "Could not read Dokploy's version", error))?;
    if !version.is_supported {
        let Version { text, oldest, .. } = version;
        return Err(format!("Dokploy {text} is too old: {oldest} or newer is needed."));
    }
    let owners = "The portal needs an owner's key to list projects and domains";
    let projects = platform.projects().await.map_err(|error| failed(1, owners, error))?;
    let hosts = platform.hosts().await.map_err(|error| failed(2, owners, error))?;
    for answered in 3..CALLS {
        let again = platform.version().await;
        again.map_err(|error| failed(answered, "Could not read Dokploy's version again", error))?;
    }
    Ok(format!(
        "Dokploy {} at {url} answers and accepts the key, {CALLS} times in a row: the key does not \
         have Dokploy's default rate limit. There are {} projects and {} domains.",
        version.text,
        projects.len(),
        hosts.len()
    ))
}
