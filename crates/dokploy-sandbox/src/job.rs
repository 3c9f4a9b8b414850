//! Deploy jobs: decides when a job begins how it will end and which log it writes.
//!
//! It must not know the queue or the time.

use super::environment;
use super::health_check::HealthCheck;
use super::images::{Behaviour, Image};
use super::programs::Program;
use super::service::Spec;
use super::state::{Application, State, Volume};

const PULL_FAILED: &str = "❌ Pulling image failed\n";
const FAILED: &str = "\nError occurred ❌, check the logs for details.\n";
const LOGIN: &str = "\nWARNING! Your credentials are stored unencrypted in \
                     '/root/.docker/config.json'.\nConfigure a credential helper to remove this \
                     warning. See\nhttps://docs.docker.com/go/credential-store/\n\nLogin Succeeded\n";

/// The smallest memory limit of a service, in bytes.
const LEAST_MEMORY: u64 = 4 * 1024 * 1024;

/// The size that a variable must not reach, in bytes: the kernel's limit for one argument.
const LONGEST_VARIABLE: usize = 128 * 1024;

/// The log and the result of one job, decided in advance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The log while the job runs.
    pub(crate) first_lines: String,
    /// The text that the end of the job appends to the log.
    pub(crate) last_lines: String,
    /// The behaviour of the service; `None` if the job fails.
    pub(crate) behaviour: Option<Behaviour>,
    /// What the service gives to its containers.
    pub(crate) spec: Spec,
}

/// Plans the job that deploys `application`.
pub(crate) fn plan(state: &State, application: &Application) -> Plan {
    let first_lines = "Initializing deployment\n".to_owned();
    if application.text("sourceType") != "docker" {
        let last_lines = format!("Error: ❌ Github Provider not found\n{FAILED}");
        return Plan::failing(first_lines, last_lines);
    }
    let image = application.text("dockerImage");
    let first_lines = format!("{first_lines}Pulling {image}\n");
    let login = match (application.text("username"), application.text("password")) {
        ("", _) | (_, "") => "",
        _ => LOGIN,
    };
    if is_denied(image) {
        let last_lines = format!("{}{PULL_FAILED}{FAILED}", login_error(application));
        return Plan::failing(first_lines, last_lines);
    }
    if Image::of(image).is_none() {
        let last_lines = format!("{login}{}\n{PULL_FAILED}{FAILED}", pull_error(image));
        return Plan::failing(first_lines, last_lines);
    }
    let pulled = format!("{login}{}", pull_log(image));
    match service_of(state, application) {
        Err(message) => Plan::failing(first_lines, format!("{pulled}{message}{FAILED}")),
        Ok((behaviour, spec)) => {
            Plan { first_lines, last_lines: pulled, behaviour: Some(behaviour), spec }
        }
    }
}

/// Returns how the service of `application` behaves, and what it gives to its containers. Docker
/// rejects the containers of an image that it does not have.
///
/// # Errors
///
/// Returns why the swarm refuses the service.
pub(crate) fn service_of(
    state: &State,
    application: &Application,
) -> Result<(Behaviour, Spec), String> {
    let env = variables(state, application)?;
    let missing = Image { behaviour: Behaviour::Rejected, program: Program::Plain };
    let image = Image::of(application.text("dockerImage")).unwrap_or(missing);
    let spec = spec(state, application, image, env);
    let behaviour = if can_be_created(&spec) { image.behaviour } else { Behaviour::Rejected };
    Ok((behaviour, spec))
}

fn spec(state: &State, application: &Application, image: Image, env: Vec<String>) -> Spec {
    let check = application.columns.get("healthCheckSwarm");
    let number = |column| digits(application.text(column)).parse().ok();
    Spec {
        env,
        labels: application.labels(),
        mounts: state.volume_mounts(&application.id),
        constraints: application.constraints(),
        health_check: check.and_then(|column| HealthCheck::read(column, image)),
        update: application.update_config(),
        memory_bytes: number("memoryLimit"),
        cpu_nanos: number("cpuLimit"),
    }
}

/// Returns whether Docker can make and start a container. A volume needs a valid name, and a
/// variable at most 128 KiB (`execve(2)`). Both are assumed: neither was recorded.
fn can_be_created(spec: &Spec) -> bool {
    let fits = |variable: &String| variable.len() < LONGEST_VARIABLE;
    spec.env.iter().all(fits)
        && spec.mounts.iter().all(|mount| Volume::is_valid_name(&mount.volume))
}

impl Plan {
    fn failing(first_lines: String, last_lines: String) -> Self {
        Self { first_lines, last_lines, behaviour: None, spec: Spec::default() }
    }

    /// Makes the job fail because Docker does not answer.
    pub(crate) fn fail_without_docker(&mut self) {
        let error = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the \
                     docker daemon running?";
        self.last_lines = format!("{error}\n{PULL_FAILED}{FAILED}");
        self.behaviour = None;
    }
}

/// Returns whether the registry of `image` rejects every login.
fn is_denied(image: &str) -> bool {
    image.split(['@', ':']).next() == Some("sandbox/denied")
}

/// Returns the log of a rejected login: the whole command with its secrets, which the library that
/// runs it repeats in its error, and Docker's message.
fn login_error(application: &Application) -> String {
    let of = |column| application.text(column);
    let (registry, user) = (of("registryUrl"), of("username"));
    format!(
        "Error: Command failed: echo \"{}\" | docker login {registry} -u {user} --password-stdin\n\
         environment: {}\n\
         Error response from daemon: Get \"https://{registry}/v2/\": unauthorized: incorrect \
         username or password\n",
        of("password"),
        of("env").replace('\n', " "),
    )
}

/// Returns Docker's message about an image that it cannot pull (recordings 104, 107).
fn pull_error(image: &str) -> String {
    let registry = image.split('/').next().unwrap_or_default();
    if registry.ends_with(".invalid") {
        return format!(
            "Error response from daemon: Get \"https://{registry}/v2/\": dial tcp: lookup \
             {registry}: i/o timeout"
        );
    }
    format!(
        "Error response from daemon: manifest for {image} not found: manifest unknown: manifest \
         unknown"
    )
}

/// Returns Docker's log of the pull of an image that is up to date (recording 78).
fn pull_log(image: &str) -> String {
    let (name, tag) = image.split_once(':').unwrap_or((image, "latest"));
    let digest = "sha256:51848a94e3e89dbeb5a289e191666487ee1567c03d7ce8874b58257ae5d72b66";
    format!(
        "{tag}: Pulling from {name}\nDigest: {digest}\nStatus: Image is up to date for \
         {name}:{tag}\n{name}:{tag}\n✅ Pulling image completed.\n"
    )
}

/// Returns the number with which a limit begins, which is all that the platform reads (recording
/// 112).
fn digits(limit: &str) -> &str {
    limit.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

/// Returns the environment variables of the service.
///
/// # Errors
///
/// Returns why the swarm refuses the service (recordings 113, 115, 117, day-two 107, 490).
fn variables(state: &State, application: &Application) -> Result<Vec<String>, String> {
    let swarm = "(HTTP code 400) unexpected - rpc error: code = InvalidArgument desc =";
    let memory = application.text("memoryLimit");
    let bytes = digits(memory).parse().unwrap_or(0_u64);
    if application.app_name.len() > 63 {
        return Err(format!("{swarm} name must be 63 characters or fewer "));
    }
    if !memory.is_empty() && bytes < LEAST_MEMORY {
        return Err(format!("{swarm} invalid memory value {bytes}: Must be at least 4MiB "));
    }
    if let Some(path) = state.duplicate_mount_path(&application.id) {
        return Err(format!("{swarm} ContainerSpec: duplicate mount point: {path} "));
    }
    let env = environment::of_service(state, application)?;
    environment::of_container(&env, "", &application.app_name, "")?;
    Ok(env)
}
