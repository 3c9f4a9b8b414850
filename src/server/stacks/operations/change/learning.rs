//! Learns from the platform what a stack is made of that an older version of the portal made, which
//! kept nothing of that.
//!
//! The platform's row says it: image, variables, limits, arguments and mounts, and the port in its
//! domain. That becomes the spec of the revision that the stack has, with every value sealed, and a
//! template of its own stands for what the settings described then. Its outcome stays unknown. Two
//! that learn at once read the same, and the store keeps what it gets first. A row that holds what no
//! spec can say leaves the spec unknown.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::server::catalogue;
use crate::server::platform::{
    ApplicationId, ApplicationRow, Mount, OPERATION, REVISION, RowDomain, can_pass, retry_401,
};
use crate::server::settings::StackSettings;
use crate::server::spec::{self, Choice};
use crate::server::stacks::Service;
use crate::server::stacks::platform_cache::RETRY_401_AFTER;
use crate::server::stacks::request::StartError;
use crate::server::store::{LearnedSpec, SealedSpec, SpecOrigin, Stack, State, TemplateDefinition};
use crate::wire::ApiError;
use domain::event::EventBody;
use domain::refusal::Refusal;
use domain::stack_id::StackId;
use domain::template::checked::Checked;
use domain::template::{DEFAULT_ID, Template, Volume};

impl Service {
    /// Reads what the stack is made of from the platform, and stores it, unless the row says nothing
    /// that a spec can hold.
    ///
    /// # Errors
    ///
    /// Returns an error if an operation on the stack is under way, which may change the row, or if the
    /// platform or the store is unavailable.
    pub(super) async fn learn(&self, stack: &Stack) -> Result<(), ApiError> {
        let name = || stack.deployment.name.clone();
        if let Some(under_way) = stack.operation.as_ref().filter(|one| one.state == State::Active) {
            return Err(Refusal::OperationUnderWay(name(), under_way.id.clone()).into());
        }
        // The answers to the questions of another template are in no row.
        if stack.template != DEFAULT_ID {
            return Ok(());
        }
        let Some((application, host)) = self.application_of(stack).await? else { return Ok(()) };
        let platform = &*self.parts.platform;
        let read = || platform.application_row(&application);
        let row = retry_401(platform, &*self.parts.clock, &RETRY_401_AFTER, read).await;
        let Some(row) = row.map_err(StartError::from)? else { return Ok(()) };
        let Some(learned) = self.learned(stack, &row, &host)? else {
            tracing::warn!(
                stack = %name(),
                "What the stack is made of is not known: its application in the platform holds \
                 something that the portal never sets"
            );
            return Ok(());
        };
        Ok(self.parts.store.learn_spec(&learned).await?)
    }

    /// Returns the application of the stack, and its host.
    async fn application_of(
        &self,
        stack: &Stack,
    ) -> Result<Option<(ApplicationId, String)>, ApiError> {
        let id = &stack.deployment.id;
        let Some(record) = self.parts.store.find(id).await? else { return Ok(None) };
        let events = self.parts.store.events(id, record.seq.saturating_sub(1), 1).await?;
        let end = events.first().and_then(|event| event.decode().ok());
        let application = end.and_then(|end| match end.body {
            EventBody::Complete(completion) => completion.resources.application_id,
            EventBody::Progress(_)
            | EventBody::Log(_)
            | EventBody::Removed(_)
            | EventBody::Error(_) => None,
        });
        Ok(application.map(|application| (ApplicationId(application), record.host)))
    }

    /// Returns what the row says of the stack; `None` if it holds what a spec cannot.
    fn learned(
        &self,
        stack: &Stack,
        row: &ApplicationRow,
        host: &str,
    ) -> Result<Option<LearnedSpec>, ApiError> {
        let Some((settings, template)) = of_row(row, host, &self.parts.stack, stack.revision.stack)
        else {
            return Ok(None);
        };
        let Ok(entry) = catalogue::versioned(template) else { return Ok(None) };
        let reference = entry.reference();
        let choice = Choice {
            template: &entry.template,
            reference: Some(&reference),
            checked: &Checked::default(),
            settings: &settings,
            registry: settings.registry.as_ref(),
            data: None,
            kept: &BTreeMap::new(),
            kept_generated: &[],
        };
        let sealed = spec::seal(&choice, self.parts.keyring.as_ref(), stack.revision);
        let sealed = sealed.map_err(|_| Refusal::SecretKeyMissing)?.sealed;
        Ok(Some(LearnedSpec {
            revision: stack.revision,
            spec: SealedSpec { origin: SpecOrigin::Read, ..sealed },
            template: TemplateDefinition { reference, json: entry.json },
            by: stack.owner.clone(),
            began: stack.deployment.started,
        }))
    }
}

/// Returns the settings and the template by which a stack of `host` would get this row; `None` if there
/// are none.
fn of_row(
    row: &ApplicationRow,
    host: &str,
    settings: &StackSettings,
    stack: StackId,
) -> Option<(StackSettings, Template)> {
    if row.has_command {
        return None;
    }
    let is_own = |domain: &&RowDomain| domain.host.eq_ignore_ascii_case(host);
    let settings = StackSettings {
        image: row.image.clone()?,
        port: row.domains.iter().find(is_own)?.port?,
        registry: row.registry.clone(),
        environment: variables(row)?,
        cpu_nanos: row.cpu_nanos,
        memory_bytes: row.memory_bytes,
        ..settings.clone()
    };
    let volume = |mount: &Mount| {
        let (of, key) = settings.parse_volume(&mount.volume.as_ref()?.0)?;
        let (key, path) = (key.to_owned(), mount.path.clone());
        (of == stack).then_some(Volume { key, path, exclusive: false })
    };
    let volumes: Option<Vec<_>> = row.mounts.iter().map(volume).collect();
    let template = Template {
        command: row.args.clone(),
        healthcheck: row.health_check.clone(),
        volumes: volumes?,
        ..settings.template()
    };
    Some((settings, template))
}

/// Returns the variables of the row without those that identify the container; `None` if only the
/// platform knows one, or the portal could not write it again.
fn variables(row: &ApplicationRow) -> Option<Vec<(String, SecretString)>> {
    let own = row.environment.iter().filter(|(name, _)| ![OPERATION, REVISION].contains(&&**name));
    let known = own.map(|(name, value)| Some((name.clone(), value.clone()?)));
    let variables: Vec<_> = known.collect::<Option<_>>()?;
    can_pass(&variables).then_some(variables)
}
