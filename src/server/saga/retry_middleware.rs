//! The middleware of the reverse proxy by which visitors wait, instead of getting an error, while a
//! container is replaced.
//!
//! A domain may name it only if the proxy has it, since its host answers 404 otherwise (recording
//! day-two 476). So the file is written, read back, and then the proxy is asked at a host that only
//! this file has. Each process does that once, however many operations wait for it, and the
//! reconciler in each of its rounds. Where it fails, stacks go without: no operation fails by it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::server::platform::{Permitted, Platform, PlatformError, Refusals, RetryFile, retry_401};
use crate::server::probe::{Health, Probe};
use crate::server::settings::StackSettings;
use clock::Clock;

/// For how long the proxy is asked: it took two seconds at most to read a file when measured.
const TAKES_UP: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(250);
/// The time limit of one probe.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// The pause before a call that was answered with 401 is made again. Two answers are enough
/// ([`Refusals`]).
const RETRY_401_AFTER: [Duration; 1] = [Duration::from_secs(1)];
/// The time after which it is tried again, where it failed.
const AGAIN: Duration = Duration::from_mins(1);

/// What this process knows of the middleware.
#[derive(Debug, Default)]
pub struct RetryState {
    known: Mutex<Known>,
    /// Held by the one that looks, so that others wait for its result.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    proof: Proof,
    /// Whether the proxy had been without it, and it was made, since this was last told.
    is_made: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Proof {
    /// Nobody has looked yet.
    #[default]
    None,
    /// The proxy has it.
    Ready,
    /// It cannot be had, with the reason and the time of the attempt.
    Missing { why: String, at: Duration },
}

/// What an operation needs to use it.
pub(crate) struct RetryMiddleware {
    pub(super) state: Arc<RetryState>,
    pub(super) platform: Arc<dyn Platform>,
    pub(super) probe: Arc<dyn Probe>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Arc<StackSettings>,
}

/// What a look found.
#[derive(Debug)]
pub(crate) struct RetryLook {
    /// Whether the proxy had been without it, and it was made, since the last look.
    pub(crate) is_made: bool,
    /// The name of the middleware, or why there is none, or nobody knows.
    pub(crate) found: Result<String, NoRetry>,
}

/// Why there is no middleware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoRetry {
    /// The proxy does not have it, for this reason.
    Missing(String),
    /// What was found says nothing of the proxy, for this reason.
    Unknown(String),
    /// The key may not read or write the file, which says nothing of the proxy either, but lasts.
    NotAllowed(String),
}

impl NoRetry {
    /// Returns the reason.
    pub(crate) fn why(self) -> String {
        match self {
            Self::Missing(why) | Self::Unknown(why) | Self::NotAllowed(why) => why,
        }
    }
}

impl RetryMiddleware {
    /// Returns its name if the proxy is known to have it, without any call.
    pub(crate) fn name(&self) -> Option<String> {
        let is_ready = self.state.known.lock().proof == Proof::Ready;
        self.file().filter(|_| is_ready).map(|file| file.middleware())
    }

    /// Returns its name, whether the proxy has it or not.
    pub(crate) fn known_name(&self) -> Option<String> {
        self.file().map(|file| file.middleware())
    }

    /// Returns its name, and makes it if nobody has looked yet.
    ///
    /// # Errors
    ///
    /// Returns the reason why there is none.
    pub(crate) async fn ensure(&self) -> Result<String, String> {
        let _turn = self.state.turn.lock().await;
        let proof = self.state.known.lock().proof.clone();
        match proof {
            Proof::Ready => {
                self.file().map(|file| file.middleware()).ok_or_else(|| no_file().why())
            }
            Proof::Missing { why, at } if self.clock.monotonic() < at + AGAIN => Err(why),
            Proof::None | Proof::Missing { .. } => self.make().await.map_err(NoRetry::why),
        }
    }

    /// Looks whether it is there, and makes it if it is missing or different.
    pub(crate) async fn look(&self) -> RetryLook {
        let _turn = self.state.turn.lock().await;
        let found = self.make().await;
        let is_made = std::mem::take(&mut self.state.known.lock().is_made);
        RetryLook { is_made, found }
    }

    /// Returns the portal's file.
    pub(crate) fn file(&self) -> Option<RetryFile> {
        self.settings.retry_file()
    }

    async fn make(&self) -> Result<String, NoRetry> {
        let found = match self.file() {
            Some(file) => self.write(&file).await.map(|()| file.middleware()),
            None => Err(no_file()),
        };
        let mut known = self.state.known.lock();
        let proof = match &found {
            Ok(_) => Proof::Ready,
            // What says nothing changes nothing.
            Err(NoRetry::Unknown(_)) if known.proof == Proof::Ready => Proof::Ready,
            // Nor does that, but what the portal may not look after is not named anew.
            Err(NoRetry::Missing(why) | NoRetry::Unknown(why) | NoRetry::NotAllowed(why)) => {
                Proof::Missing { why: why.clone(), at: self.clock.monotonic() }
            }
        };
        let was_missing = matches!(known.proof, Proof::Missing { .. });
        if let Proof::Missing { why, .. } = &proof
            && !was_missing
        {
            tracing::warn!(
                "The portal has no retry middleware of the reverse proxy to rely on, so visitors \
                 may get an error for some seconds while a container is replaced: {why}"
            );
        }
        known.proof = proof;
        drop(known);
        found
    }

    async fn write(&self, file: &RetryFile) -> Result<(), NoRetry> {
        let read = || self.permitted(|| self.platform.retry_file(file));
        let is_same = |text: &Option<String>| text.as_deref() == Some(&*file.content());
        let found = read().await?;
        if !is_same(&found) {
            let has_it = found.is_some_and(|text| file.is_defined_in(&text));
            let missing = |no: NoRetry| if has_it { no } else { NoRetry::Missing(no.why()) };
            let written = self.permitted(|| self.platform.write_retry_file(file)).await;
            written.map_err(missing)?;
            // The call reports success even if it failed.
            if !is_same(&read().await.map_err(missing)?) {
                let why = format!("the platform did not write the file {}", file.path());
                return Err(missing(NoRetry::Unknown(why)));
            }
            self.state.known.lock().is_made |= !has_it;
        }
        self.prove(file).await
    }

    /// Makes a call of the file, and once more if it is answered with 401.
    async fn permitted<T, F>(&self, make: impl Fn() -> F + Send + Sync) -> Result<T, NoRetry>
    where
        T: Send,
        F: Future<Output = Result<T, PlatformError>> + Send,
    {
        let (platform, refusals) = (&*self.platform, Refusals::default());
        let call = || refusals.record(platform, make());
        match retry_401(platform, &*self.clock, &RETRY_401_AFTER, call).await {
            Ok(Permitted::Yes(result)) => Ok(result),
            Ok(Permitted::No(error)) => Err(NoRetry::NotAllowed(not_allowed(&error))),
            Err(error) => Err(NoRetry::Unknown(failed(&error))),
        }
    }

    /// Waits until the proxy answers through the middleware.
    async fn prove(&self, file: &RetryFile) -> Result<(), NoRetry> {
        let url = self.settings.plain_url_of(file.host());
        let since = self.clock.monotonic();
        loop {
            let health = self.probe.check(&url, PROBE_LIMIT).await;
            match health {
                Health::Answering(status) if RetryFile::is_proof(status) => return Ok(()),
                Health::Answering(_)
                | Health::Silent(_)
                | Health::Untrusted(_)
                | Health::LocalFault(..) => {}
            }
            if self.clock.monotonic().saturating_sub(since) >= TAKES_UP {
                return Err(not_taken_up(file, &url, &health));
            }
            self.clock.sleep(PAUSE).await;
        }
    }
}

/// Returns the reason if the names of portal and stacks cannot be those of a file and a host.
fn no_file() -> NoRetry {
    let why = "the names of the portal and of its stacks do not allow for one";
    NoRetry::Missing(String::from(why))
}

fn failed(error: &PlatformError) -> String {
    format!("the platform cannot read or write its file: {error}")
}

fn not_allowed(error: &PlatformError) -> String {
    format!(
        "this key may not read and write Traefik's files, although the platform accepts it for \
         other calls: {error}"
    )
}

fn not_taken_up(file: &RetryFile, url: &str, health: &Health) -> NoRetry {
    let of = |seen: String| format!("the proxy did not take up its file {}: {seen}", file.path());
    match health {
        Health::Answering(status) => {
            NoRetry::Missing(of(format!("{url} answers {status} instead of 418")))
        }
        Health::Silent(why) | Health::Untrusted(why) | Health::LocalFault(_, why) => {
            NoRetry::Unknown(of(format!("{url} does not answer ({why})")))
        }
    }
}
