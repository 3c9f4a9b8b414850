//! The spec of an operation: it is made from a template, the answers to its questions and the
//! settings when the operation begins, and the saga uses only the spec from then on.
//!
//! Its secrets are decrypted only when they are passed to the platform, or masked in its log.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::platform::Registry;
use super::secrets::{self, Keyring, OpenSecretError, SealedSecret, SecretId};
use super::settings::StackSettings;
use super::store::{SealedSpec, SpecOrigin};
use domain::stack_id::RevisionId;
use domain::stack_spec::{
    BroughtBack, CertificateSpec, HealthCheck, RegistryLogin, SecretRef, Size, StackSpec,
    TemplateRef, Variable, VariableValue,
};
use domain::template::Template;
use domain::template::checked::{self, Checked, SecretOrigin};

/// The name of the registry's password among the secrets of a revision.
const REGISTRY_PASSWORD: &str = "registry:password";
/// What the names of secrets that answer questions begin with. The key of the question follows.
const PARAMETER: &str = "parameter:";

/// What a stack is made of.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// The template.
    pub template: &'a Template,
    /// The reference to its definition; `None` if it is assumed.
    pub reference: Option<&'a TemplateRef>,
    /// The answers to its questions.
    pub checked: &'a Checked,
    /// The settings, which have what the template leaves open.
    pub settings: &'a StackSettings,
    /// The login for the registry of the template's image.
    pub registry: Option<&'a Registry>,
    /// The data of an earlier stack that it brings back.
    pub data: Option<&'a BroughtBack>,
    /// The secrets that the stack keeps, by the keys of their parameters.
    pub kept: &'a BTreeMap<String, SecretString>,
    /// Those of them that the portal generated.
    pub kept_generated: &'a [String],
}

/// A spec with sealed secrets, and what was generated for it.
#[derive(Clone, Debug)]
pub struct NewSpec {
    /// The spec.
    pub sealed: SealedSpec,
    /// The generated secrets, by the keys of their parameters.
    pub generated: BTreeMap<String, SecretString>,
}

/// A spec cannot be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It has secrets, and the portal has no key.
    #[error("there are secrets, and the portal has no key to seal them")]
    NoKey,
    /// The stack should keep a secret that it does not have.
    #[error("the stack does not have the secret {name}")]
    NotKept {
        /// The name among the secrets of its revision.
        name: String,
    },
}

/// Makes the spec of `revision`, which begins now, and encrypts its secrets.
///
/// # Errors
///
/// Returns why its secrets cannot be sealed.
pub fn seal(
    choice: &Choice<'_>,
    keyring: Option<&Keyring>,
    revision: RevisionId,
) -> Result<NewSpec, SealError> {
    let Open { mut stack, secrets, generated } = open(choice);
    let mut sealed = BTreeMap::new();
    for secret in stack.secrets_mut() {
        let name = secret.name.as_str();
        let missing = || SealError::NotKept { name: name.to_owned() };
        let text = secrets.get(name).ok_or_else(missing)?;
        let one = keyring.ok_or(SealError::NoKey)?.seal(SecretId { revision, name }, text);
        secret.fingerprint.clone_from(&one.fingerprint);
        sealed.insert(name.to_owned(), one);
    }
    let sealed = SealedSpec { origin: SpecOrigin::Begun, spec: stack, secrets: sealed };
    Ok(NewSpec { sealed, generated })
}

/// Seals the secrets of a stored spec for another revision of its stack, which is equal to it.
///
/// # Errors
///
/// Returns the secret that does not open, with why, or that there is no key.
pub fn seal_again(
    stored: &SealedSpec,
    from: RevisionId,
    to: RevisionId,
    keyring: Option<&Keyring>,
) -> Result<SealedSpec, OpenSecretError> {
    let mut sealed = stored.clone();
    for (name, secret) in &mut sealed.secrets {
        let key_id = || secret.key_id.clone();
        let keyring = keyring.ok_or_else(|| OpenSecretError::UnknownKey { key_id: key_id() })?;
        let text = keyring.open(SecretId { revision: from, name }, secret)?;
        *secret = keyring.seal(SecretId { revision: to, name }, &text);
    }
    let fingerprints: BTreeMap<_, _> = (sealed.secrets.iter())
        .map(|(name, secret)| (name.clone(), secret.fingerprint.clone()))
        .collect();
    for secret in sealed.spec.secrets_mut() {
        if let Some(fingerprint) = fingerprints.get(&secret.name) {
            secret.fingerprint.clone_from(fingerprint);
        }
    }
    sealed.origin = SpecOrigin::Begun;
    Ok(sealed)
}

/// Makes the spec of `revision` from the present settings alone, and encrypts its secrets; `None`
/// if it has secrets and there is no key.
pub fn seal_assumed(
    settings: &StackSettings,
    keyring: Option<&Keyring>,
    revision: RevisionId,
) -> Option<SealedSpec> {
    let new = assumed(settings, |choice| seal(choice, keyring, revision)).ok()?;
    Some(SealedSpec { origin: SpecOrigin::Assumed, ..new.sealed })
}

/// Uses what a stack is made of by the present settings alone.
fn assumed<T>(settings: &StackSettings, use_it: impl FnOnce(&Choice<'_>) -> T) -> T {
    let (template, checked) = (&settings.template(), &Checked::default());
    let (registry, kept) = (settings.registry.as_ref(), &BTreeMap::new());
    let (kept_generated, data) = (&[][..], None);
    use_it(&Choice {
        template,
        reference: None,
        checked,
        settings,
        registry,
        kept,
        kept_generated,
        data,
    })
}

/// A spec whose secrets are not sealed yet, so that its references have no fingerprints.
struct Open {
    stack: StackSpec,
    secrets: BTreeMap<String, SecretString>,
    generated: BTreeMap<String, SecretString>,
}

/// Makes the spec of a stack.
fn open(choice: &Choice<'_>) -> Open {
    let Choice { template, checked, settings, .. } = *choice;
    let mut secrets = OpenSecrets::default();
    let registry = choice.registry.map(|Registry { url, user, password }| RegistryLogin {
        url: url.clone(),
        user: user.clone(),
        password: secrets.add(REGISTRY_PASSWORD.to_owned(), password.clone()),
    });
    let environment = environment(choice, &mut secrets);
    let size = checked.size.as_ref();
    let chosen = size.and_then(|id| template.sizes.iter().find(|size| size.id == *id));
    let of_settings = Size { cpu_nanos: settings.cpu_nanos, memory_bytes: settings.memory_bytes };
    let stack = StackSpec {
        template: choice.reference.cloned(),
        values: checked.values.clone(),
        image: template.image.clone(),
        command: template.command.clone(),
        registry,
        port: template.port,
        size_id: size.cloned(),
        size: chosen.map_or(of_settings, |size| size.limits),
        environment,
        generated: secrets.generated.keys().chain(&secrets.kept_generated).cloned().collect(),
        volumes: template.volumes.clone(),
        brought_back: choice.data.cloned(),
        health: HealthCheck {
            paths: template.health.clone(),
            timeout: settings.health_timeout,
            interval: settings.health_interval,
        },
        healthcheck: template.healthcheck.clone(),
        certificate: CertificateSpec {
            source: settings.certificate,
            timeout: settings.certificate_timeout,
        },
    };
    Open { stack, secrets: secrets.all, generated: secrets.generated }
}

/// The secrets of a spec in plain text.
#[derive(Default)]
struct OpenSecrets {
    all: BTreeMap<String, SecretString>,
    generated: BTreeMap<String, SecretString>,
    /// The keys of those that are kept, and were generated earlier.
    kept_generated: Vec<String>,
}

impl OpenSecrets {
    fn add(&mut self, name: String, secret: SecretString) -> SecretRef {
        self.all.insert(name.clone(), secret);
        SecretRef { name, fingerprint: String::new() }
    }
}

/// Makes the variables of a stack: those that the template inherits from the settings, then its own
/// and those of the answers.
fn environment(choice: &Choice<'_>, secrets: &mut OpenSecrets) -> Vec<Variable> {
    let inherited = &choice.template.inherit_env;
    let mut variables = Vec::new();
    for (name, value) in &choice.settings.environment {
        if inherited.contains(name) {
            let value = secrets.add(format!("env:{name}"), value.clone());
            variables.push(Variable { name: name.clone(), value: VariableValue::Secret(value) });
        }
    }
    for checked::Variable { name, value } in &choice.checked.variables {
        let value = match value {
            checked::VariableValue::Plain(text) => VariableValue::Plain(text.clone()),
            checked::VariableValue::Secret { key, origin } => {
                VariableValue::Secret(answer(choice, key, origin, secrets))
            }
        };
        variables.push(Variable { name: name.clone(), value });
    }
    variables
}

/// Adds the secret that answers the question `key`. One that should be kept and is not there has
/// no text.
fn answer(
    choice: &Choice<'_>,
    key: &str,
    origin: &SecretOrigin,
    secrets: &mut OpenSecrets,
) -> SecretRef {
    let text = match origin {
        SecretOrigin::Given(text) => Some(SecretString::from(text.expose())),
        SecretOrigin::Generated(length) => {
            let text = secrets::generate(*length);
            secrets.generated.insert(key.to_owned(), text.clone());
            Some(text)
        }
        SecretOrigin::Kept => {
            let was_generated = choice.kept_generated.iter().any(|generated| generated == key);
            secrets.kept_generated.extend(was_generated.then(|| key.to_owned()));
            choice.kept.get(key).cloned()
        }
    };
    let name = format!("{PARAMETER}{key}");
    secrets.all.extend(text.map(|text| (name.clone(), text)));
    SecretRef { name, fingerprint: String::new() }
}

/// Returns the key of the question that the secret of this name answers, if it answers one.
pub fn question_of(secret: &str) -> Option<&str> {
    secret.strip_prefix(PARAMETER)
}

/// The spec that an operation uses.
#[derive(Clone, Debug)]
pub struct OperationSpec {
    /// The spec without its secrets.
    pub stack: StackSpec,
    /// True if the stored spec cannot be read, so that nothing may be started by this one.
    pub is_lost: bool,
    secrets: Secrets,
}

/// The secrets that a spec refers to, by name.
#[derive(Clone, Debug)]
enum Secrets {
    /// Encrypted, as in the database.
    Sealed {
        secrets: BTreeMap<String, SealedSecret>,
        revision: RevisionId,
        keyring: Option<Keyring>,
    },
    /// In plain text, as in the settings.
    Open(BTreeMap<String, SecretString>),
}

impl OperationSpec {
    /// Returns the spec that is stored for `revision`.
    pub fn stored(stored: SealedSpec, revision: RevisionId, keyring: Option<Keyring>) -> Self {
        let SealedSpec { spec: stack, secrets, .. } = stored;
        Self { stack, is_lost: false, secrets: Secrets::Sealed { secrets, revision, keyring } }
    }

    /// Returns a spec made from the present settings, for an operation without a stored spec.
    pub fn unsealed(settings: &StackSettings) -> Self {
        let Open { stack, secrets, .. } = assumed(settings, open);
        Self { stack, is_lost: false, secrets: Secrets::Open(secrets) }
    }

    /// Returns the login for the image's registry, decrypted; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Returns why the password does not open.
    pub fn registry(&self) -> Result<Option<Registry>, OpenSecretError> {
        let open = |RegistryLogin { url, user, password }: &RegistryLogin| {
            let password = self.open(password)?;
            Ok(Registry { url: url.clone(), user: user.clone(), password })
        };
        self.stack.registry.as_ref().map(open).transpose()
    }

    /// Returns the variables of the container, decrypted.
    ///
    /// # Errors
    ///
    /// Returns why one of them does not open.
    pub fn environment(&self) -> Result<Vec<(String, SecretString)>, OpenSecretError> {
        let open = |Variable { name, value }: &Variable| {
            let value = match value {
                VariableValue::Plain(text) => SecretString::from(text.as_str()),
                VariableValue::Secret(secret) => self.open(secret)?,
            };
            Ok((name.clone(), value))
        };
        self.stack.environment.iter().map(open).collect()
    }

    /// Returns the secrets that answer questions, decrypted, by the keys of the questions, or why they
    /// do not open.
    pub fn parameters(&self) -> BTreeMap<String, Result<SecretString, OpenSecretError>> {
        let open = |secret: &SecretRef| {
            let key = secret.name.strip_prefix(PARAMETER)?;
            Some((key.to_owned(), self.open(secret)))
        };
        self.stack.secrets().filter_map(open).collect()
    }

    /// Returns the secrets that the portal generated, decrypted, with the keys of their questions:
    /// first those that were generated for this revision, then those that it kept.
    ///
    /// # Errors
    ///
    /// Returns why one of them does not open.
    pub fn generated(&self) -> Result<Vec<(String, SecretString)>, OpenSecretError> {
        let open = |key: &String| {
            let name = format!("{PARAMETER}{key}");
            let secret = self.stack.secrets().find(|secret| secret.name == name)?;
            Some(self.open(secret).map(|text| (key.clone(), text)))
        };
        self.stack.generated.iter().filter_map(open).collect()
    }

    /// Returns all secrets, decrypted, so that they can be masked in a text.
    ///
    /// # Errors
    ///
    /// Returns why one of them does not open.
    pub fn secrets(&self) -> Result<Vec<SecretString>, OpenSecretError> {
        self.stack.secrets().map(|secret| self.open(secret)).collect()
    }

    fn open(&self, secret: &SecretRef) -> Result<SecretString, OpenSecretError> {
        let name = secret.name.as_str();
        match &self.secrets {
            Secrets::Open(secrets) => secrets.get(name).cloned().ok_or(OpenSecretError::Missing),
            Secrets::Sealed { secrets, revision, keyring } => {
                let sealed = secrets.get(name).ok_or(OpenSecretError::Missing)?;
                let key_id = || sealed.key_id.clone();
                let unknown = || OpenSecretError::UnknownKey { key_id: key_id() };
                let keyring = keyring.as_ref().ok_or_else(unknown)?;
                // A specification that was sealed without a key has no fingerprints.
                if !["", &sealed.fingerprint].contains(&&*secret.fingerprint) {
                    return Err(OpenSecretError::Damaged { key_id: key_id() });
                }
                keyring.open(SecretId { revision: *revision, name }, sealed)
            }
        }
    }
}

/// Returns the fingerprints of the secrets that answer questions, by the keys of these.
pub(crate) fn fingerprints(spec: &StackSpec) -> BTreeMap<String, String> {
    let of = |secret: &SecretRef| {
        Some((question_of(&secret.name)?.to_owned(), secret.fingerprint.clone()))
    };
    spec.secrets().filter_map(of).collect()
}
