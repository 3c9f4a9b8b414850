//! The portal in process: its real router and use cases, with a store in memory.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::http::{
    ConnectionLimits, ConnectionTimes, HttpState, Responder, Site as _, responder, serve,
};
use ai_stack_deployer::server::audit::AuditTrail;
use ai_stack_deployer::server::auth::recent_accounts::RecentAccounts;
use ai_stack_deployer::server::catalogue::Offers;
use ai_stack_deployer::server::config::{self, Environment, Options};
use ai_stack_deployer::server::notifier::{Notification, Notifier};
use ai_stack_deployer::server::reconciler::report::ReconcileReport;
use ai_stack_deployer::server::settings::{Settings, StoreSettings};
use ai_stack_deployer::server::stacks::{Service, ServiceParts};
use ai_stack_deployer::server::store::{CancelRequest, End, Fact, Journal, Lane, Lease, State};
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use clap::Parser;
use clock::Clock;
use domain::deployment::DeploymentId;
use domain::event::{
    Completion, EventBody, Failure, FailureCode, Level, LogEntry, ProgressUpdate, Ready, Resources,
};
use domain::kind::{DEPLOY, Kinds};
use domain::message::MessageCode;
use domain::phase::Phase;
use domain::receipt::{Line, Outcome, Receipt, ResourceKind};
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use leptos::config::LeptosOptions;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::claim_one::ClaimOne as _;
use super::fake_platform::FakePlatform;
use super::manual_clock::ManualClock;
use super::memory_store::MemoryStore;
pub(crate) use super::reply::Reply;
use super::settings::keyring;
use super::sign_in_service::{accounts, authenticator, clock, sign_in_service};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

/// Reads settings from `variables`. Without a platform and templates, stacks have one image of the
/// sandbox.
pub(crate) fn settings(variables: &[(&str, &str)]) -> Settings {
    let own = |text: &&str| (*text).to_owned();
    let is_set = |name: &str| variables.iter().any(|(set, _)| *set == name);
    let image = [("STACK_IMAGE", "sandbox/hello")];
    let others = ["DOKPLOY_URL", "STACK_IMAGE", "CATALOGUE"];
    let image = image.iter().filter(|_| !others.iter().any(|name| is_set(name)));
    let all = image.chain(variables);
    let environment: Environment = all.map(|(n, v)| (own(n), own(v))).collect();
    let cli = config::parse::<Cli>(&["portal".into()], &environment).unwrap();
    cli.options.resolve(&environment).unwrap()
}

/// The portal in process.
pub(crate) struct TestApp {
    pub(crate) responder: Responder,
    pub(crate) service: Arc<Service>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) platform: Arc<FakePlatform>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) reconcile_report: Arc<ReconcileReport>,
    pub(crate) offers: Arc<Offers>,
    pub(crate) shutdown: CancellationToken,
    /// The cookie of every request that has none.
    cookie: Option<HeaderValue>,
    /// Where the portal is served, once it is.
    served: OnceCell<SocketAddr>,
}

/// Returns a line of a receipt.
pub(crate) fn line(resource: ResourceKind, name: &str, outcome: Outcome, at: Timestamp) -> Line {
    Line { resource, id: None, name: name.to_owned(), outcome, at, remedy: None }
}

/// Returns a failure with one line in its receipt.
pub(crate) fn failure(phase: Phase, code: FailureCode, message: &str, line: Line) -> Failure {
    let (reason, reference) = (None, String::from("7F3A-22C1"));
    let receipt = Receipt::of(vec![line]);
    Failure { phase, message: message.to_owned(), code, reason, receipt, reference }
}

impl TestApp {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        Self::with_pages(variables, Path::new("nowhere"))
    }

    /// Creates the portal with its pages. The built site is in `site`.
    pub(crate) fn with_pages(variables: &[(&str, &str)], site: &Path) -> Self {
        let options = LeptosOptions::builder()
            .output_name("ai-stack-deployer")
            .site_root(site.to_str().unwrap().to_owned())
            .build();
        let settings = settings(variables);
        let store = Arc::new(MemoryStore::default());
        let platform = Arc::new(FakePlatform::new());
        let clock = Arc::new(clock(&settings));
        let audit = Arc::new(AuditTrail::new(
            Arc::<MemoryStore>::clone(&store),
            Arc::<ManualClock>::clone(&clock),
        ));
        let notifier = Arc::new(Notifier::default());
        let accounts = accounts(&store, &clock, &notifier);
        let authenticator = authenticator(&settings, &accounts);
        let shutdown = CancellationToken::new();
        let reconcile_report = Arc::new(ReconcileReport::default());
        let offers = Offers::read(settings.catalogue.clone(), &settings.stack, Vec::new()).0;
        let offers = Arc::new(offers);
        let service = Arc::new(Service::new(ServiceParts {
            store: Arc::<MemoryStore>::clone(&store),
            accounts: Arc::<RecentAccounts>::clone(&accounts),
            audit: Arc::clone(&audit),
            reconcile_report: Arc::clone(&reconcile_report),
            platform: Arc::<FakePlatform>::clone(&platform),
            logs: Arc::<FakePlatform>::clone(&platform),
            clock: Arc::<ManualClock>::clone(&clock),
            notifier: Arc::clone(&notifier),
            offers: Arc::clone(&offers),
            stack: Arc::new(settings.stack.clone()),
            keyring: match settings.store {
                StoreSettings::Sqlite { .. } => Some(keyring()),
                StoreSettings::Postgres { .. } => settings.secret_key.clone(),
            },
            kinds: Kinds::default(),
            reserved_names: settings.reserved_names.clone(),
            quotas: settings.quotas,
            sandbox: settings.platform.is_sandbox(),
            metrics: Arc::default(),
            random: Arc::new(rand::random),
        }));
        let sign_in_service = sign_in_service(&settings, &accounts, &audit, &clock);
        let state = HttpState::new(
            Arc::clone(&service),
            authenticator,
            sign_in_service,
            &settings.http,
            &settings.limits,
            shutdown.clone(),
        );
        let responder = responder(state, options);
        Self {
            responder,
            service,
            store,
            platform,
            clock,
            notifier,
            reconcile_report,
            offers,
            shutdown,
            cookie: None,
            served: OnceCell::new(),
        }
    }

    /// Sends every request from one browser, which owns what it starts.
    pub(crate) fn in_one_browser(self) -> Self {
        self.with_cookie(&format!("browser={}", "a".repeat(43)))
    }

    /// Sends this cookie with every request that has none.
    pub(crate) fn with_cookie(self, cookie: &str) -> Self {
        Self { cookie: Some(HeaderValue::try_from(cookie).unwrap()), ..self }
    }

    /// Sends a request. Event streams exist only over connections.
    pub(crate) async fn open(&self, mut request: Request<Body>) -> Response<Body> {
        if let Some(cookie) = &self.cookie {
            request.headers_mut().entry(header::COOKIE).or_insert_with(|| cookie.clone());
        }
        if request.uri().path().starts_with("/api/status/") {
            return over_socket(self.listen().await, request).await;
        }
        self.responder.clone().respond(request).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let reply = Reply::of(self.open(request).await).await;
        reply.check(method.as_str(), &uri);
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Starts a deployment like the older server's clients, without a content type.
    pub(crate) async fn deploy(&self, body: impl Into<Body>) -> Reply {
        self.send(Request::post("/api/deploy").body(body.into()).unwrap()).await
    }

    /// Starts a deployment, and returns its id.
    pub(crate) async fn begin(&self, name: &str) -> DeploymentId {
        let reply = self.deploy(json!({ "name": name }).to_string()).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        DeploymentId::parse(reply.json()["deploymentId"].as_str().unwrap()).unwrap()
    }

    /// Claims the next operation, like a worker.
    pub(crate) async fn claim(&self) -> Lease {
        let ttl = Duration::from_mins(1);
        self.store.claim_one(Lane::Forward, "test", self.clock.now(), ttl).await.unwrap().unwrap()
    }

    /// Records events and notifies the watchers, like a worker.
    pub(crate) async fn record(&self, lease: &Lease, events: Vec<EventBody>) {
        let state = events.last().and_then(|event| match event {
            EventBody::Complete(_) => Some(State::Live),
            EventBody::Removed(_) => Some(State::RolledBack),
            EventBody::Error(failure) if failure.receipt.clean => Some(State::RolledBack),
            EventBody::Error(_) => Some(State::Stuck),
            EventBody::Progress(_) | EventBody::Log(_) => None,
        });
        let at = self.clock.now();
        let end = state.map(|state| End {
            leaves: None,
            state,
            at,
            cancel_request: CancelRequest::None,
            due: Some(at),
        });
        self.store.record(lease, &Fact { events, end, ..Fact::default() }).await.unwrap();
        self.notifier.notify(&Notification::Events(lease.id.clone()));
    }

    /// Creates a live stack, and returns the id of its deployment.
    pub(crate) async fn live(&self, name: &str) -> DeploymentId {
        let id = self.begin(name).await;
        self.record(&self.claim().await, vec![Self::complete(name)]).await;
        id
    }

    /// Records the end of an operation with leftovers. Its clean-up is due in 30 seconds.
    pub(crate) async fn get_stuck(&self, lease: &Lease, failure: Failure) {
        let (at, cancel_request) = (self.clock.now(), CancelRequest::None);
        let due = Some(at + Duration::from_secs(30));
        let end = Some(End { state: State::Stuck, at, leaves: None, cancel_request, due });
        let events = vec![EventBody::Error(failure)];
        self.store.record(lease, &Fact { events, end, ..Fact::default() }).await.unwrap();
    }

    /// Posts a form as a browser does.
    pub(crate) async fn post_form(&self, path: &str, form: impl Into<Body>) -> Reply {
        let headers = [
            ("accept", "text/html"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", "http://127.0.0.1:3000"),
        ];
        self.ask("POST", path, &headers, form).await
    }

    /// Sends a request with these headers.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let request = Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |all, (name, value)| all.header(*name, *value));
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Returns the folder of the page's code, as the home page names it.
    pub(crate) async fn code_folder(&self) -> String {
        let page = self.get("/").await.body;
        let (_, style) = page.split_once("<link rel=\"stylesheet\" href=\"").unwrap();
        style.split_once("/ai-stack-deployer.css").unwrap().0.to_owned()
    }

    /// Serves the portal on a free port, like the binary.
    pub(crate) async fn listen(&self) -> SocketAddr {
        let serve = async || {
            let limits = ConnectionLimits {
                in_all: 10_000,
                per_address: None,
                proxies: Arc::default(),
                times: ConnectionTimes::default(),
            };
            self.listen_with(limits).await
        };
        *self.served.get_or_init(serve).await
    }

    /// Serves the portal on a free port, with these limits.
    pub(crate) async fn listen_with(&self, limits: ConnectionLimits) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, self.responder.clone(), limits, self.shutdown.clone()));
        address
    }

    pub(crate) fn progress(&self, phase: Phase) -> EventBody {
        let resources =
            Resources { project_id: Some(String::from("project-1")), ..Resources::default() };
        EventBody::Progress(ProgressUpdate::new(&DEPLOY, phase, 85, resources, self.clock.now()))
    }

    pub(crate) fn log(&self, message: &str) -> EventBody {
        EventBody::Log(LogEntry {
            timestamp: self.clock.now(),
            level: Level::Info,
            phase: Phase::CREATING_PROJECT,
            action: String::from("project.create"),
            message: message.to_owned(),
            duration_ms: 41,
            attempt: Some(1),
        })
    }

    pub(crate) fn complete(name: &str) -> EventBody {
        EventBody::Complete(Completion {
            url: format!("http://{name}.localhost:8081"),
            status: Ready::Ready,
            resources: Resources::default(),
            duration: 1.25,
        })
    }

    pub(crate) fn failure(&self) -> EventBody {
        let at = self.clock.now();
        let line = line(ResourceKind::Project, "ai-stack-alice", Outcome::VerifiedGone, at);
        let line = Line { id: Some(String::from("project-1")), ..line };
        let (phase, code) = (Phase::VERIFYING_HEALTH, FailureCode::HealthTimeout);
        let message = "The stack did not answer within 60 seconds";
        let reason = Some(MessageCode::StackSilent { seconds: 60 });
        EventBody::Error(Failure { reason, ..failure(phase, code, message, line) })
    }
}

/// Sends a request over a connection of its own.
async fn over_socket(address: SocketAddr, request: Request<Body>) -> Response<Body> {
    let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap().map(Body::new)
}

/// Sends `request` unchanged, and reads until the server closes the connection.
pub(crate) async fn send_raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}
