//! The spec of an operation: it is made from the settings when the operation begins, and the saga
//! uses only the spec from then on.
//!
//! Its secrets are decrypted only when they are passed to the platform, or masked in its log.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::platform::Registry;
use super::secrets::{Keyring, OpenSecretError, SealedSecret, SecretId};
use super::settings::StackSettings;
use super::store::{SealedSpec, SpecOrigin};
use domain::stack_id::RevisionId;
use domain::stack_spec::{
    CertificateSpec, HealthCheck, RegistryLogin, SecretRef, Size, StackSpec, Variable,
};

/// The name of the registry's password among the secrets of a revision.
const REGISTRY_PASSWORD: &str = "registry:password";

/// Makes the spec of `revision`, which begins now, and encrypts its secrets; `None` if it has
/// secrets and there is no key.
pub fn seal(
    settings: &StackSettings,
    keyring: Option<&Keyring>,
    revision: RevisionId,
) -> Option<SealedSpec> {
    if keyring.is_none() && settings.has_secrets() {
        return None;
    }
    let mut secrets = BTreeMap::new();
    let spec = of_settings(settings, |name, secret| {
        let sealed = keyring.map(|keyring| keyring.seal(SecretId { revision, name }, secret));
        let fingerprint = sealed.as_ref().map(|sealed| sealed.fingerprint.clone());
        secrets.extend(sealed.map(|sealed| (name.to_owned(), sealed)));
        fingerprint.unwrap_or_default()
    });
    Some(SealedSpec { origin: SpecOrigin::Begun, spec, secrets })
}

/// Makes the spec of a stack. `fingerprint` gets the name and the value of each secret.
fn of_settings(
    settings: &StackSettings,
    mut fingerprint: impl FnMut(&str, &SecretString) -> String,
) -> StackSpec {
    let mut refer = |name: String, secret: &SecretString| {
        let fingerprint = fingerprint(&name, secret);
        SecretRef { name, fingerprint }
    };
    StackSpec {
        image: settings.image.clone(),
        registry: settings.registry.as_ref().map(|Registry { url, user, password }| {
            RegistryLogin {
                url: url.clone(),
                user: user.clone(),
                password: refer(REGISTRY_PASSWORD.to_owned(), password),
            }
        }),
        port: settings.port,
        size: Size { cpu_nanos: settings.cpu_nanos, memory_bytes: settings.memory_bytes },
        environment: (settings.environment.iter())
            .map(|(name, value)| {
                let value = refer(format!("env:{name}"), value);
                Variable { name: name.clone(), value }
            })
            .collect(),
        health: HealthCheck {
            path: settings.health_path.clone(),
            timeout: settings.health_timeout,
            interval: settings.health_interval,
        },
        certificate: CertificateSpec {
            source: settings.certificate,
            timeout: settings.certificate_timeout,
        },
    }
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
        let mut secrets = BTreeMap::new();
        let stack = of_settings(settings, |name, secret| {
            secrets.insert(name.to_owned(), secret.clone());
            String::new()
        });
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
        let open = |Variable { name, value }: &Variable| Ok((name.clone(), self.open(value)?));
        self.stack.environment.iter().map(open).collect()
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
