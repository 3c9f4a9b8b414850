//! The settings of a stack in tests, and a deployment with them.

use std::collections::BTreeMap;
use std::time::Duration;

use ai_stack_deployer::server::catalogue::of_settings;
use ai_stack_deployer::server::origin::Scheme;
use ai_stack_deployer::server::secrets::Keyring;
use ai_stack_deployer::server::settings::{Deadlines, StackSettings};
use ai_stack_deployer::server::spec::{self, Choice, SealError};
use ai_stack_deployer::server::store::{
    Disposal, NewDeployment, NewRemoval, Quota, SealedSpec, TemplateDefinition,
};
use domain::deployment::{Deployment, DeploymentId};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::{DEPLOY, REMOVE};
use domain::stack_id::RevisionId;
use domain::stack_name::StackName;
use domain::stack_spec::CertificateSource;
use domain::template::checked::Checked;
use jiff::Timestamp;

/// Returns a deployment called `name` that begins at `started`, without an owner and without
/// limits.
pub(crate) fn new_deployment(
    settings: &StackSettings,
    id: DeploymentId,
    name: &str,
    started: Timestamp,
) -> NewDeployment {
    let name = StackName::parse(name).unwrap();
    NewDeployment {
        template: template(settings),
        spec: seal(settings, Some(&keyring()), RevisionId::first_of(&id)).unwrap(),
        host: settings.host(&name),
        deployment: Deployment { id, kind: DEPLOY.name, url: settings.url(&name), name, started },
        first: EventBody::Progress(ProgressUpdate::first(&DEPLOY, started)),
        retry_of: None,
        owner: None,
        quota: Quota::default(),
        audit_entry: None,
        claim: None,
        data: None,
    }
}

/// Returns the definition of the template that the settings describe.
pub(crate) fn template(settings: &StackSettings) -> TemplateDefinition {
    let entry = of_settings(settings).unwrap();
    TemplateDefinition { reference: entry.reference(), json: entry.json }
}

/// Makes a spec of the template that the settings describe.
pub(crate) fn seal(
    settings: &StackSettings,
    keyring: Option<&Keyring>,
    revision: RevisionId,
) -> Result<SealedSpec, SealError> {
    let entry = of_settings(settings).unwrap();
    let choice = Choice {
        template: &entry.template,
        reference: Some(&entry.reference()),
        checked: &Checked::default(),
        settings,
        registry: settings.registry.as_ref(),
        data: None,
        kept: &BTreeMap::new(),
        kept_generated: &[],
    };
    Ok(spec::seal(&choice, keyring, revision)?.sealed)
}

/// Asks for the removal of a stack, whichever it is.
pub(crate) fn new_removal(number: u128, started: Timestamp) -> NewRemoval {
    NewRemoval {
        id: REMOVE.operation_id(number),
        kind: REMOVE.name,
        started,
        first: EventBody::Progress(ProgressUpdate::first(&REMOVE, started)),
        of: None,
        expired: None,
        disposal: Disposal::Delete,
        kept: None,
        audit_entry: None,
        claim: None,
    }
}

/// Returns the key of the portals under test.
pub(crate) fn keyring() -> Keyring {
    Keyring::parse("test:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap()
}

/// Returns the settings of the sandbox, with short limits.
pub(crate) fn stack_settings(image: &str) -> StackSettings {
    StackSettings {
        portal_name: String::from("test"),
        scheme: Scheme::Http,
        suffix: String::from("localhost"),
        public_port: Some(8081),
        certificate: CertificateSource::None,
        image: image.to_owned(),
        registry: None,
        port: 8080,
        cpu_nanos: None,
        memory_bytes: None,
        environment: Vec::new(),
        health_path: String::from("/health"),
        health_timeout: Duration::from_mins(1),
        health_interval: Duration::from_secs(5),
        certificate_timeout: Duration::from_mins(5),
        deadlines: Deadlines {
            whole: Duration::from_mins(15),
            step: Duration::from_mins(5),
            deploy: Duration::from_mins(10),
            drain: Duration::from_mins(5),
            watch: Duration::from_secs(30),
        },
        lifetime_max: None,
    }
}
