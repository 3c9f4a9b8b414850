//! A core with its own time, and the calls that create a situation.

use std::fs;
use std::path::Path;
use std::time::Duration;

use dokploy_sandbox::{Answer, Core, EdgeAnswer, Request, Timing, Visit};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const KEY: &str = "key-of-the-tests";

/// Every stage takes a second, so that a test can stop in the middle of each.
const TIMING: Timing = Timing {
    job: Duration::from_secs(1),
    slow_job: Duration::from_secs(10),
    settle: Duration::ZERO,
    start: Duration::from_secs(1),
    slow_start: Duration::from_secs(10),
    crash: Duration::from_secs(1),
    stop: Duration::from_secs(4),
    reap: Duration::from_secs(2),
    monitor: Duration::from_secs(5),
    lifetime: Duration::from_secs(20),
};

pub(crate) struct World {
    pub(crate) core: Core,
    pub(crate) now: Timestamp,
}

/// A project with an application in it.
#[derive(Clone, Debug)]
pub(crate) struct Stack {
    pub(crate) project: String,
    pub(crate) environment: String,
    pub(crate) application: String,
    pub(crate) app_name: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let core = Core::new(KEY.into(), TIMING, 7);
        Self { core, now: "2026-11-23T09:40:00.123Z".parse().unwrap() }
    }

    pub(crate) fn advance(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub(crate) fn send(&mut self, request: Request) -> Answer {
        self.core.handle(self.now, &request.with_key(KEY))
    }

    /// Sends a GET request and expects success.
    pub(crate) fn get(&mut self, target: &str) -> Value {
        let answer = self.send(Request::get(target));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.value().clone()
    }

    /// Sends a POST request and expects success.
    pub(crate) fn post(&mut self, target: &str, body: Value) -> Value {
        let answer = self.send(Request::post(target, &body));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.value().clone()
    }

    /// Sends a POST request and returns the status.
    pub(crate) fn status(&mut self, target: &str, body: Value) -> u16 {
        self.send(Request::post(target, &body)).status
    }

    /// Returns one list of the inventory.
    pub(crate) fn existing(&self, what: &str) -> Vec<Value> {
        self.core.inventory(self.now)[what].as_array().unwrap().clone()
    }

    /// Returns Docker's inspection of a container, a service or a task.
    pub(crate) fn inspect(&mut self, id: &str) -> Value {
        self.get(&format!("/api/docker.getConfig?containerId={id}"))
    }

    /// Returns the desired state and the word of each task, newest first.
    pub(crate) fn task_words(&mut self, stack: &Stack) -> Vec<String> {
        let word = |task: &Value| {
            let current = text(&task["currentState"]);
            format!("{} {}", text(&task["state"]), current.split(' ').next().unwrap())
        };
        self.tasks(stack).iter().map(word).collect()
    }

    /// Returns the answer of an address.
    pub(crate) fn ask(&mut self, host: &str, path: &str) -> EdgeAnswer {
        self.core.answer_visit(self.now, &Visit::get(host, path))
    }

    /// Returns the revision that answers at an address, or the status if none does.
    pub(crate) fn revision(&mut self, host: &str) -> String {
        let answer = self.ask(host, "/");
        let found = answer.headers.iter().find(|(name, _)| *name == "x-sandbox-revision");
        found.map_or_else(|| answer.status.to_string(), |(_, revision)| revision.clone())
    }

    /// Writes a revision of `sandbox/revisions` into the row of a stack.
    pub(crate) fn write_revision(&mut self, stack: &Stack, revision: u32, tag: &str) {
        let image = format!("sandbox/revisions:{tag}");
        let labels = json!({ "stack.revision": revision.to_string() });
        let env = format!("STACK_REVISION={revision}\nSTACK_OPERATION=op_{revision}");
        let columns = json!({ "dockerImage": image, "env": env, "labelsSwarm": labels });
        self.update(stack, columns);
    }

    /// Creates a world with a stack of revision 1 at `demo.localhost`.
    pub(crate) fn with_revision(columns: Value) -> (Self, Stack) {
        let (mut world, stack) = Self::with_stack("demo", "sandbox/revisions:1");
        world.domain(&stack, "demo.localhost");
        world.update(&stack, columns);
        world.write_revision(&stack, 1, "1");
        world.deploy(&stack, "first");
        world.advance(100);
        (world, stack)
    }

    pub(crate) fn wait(&mut self, pause: Duration) {
        self.now += pause;
    }

    pub(crate) fn fault(&mut self, text: &str) {
        self.core.inject(text.parse().unwrap());
    }

    pub(crate) fn project(&mut self, name: &str) -> (String, String) {
        let made = self.post("/api/project.create", json!({ "name": name, "description": "d" }));
        (text(&made["project"]["projectId"]), text(&made["environment"]["environmentId"]))
    }

    pub(crate) fn application(&mut self, environment: &str, name: &str) -> (String, String) {
        let body = json!({ "name": name, "appName": name, "environmentId": environment });
        let made = self.post("/api/application.create", body);
        (text(&made["applicationId"]), text(&made["appName"]))
    }

    /// Creates a project and an application with this image.
    pub(crate) fn stack(&mut self, name: &str, image: &str) -> Stack {
        let (project, environment) = self.project(name);
        let (application, app_name) = self.application(&environment, name);
        let stack = Stack { project, environment, application, app_name };
        self.update(&stack, json!({ "sourceType": "docker", "dockerImage": image }));
        stack
    }

    pub(crate) fn update(&mut self, stack: &Stack, mut columns: Value) {
        columns["applicationId"] = json!(stack.application);
        self.post("/api/application.update", columns);
    }

    pub(crate) fn domain(&mut self, stack: &Stack, host: &str) -> String {
        let body = json!({ "host": host, "port": 8080, "applicationId": stack.application });
        text(&self.post("/api/domain.create", body)["domainId"])
    }

    /// Mounts a volume into the containers of later deployments, and returns the row's id.
    pub(crate) fn mount(&mut self, stack: &Stack, volume: &str, path: &str) -> String {
        let body = json!({
            "type": "volume",
            "volumeName": volume,
            "mountPath": path,
            "serviceType": "application",
            "serviceId": stack.application,
        });
        text(&self.post("/api/mounts.create", body)["mountId"])
    }

    /// Applies the row of a stack to its service.
    pub(crate) fn reload(&mut self, stack: &Stack) {
        let body = json!({ "applicationId": stack.application, "appName": stack.app_name });
        self.post("/api/application.reload", body);
    }

    pub(crate) fn deploy(&mut self, stack: &Stack, title: &str) {
        let body = json!({ "applicationId": stack.application, "title": title });
        self.post("/api/application.deploy", body);
    }

    /// Creates a stack and deploys it to the end of its job.
    pub(crate) fn deployed(&mut self, name: &str, image: &str) -> Stack {
        let stack = self.stack(name, image);
        self.deploy(&stack, "t");
        self.advance(100);
        stack
    }

    /// Creates a world with one deployed stack.
    pub(crate) fn with_deployed(name: &str, image: &str) -> (Self, Stack) {
        let mut world = Self::new();
        let stack = world.deployed(name, image);
        (world, stack)
    }

    /// Creates a world with one stack, not deployed yet.
    pub(crate) fn with_stack(name: &str, image: &str) -> (Self, Stack) {
        let mut world = Self::new();
        let stack = world.stack(name, image);
        (world, stack)
    }

    pub(crate) fn deployments(&mut self, stack: &Stack) -> Vec<Value> {
        let target = format!("/api/deployment.all?applicationId={}", stack.application);
        self.get(&target).as_array().unwrap().clone()
    }

    pub(crate) fn tasks(&mut self, stack: &Stack) -> Vec<Value> {
        let app_name = &stack.app_name;
        let target = format!("/api/docker.getServiceContainersByAppName?appName={app_name}");
        self.get(&target).as_array().unwrap().clone()
    }

    pub(crate) fn application_status(&mut self, stack: &Stack) -> String {
        let target = format!("/api/application.one?applicationId={}", stack.application);
        text(&self.get(&target)["applicationStatus"])
    }
}

/// Reads what was observed of the real platform.
pub(crate) fn observed(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dokploy/recordings/observed");
    let recording = fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str::<Value>(&recording).unwrap()["observed"].clone()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
