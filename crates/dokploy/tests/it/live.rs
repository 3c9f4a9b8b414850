//! A sandbox over sockets, with stacks that run.

use std::sync::Arc;
use std::time::Duration;

use clock::SystemClock;
use dokploy::{
    Application, Configuration, Dokploy, EnvironmentId, NewApplication, NewProject, ServiceSettings,
};
use dokploy_sandbox::{Sandbox, SandboxConfig, Timing, start};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{KEY, config};

/// A sandbox that takes no time for anything, and ends with it.
pub(crate) struct Live {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Dokploy,
    environment: EnvironmentId,
    _shutdown: DropGuard,
}

impl Live {
    pub(crate) async fn start() -> Self {
        let shutdown = CancellationToken::new();
        let mut options = SandboxConfig::new(KEY.into(), 1);
        options.edge.set_port(0);
        options.latency = Duration::ZERO;
        options.timing = Timing::NONE;
        let sandbox = start(options, Arc::new(SystemClock), shutdown.clone()).await.unwrap();
        let client = Dokploy::new(config(&sandbox.url()), Arc::new(SystemClock)).unwrap();
        let new = NewProject { name: "demo".to_owned(), marker: String::new() };
        let environment = client.create_project(&new).await.unwrap().environment.unwrap();
        Self { sandbox, client, environment, _shutdown: shutdown.drop_guard() }
    }

    /// Starts a stack of revision 1.
    pub(crate) async fn run(&self, name: &str, image: &str) -> Application {
        let new = NewApplication {
            name: name.to_owned(),
            app_name_base: name.to_owned(),
            marker: String::new(),
            environment: self.environment.clone(),
        };
        let application = self.client.create_application(&new).await.unwrap();
        self.change(&application, 1, image, &ServiceSettings::default()).await;
        application
    }

    /// Changes a stack to another revision.
    pub(crate) async fn change(
        &self,
        application: &Application,
        revision: u32,
        image: &str,
        settings: &ServiceSettings,
    ) {
        let configuration = Configuration {
            image: image.to_owned(),
            registry: None,
            environment: vec![
                ("STACK_REVISION".to_owned(), revision.to_string().into()),
                ("SECRET".to_owned(), "canary".into()),
            ],
            labels: vec![("stack.revision".to_owned(), revision.to_string())],
            cpu_nanos: None,
            memory_bytes: Some(64 * 1024 * 1024),
        };
        let id = &application.id;
        self.client.configure_service(id, &configuration, settings).await.unwrap();
        self.client.reload_application(application).await.unwrap();
    }
}
