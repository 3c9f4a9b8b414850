//! The call that configures an application.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::answer::Discretion;
use crate::client::{Call, Dokploy};
use crate::environment::encode_environment;
use crate::exchange::Content;
use crate::{Application, ApplicationId, Configuration, Error, HealthCheck, ServiceSettings};

const CALL: &str = "application.update";

#[expect(clippy::missing_errors_doc, reason = "each fails as `Error` says")]
impl Dokploy {
    /// Sets image, registry, environment, labels and limits in one call. Idempotent.
    pub async fn configure_application(
        &self,
        id: &ApplicationId,
        configuration: &Configuration,
    ) -> Result<(), Error> {
        self.update_application(configuration_fields(id, configuration)?).await
    }

    /// Sets the same, and how the swarm runs the container, in one call. Idempotent: a setting that
    /// is absent is removed from the application.
    pub async fn configure_service(
        &self,
        id: &ApplicationId,
        configuration: &Configuration,
        settings: &ServiceSettings,
    ) -> Result<(), Error> {
        let mut fields = configuration_fields(id, configuration)?;
        fields.extend(settings_fields(settings));
        self.update_application(fields).await
    }

    /// Sets how many containers an application should have (recording day-two 341). Nothing happens
    /// before the next [`Self::reload`]. Idempotent.
    pub async fn set_replicas(&self, id: &ApplicationId, replicas: u32) -> Result<(), Error> {
        let Value::Object(fields) = json!({ "applicationId": id, "replicas": replicas }) else {
            return Ok(());
        };
        self.update_application(fields).await
    }

    /// Applies an application's row to its service (recordings day-two 8, 342): its image without a
    /// pull, its environment, limits and number of containers. It always replaces the container.
    pub async fn reload(&self, application: &Application) -> Result<(), Error> {
        let body = json!({ "applicationId": application.id, "appName": application.app_name });
        self.change::<IgnoredAny>("application.reload", body).await.map(drop)
    }

    async fn update_application(&self, fields: Map<String, Value>) -> Result<(), Error> {
        let content = Content::Mutation(Value::Object(fields));
        let request = Call { discretion: Discretion::Confidential, ..self.request(CALL, content) };
        self.call::<IgnoredAny>(request).await?;
        Ok(())
    }
}

/// Returns the fields of the call that configures an application (recording 224).
///
/// # Errors
/// Returns [`Error::Refused`] if the platform would not pass a variable on unchanged.
fn configuration_fields(
    id: &ApplicationId,
    configuration: &Configuration,
) -> Result<Map<String, Value>, Error> {
    let environment = encode_environment(&configuration.environment)
        .map_err(|error| Error::Refused { call: CALL, status: 400, detail: error.to_string() })?;
    let registry = configuration.registry.as_ref();
    Ok(fields([
        ("applicationId", json!(id)),
        ("sourceType", json!("docker")),
        ("dockerImage", json!(configuration.image)),
        ("username", json!(registry.map(|registry| &registry.user))),
        ("password", json!(registry.map(|registry| registry.password.expose_secret()))),
        ("registryUrl", json!(registry.and_then(|registry| registry.url.as_ref()))),
        ("env", json!(environment)),
        ("createEnvFile", json!(false)),
        // These become labels of the container, not of the service (recording day-two 370).
        ("labelsSwarm", json!(configuration.labels.iter().cloned().collect::<BTreeMap<_, _>>())),
        // Limits must be strings: the platform rejects numbers (recording 54).
        ("memoryLimit", json!(configuration.memory_bytes.map(|bytes| bytes.to_string()))),
        ("cpuLimit", json!(configuration.cpu_nanos.map(|nanos| nanos.to_string()))),
        ("replicas", json!(1)),
        ("autoDeploy", json!(false)),
    ]))
}

/// Returns the fields of how the swarm runs the container. Null removes what an earlier call set.
fn settings_fields(settings: &ServiceSettings) -> Map<String, Value> {
    let ServiceSettings { args, health_check, constraints } = settings;
    let unless_empty =
        |list: &[String], value: Value| if list.is_empty() { Value::Null } else { value };
    fields([
        ("args", unless_empty(args, json!(args))),
        ("healthCheckSwarm", json!(health_check.as_ref().map(health_check_fields))),
        ("placementSwarm", unless_empty(constraints, json!({ "Constraints": constraints }))),
    ])
}

/// Returns a health check as Docker writes it, with durations in nanoseconds (recordings 55, day-two
/// 65).
fn health_check_fields(check: &HealthCheck) -> Value {
    let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).ok();
    json!({
        "Test": check.test,
        "Interval": nanoseconds(check.interval),
        "Timeout": nanoseconds(check.timeout),
        "StartPeriod": nanoseconds(check.start_period),
        "Retries": check.retries,
    })
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
