//! `check`: tells in plain sentences whether the platform can be driven.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use super::CommandError;
use crate::server::{
    dokploy::{Dokploy, DokployConfig},
    ports::{
        clock::SystemClock,
        platform::{Platform, PlatformError},
    },
    run::{self, StartError},
    settings::{PlatformSettings, Settings},
};

/// The oldest Dokploy that tells which hosts are taken.
const OLDEST: (u32, u32) = (0, 30);

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
    match number(&version) {
        Some(found) if found >= OLDEST => {}
        Some(_) | None => {
            let (major, minor) = OLDEST;
            return Err(format!(
                "Dokploy {version} is too old: v{major}.{minor} or newer is needed."
            ));
        }
    }
    let projects = platform.projects().await.map_err(|error| {
        format!("The key does not let the portal list projects: {error}. Use an owner's key.")
    })?;
    let hosts = platform.hosts().await.map_err(|error| {
        format!("The key does not let the portal list domains: {error}. Use an owner's key.")
    })?;
    Ok(format!(
        "Dokploy {version} at {url} answers and takes the key. It has {} projects and {} domains.",
        projects.len(),
        hosts.len()
    ))
}

/// Reads the first two numbers of a version such as `v0.30.2`.
fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    let mut next = || parts.next()?.parse().ok();
    Some((next()?, next()?))
}

fn say(sentence: &str) -> Result<(), CommandError> {
    writeln!(io::stdout(), "{sentence}").map_err(CommandError::system("writing to standard output"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compared_by_its_numbers() {
        assert_eq!(number("v0.30.2"), Some((0, 30)));
        assert!(number("v1.0.0-rc1") >= Some(OLDEST));
        assert!(number("v0.9.9") < Some(OLDEST));
        assert_eq!(number("canary"), None);
    }
}
