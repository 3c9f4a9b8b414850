//! The reason why a deploy job failed, from the job's log, which the platform deletes with the
//! application.
//!
//! People see the kind of cause; operators also see the last lines of the log.

use crate::server::masking::Secrets;
use crate::server::platform::JobId;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::store::Cause;
use domain::event::FailureCode;
use domain::message::MessageCode;

/// The number of lines that are kept of the end of a log, and the maximum number of bytes.
const LINES: usize = 40;
const BYTES: usize = 4_000;

/// Returns the error for the failed `job`, with its cause from the job's log. If the log cannot be
/// read, the cause is the general one.
pub(crate) async fn explain(cx: &Context, job: &JobId) -> StepError {
    let log = match cx.query("deployment.readLogs", || cx.platform.job_log(job)).await {
        Ok(log) => log,
        Err(StepError::Failed(_)) => String::new(),
        Err(lost @ StepError::Store(_)) => return lost,
    };
    let end = match cx.spec.secrets() {
        Ok(secrets) => Secrets::new(&secrets).masked_end(&log, LINES, BYTES),
        // A secret that does not open cannot be masked, so the log is not kept.
        Err(error) => {
            tracing::warn!(%error, "The platform's log is not kept: a secret does not open");
            String::new()
        }
    };
    let platform_log = (!end.is_empty()).then(|| end.into_boxed_str());
    let (code, message) = cause(&log);
    let lines: Vec<_> = platform_log.iter().flat_map(|end| end.lines()).collect();
    tracing::warn!(
        failure.code = ?code,
        platform.log = ?lines,
        "The platform's deploy job failed"
    );
    StepError::Failed(Cause { platform_log, ..Cause::new(code, message) })
}

/// Classifies the cause by Docker's messages (recordings 104, 107, 109, 113, 115, 117).
fn cause(log: &str) -> (FailureCode, MessageCode) {
    let log = log.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| log.contains(words));
    // Other things can be "not found" or unreachable as well, so the log must also show a pull of
    // the image or a login to its registry.
    let is_of_image = says(&["pulling image failed", "/v2/", "docker login", "/token?"]);
    if says(DOCKER_DOWN) {
        return (FailureCode::DockerUnreachable, MessageCode::DockerUnreachable);
    }
    if is_of_image && says(MISSING) {
        return (FailureCode::ImageNotFound, MessageCode::ImageNotFound);
    }
    if is_of_image && says(REFUSED) {
        return (FailureCode::RegistryRefused, MessageCode::RegistryRefused);
    }
    if is_of_image && says(SILENT) {
        return (FailureCode::RegistryUnreachable, MessageCode::RegistryUnreachable);
    }
    (FailureCode::DeployFailed, MessageCode::StartFailed)
}

/// Docker's daemon does not answer.
const DOCKER_DOWN: &[&str] = &[
    "cannot connect to the docker daemon",
    "is the docker daemon running",
    "error during connect",
    "/var/run/docker.sock",
    "docker.sock: connect",
];

/// The image does not exist, or not for this login.
const MISSING: &[&str] = &[
    "manifest unknown",
    "manifest for",
    "name unknown",
    "repository does not exist",
    "repository name not known",
    "no matching manifest",
    "not found",
    "invalid reference format",
];

/// The registry rejects the login, or limits the rate of pulls.
const REFUSED: &[&str] = &[
    "unauthorized",
    "no basic auth credentials",
    "incorrect username or password",
    "authentication required",
    "denied",
    "forbidden",
    "toomanyrequests",
    "too many requests",
    "rate limit",
];

/// The registry cannot be reached, or answers with a server error.
const SILENT: &[&str] = &[
    "i/o timeout",
    "no such host",
    "server misbehaving",
    "temporary failure in name resolution",
    "connection refused",
    "connection reset",
    "connection timed out",
    "no route to host",
    "network is unreachable",
    "tls handshake timeout",
    "timeout exceeded",
    "deadline exceeded",
    "request canceled",
    "x509:",
    "tls: ",
    "server gave http response",
    "eof",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "gateway timeout",
];

#[cfg(test)]
mod tests {
    use FailureCode::{
        DeployFailed, DockerUnreachable, ImageNotFound, RegistryRefused, RegistryUnreachable,
    };

    use crate::server::steps::deploy::cause::*;
    use domain::words;

    fn pull(words: &str) -> String {
        format!(
            "Initializing deployment\nPulling r.example/x:1\n{words}\n❌ Pulling image failed\n"
        )
    }

    #[test]
    fn the_cause_is_told_by_its_kind() {
        let daemon = |words: &str| pull(&format!("Error response from daemon: {words}"));
        for (expected, log) in [
            (ImageNotFound, daemon("manifest for x:1 not found: manifest unknown")),
            (
                ImageNotFound,
                daemon("pull access denied for x, repository does not exist or may require login"),
            ),
            (
                RegistryRefused,
                daemon("Get \"https://r/v2/\": unauthorized: authentication required"),
            ),
            (
                RegistryRefused,
                daemon("Head \"https://r/v2/x/manifests/1\": no basic auth credentials"),
            ),
            (RegistryRefused, daemon("denied: requested access to the resource is denied")),
            (RegistryRefused, daemon("toomanyrequests: You have reached your pull rate limit")),
            (
                RegistryRefused,
                String::from(
                    "Error: Command failed: docker login r\nError response from daemon: Get \
                     \"https://r/v2/\": unauthorized: incorrect username or password",
                ),
            ),
            (RegistryUnreachable, daemon("Get \"https://r/v2/\": dial tcp: lookup r: i/o timeout")),
            (
                RegistryUnreachable,
                daemon("Get \"https://r/v2/\": dial tcp: lookup r: no such host"),
            ),
            (RegistryUnreachable, daemon("dial tcp 10.0.0.1:5000: connect: connection refused")),
            (RegistryUnreachable, daemon("Get \"https://r/v2/\": x509: certificate has expired")),
            (RegistryUnreachable, daemon("received unexpected HTTP status: 502 Bad Gateway")),
            (
                DockerUnreachable,
                pull("Cannot connect to the Docker daemon at unix:///var/run/docker.sock."),
            ),
            (DockerUnreachable, String::from("connect ENOENT /var/run/docker.sock")),
            (DockerUnreachable, String::from("connect ECONNREFUSED /var/run/docker.sock")),
            (DeployFailed, String::from("network dokploy-network not found")),
            (DeployFailed, String::from("invalid memory value 64: Must be at least 4MiB")),
            (DeployFailed, String::from("Error: ❌ Github Provider not found")),
            (DeployFailed, String::new()),
        ] {
            assert_eq!(cause(&log).0, expected, "{log}");
        }
    }

    #[test]
    fn nobody_but_operators_is_told_more_than_the_kind() {
        for log in
            ["", "manifest unknown\nPulling image failed", "docker.sock: connect", "/v2/ eof"]
        {
            let (_, message) = cause(log);
            let message = words::message::sentence(&message);
            assert!(message.ends_with('.') && !message.contains('/'), "{message}");
        }
    }
}
