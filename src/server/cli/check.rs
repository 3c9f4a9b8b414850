//! `check`: tells in plain sentences whether the platform can be driven.

use std::{process::ExitCode, sync::Arc};

use super::{CommandError, say};
use crate::server::{
    dokploy::{Dokploy, DokployConfig},
    ports::{
        clock::SystemClock,
        platform::{Platform, PlatformError, Version},
    },
    run::{self, StartError},
    settings::{PlatformSettings, Settings},
};

/// Checks the platform that `settings` name.
pub(super) async fn run(settings: &Settings) -> Result<ExitCode, CommandError> {
    run::check_environment(&settings.stack)?;
    let PlatformSettings::Dokploy { url, token } = &settings.platform else {
        say("No DOKPLOY_URL is set: the portal would run with its embedded sandbox.")?;
        return Ok(ExitCode::SUCCESS);
    };
    let config = DokployConfig::new(url.clone(), token.clone());
    let platform = Dokploy::new(config, Arc::new(SystemClock)).map_err(StartError::from)?;
    match verdict(&platform, url).await {
        Ok(sentence) => {
            say(&sentence)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(sentence) => {
            say(&sentence)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn verdict(platform: &dyn Platform, url: &str) -> Result<String, String> {
    platform.check_health().await.map_err(|error| {
        format!("Dokploy at {url} does not answer as it should: {error}. Check DOKPLOY_URL.")
    })?;
    let version = platform.version().await.map_err(|error| match error {
        PlatformError::KeyRefused { .. } => String::from(
            "Dokploy refused the key. Check DOKPLOY_API_TOKEN; a key made with a rate limit is \
             refused, too, once it is used up.",
        ),
        error => format!("Dokploy did not tell its version: {error}."),
    })?;
    if !version.is_supported {
        let Version { text, oldest, .. } = version;
        return Err(format!("Dokploy {text} is too old: {oldest} or newer is needed."));
    }
    let projects = platform.projects().await.map_err(|error| {
        format!("The key does not let the portal list projects: {error}. Use an owner's key.")
    })?;
    let hosts = platform.hosts().await.map_err(|error| {
        format!("The key does not let the portal list domains: {error}. Use an owner's key.")
    })?;
    Ok(format!(
        "Dokploy {} at {url} answers and takes the key. It has {} projects and {} domains.",
        version.text,
        projects.len(),
        hosts.len()
    ))
}
