//! The calls that configure an application, and read its configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::answer::Discretion;
use crate::client::{Call, Dokploy};
use crate::environment::encode_environment;
use crate::exchange::Content;
use crate::{
    Application, ApplicationId, ApplicationRow, Configuration, Error, FailureAction, HealthCheck,
    ServiceSettings, UpdateOrder, UpdateSettings, wire,
};

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

    /// Reads an application's row, which holds its variables in plain text; `None` if there is none
    /// (recordings 43, 212).
    pub async fn application_row(
        &self,
        id: &ApplicationId,
    ) -> Result<Option<ApplicationRow>, Error> {
        let parameters = [("applicationId", id.0.as_str())];
        let request = self.request("application.one", Content::Query(&parameters));
        let request = Call { discretion: Discretion::Confidential, ..request };
        match self.call::<wire::WholeApplication>(request).await {
            Ok(answer) => Ok(Some(answer.into())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets the number of containers in the application's row, without any effect until the next
    /// [`Self::reload_application`]. Idempotent: if the answer is lost, it can be repeated.
    ///
    /// 0 and a reload stop a stack (recordings day-two 341 to 344), 1 and a reload start it
    /// (recordings day-two 351, 352). `application.stop` leaves the row as it is, so the next reload
    /// starts the stack again (recordings day-two 2, 358), and takes five seconds; there is no call
    /// for it here.
    pub async fn set_replicas(&self, id: &ApplicationId, replicas: u32) -> Result<(), Error> {
        let body = json!({ "applicationId": id, "replicas": replicas });
        self.change::<IgnoredAny>(CALL, body).await?;
        Ok(())
    }

    /// Applies the application's row to its service: image, environment, limits, labels, mounts and
    /// number of containers (recordings day-two 8, 21, 342). It takes a tenth of a second, makes no
    /// job and pulls no image, and makes the service if that is gone (recording day-two 361).
    ///
    /// Its success says that the swarm accepted the service, not that its container runs: see
    /// [`Self::service`]. Each call replaces the container, even if nothing has changed, so it is not
    /// idempotent. If the answer is lost, [`ServiceState::version`](crate::ServiceState) has grown if
    /// it took effect. A call while an update is under way makes what was never proven the one to
    /// which a failure leads back (recording day-two 621): make one at a time for each application.
    ///
    /// What the swarm refuses, such as a variable that refers to nothing, is
    /// [`Error::Unavailable`] with the status 500 and without a reason (recording day-two 391); the
    /// job of [`Self::enqueue_deploy`] has the reason in its log. An image that the node does not have
    /// is none of these: its containers are rejected.
    pub async fn reload_application(&self, application: &Application) -> Result<(), Error> {
        let body = json!({ "applicationId": application.id, "appName": application.app_name });
        self.change::<IgnoredAny>("application.reload", body).await?;
        Ok(())
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
    let ServiceSettings { args, health_check, constraints, update } = settings;
    let unless_empty =
        |list: &[String], value: Value| if list.is_empty() { Value::Null } else { value };
    fields([
        ("args", unless_empty(args, json!(args))),
        ("healthCheckSwarm", json!(health_check.as_ref().map(health_check_fields))),
        ("updateConfigSwarm", json!(update.as_ref().map(update_fields))),
        ("placementSwarm", unless_empty(constraints, json!({ "Constraints": constraints }))),
    ])
}

/// Returns how the swarm updates the service, as Docker writes it (recording day-two 65).
fn update_fields(update: &UpdateSettings) -> Value {
    let UpdateSettings { order, monitor, on_failure } = update;
    json!({
        "Parallelism": 1,
        "Order": match order {
            UpdateOrder::StartFirst => "start-first",
            UpdateOrder::StopFirst => "stop-first",
        },
        "FailureAction": match on_failure {
            FailureAction::Rollback => "rollback",
            FailureAction::Pause => "pause",
            FailureAction::Continue => "continue",
        },
        "Delay": 0,
        "Monitor": nanoseconds(*monitor),
        "MaxFailureRatio": 0,
    })
}

fn nanoseconds(duration: Duration) -> Option<u64> {
    u64::try_from(duration.as_nanos()).ok()
}

/// Returns a health check as Docker writes it, with durations in nanoseconds (recordings 55, day-two
/// 65).
fn health_check_fields(check: &HealthCheck) -> Value {
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
