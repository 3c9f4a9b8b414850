//! `check`: tells in plain sentences whether the platform can be driven, and people sign in.

use std::{process::ExitCode, sync::Arc};

use super::{CommandError, say};
use crate::server::{
    auth::{identity_provider::CALLBACK, oidc::Oidc},
    catch_all,
    platform::{self, Platform, PlatformError, Version},
    run::{self, NO_KEY, StartError},
    settings::{AuthSettings, PlatformSettings, Settings, StoreSettings},
};
use clock::SystemClock;
use dokploy::Dokploy;

/// Checks the platform that `settings` name, and the identity provider.
pub(super) async fn run(settings: &Settings) -> Result<ExitCode, CommandError> {
    run::check_environment(&settings.stack)?;
    for warning in settings.stack.warnings() {
        say(&format!("{warning}."))?;
    }
    let probe = run::probe(settings).map_err(StartError::from)?;
    if let Some(warning) = catch_all::warning(&probe, &settings.stack, rand::random()).await {
        say(&format!("{warning}."))?;
    }
    let verdicts = [platform(settings).await?, provider(settings).await?, key(settings)?];
    for verdict in &verdicts {
        let (Ok(sentence) | Err(sentence)) = verdict;
        say(sentence)?;
    }
    let is_well = verdicts.iter().all(Result::is_ok);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tells whether the platform can be driven, in a sentence either way.
async fn platform(settings: &Settings) -> Result<Result<String, String>, StartError> {
    let PlatformSettings::Dokploy { url, token } = &settings.platform else {
        let sentence = "No DOKPLOY_URL is set: the portal would run with its embedded sandbox.";
        return Ok(Ok(sentence.to_owned()));
    };
    let config = platform::dokploy::config(url.clone(), token.clone());
    let platform = Dokploy::new(config, Arc::new(SystemClock))?;
    Ok(verdict(&platform, url).await)
}

/// Tells whether the secrets of stacks can be stored, in a sentence either way.
fn key(settings: &Settings) -> Result<Result<String, String>, StartError> {
    Ok(match (run::known_keys(settings)?, &settings.store) {
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
    })
}

/// Tells whether people can sign in, in a sentence either way.
async fn provider(settings: &Settings) -> Result<Result<String, String>, StartError> {
    let AuthSettings::Oidc(oidc) = &settings.auth else {
        let sentence = "AUTH is open: anyone who can reach the portal can start stacks.";
        return Ok(Ok(sentence.to_owned()));
    };
    let issuer = &oidc.issuer;
    let public_url = &settings.http.public_url;
    let provider = Oidc::new(oidc.clone(), public_url, Arc::new(SystemClock))?;
    Ok(match provider.check().await {
        Ok(()) => Ok(format!(
            "The identity provider {issuer} answers. The redirect URI to register there is \
             {public_url}{CALLBACK}."
        )),
        Err(error) => Err(format!("Nobody can sign in at {issuer}: {error}. Check OIDC_ISSUER.")),
    })
}

/// How many calls the key has to allow: Dokploy's default limit of ten a day counts each request
/// twice, and whoever raised it a little finds that out, too.
const CALLS: usize = 11;

/// Says that the key is refused although Dokploy is well, after `answered` calls that were not.
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

async fn verdict(platform: &dyn Platform, url: &str) -> Result<String, String> {
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
