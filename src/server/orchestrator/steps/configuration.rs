//! Sets what the application runs, in one idempotent call; it goes with the application.

use crate::server::{
    orchestrator::{context::Context, failure::StepError, step::Step},
    ports::{
        platform::{Application, Configuration},
        store::StepId,
    },
};

/// Sets what the application runs.
pub(in crate::server::orchestrator) struct Configure {
    pub(in crate::server::orchestrator) application: Application,
}

impl Step for Configure {
    const ID: StepId = StepId::Configuration;
    type Output = ();

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        let settings = &cx.settings;
        let configuration = Configuration {
            image: settings.image.clone(),
            registry: settings.registry.clone(),
            environment: settings.environment.clone(),
            cpu_nanos: settings.cpu_nanos,
            memory_bytes: settings.memory_bytes,
        };
        let id = &self.application.id;
        let configure = || cx.platform.configure_application(id, &configuration);
        cx.call("application.update", "Configured the application", configure).await
    }
}
