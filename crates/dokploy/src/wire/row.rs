//! The fields of the answer of `application.one`.

use std::str::FromStr;

use secrecy::SecretString;
use serde::Deserialize;

use super::volumes::MountRow;
use crate::environment::decode_environment;
use crate::{ApplicationRow, Registry, RowDomain};

/// The answer of `application.one` (recordings 171, 212, day-two 344).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WholeApplication {
    docker_image: Option<String>,
    username: Option<String>,
    password: Option<SecretString>,
    registry_url: Option<String>,
    env: Option<SecretString>,
    /// The platform's column is never null (recording 33).
    replicas: u64,
    cpu_limit: Option<String>,
    memory_limit: Option<String>,
    command: Option<String>,
    args: Option<Vec<String>>,
    health_check_swarm: Option<HealthCheckFields>,
    domains: Vec<DomainFields>,
    mounts: Vec<MountRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HealthCheckFields {
    test: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct DomainFields {
    host: String,
    port: Option<u16>,
}

impl From<WholeApplication> for ApplicationRow {
    fn from(answer: WholeApplication) -> Self {
        let login = answer.username.filter(|user| !user.is_empty()).zip(answer.password);
        let url = answer.registry_url.filter(|url| !url.is_empty());
        let domain = |DomainFields { host, port }: DomainFields| RowDomain { host, port };
        Self {
            image: answer.docker_image.filter(|image| !image.is_empty()),
            registry: login.map(|(user, password)| Registry { url, user, password }),
            environment: decode_environment(&answer.env.unwrap_or_default()),
            replicas: answer.replicas,
            cpu_nanos: answer.cpu_limit.as_deref().and_then(leading_number),
            memory_bytes: answer.memory_limit.as_deref().and_then(leading_number),
            has_command: answer.command.is_some_and(|command| !command.trim().is_empty()),
            args: answer.args.unwrap_or_default(),
            health_check: answer.health_check_swarm.and_then(|check| check.test),
            domains: answer.domains.into_iter().map(domain).collect(),
            mounts: answer.mounts.into_iter().map(Into::into).collect(),
        }
    }
}

/// Reads a limit as the platform does, which ignores a unit (recording 112).
fn leading_number<T: FromStr>(text: &str) -> Option<T> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}
